/* Word 97 to 2003 (.doc): libgsf opens the compound file, word_text.c reads the piece table. */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/ole.h"
#include "extractd/worker/formats/word_text.h"
#include "shared/base/cleanup.h"

enum { STREAM_MAX_BYTES = 512 << 20 };

static int put_text(GsfInfile *file, struct extract_input *in, struct sink *sink)
{
	autobuf struct buf text = BUF_INIT(in->limits->text_bytes + 1024);
	autofree uint8_t *document = NULL, *table = NULL;
	size_t document_length = 0, table_length = 0;
	char table_name[] = "0Table";
	int r = ole_read(file, "WordDocument", STREAM_MAX_BYTES, &document, &document_length);

	if (r < 0)
		return r == -ENOENT ? sink_error(sink, "corrupt: the compound file holds no Word document") : r;
	table_name[0] = word_table_digit(document, document_length);
	r = table_name[0] ? ole_read(file, table_name, STREAM_MAX_BYTES, &table, &table_length) : -EBADMSG;
	if (r == -ENOENT) /* Word 6 has none */
		r = 0;
	if (r == 0)
		r = word_text(document, document_length, table, table_length, &text);
	if (text.length > 0) {
		int s = sink_text(sink, text.data, text.length);

		if (s < 0)
			return s;
	}
	return r == -EOVERFLOW ? 0 : r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	GsfInfile *file;
	int r = ole_open(in, &file);

	if (r == -EBADMSG)
		return sink_error(sink, "corrupt: the compound file cannot be opened");
	if (r < 0)
		return r;
	ole_put_properties(file, sink);
	r = put_text(file, in, sink);
	g_object_unref(file);
	if (r == -EACCES)
		return sink_error(sink, "encrypted: the document needs a password");
	if (r == -ENOTSUP)
		return sink_error(sink, "older than Word 97 and saved in pieces, which is not read");
	if (r == -EBADMSG)
		return sink_error(sink, "corrupt: the text of the document cannot be found");
	return r;
}

static int preload(bool is_ocr)
{
	(void)is_ocr;
	return ole_preload();
}

static const char *const media_types[] = {"application/msword", NULL};

const struct extractor extractor_doc = {
	.name = "doc", .version = 1, .media_types = media_types, .preload = preload, .extract = extract};
