/* RTF, by a reader of our own: what the packages offer builds whole trees. */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/document.h"
#include "extractd/worker/formats/rtf_reader.h"

struct reading {
	struct document document;
	struct sink *sink;
	bool is_row; /* cells of a row were met since the last one ended */
};

static int on_text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	document_text(&reading->document, bytes, length);
	return reading->document.error;
}

static int on_paragraph_end(void *context)
{
	struct reading *reading = context;

	if (sink_should_stop(reading->sink))
		return -ETIME;
	if (!reading->is_row)
		return document_end(&reading->document);
	document_puts(&reading->document, " ");
	return 0;
}

static int on_cell_end(void *context)
{
	struct reading *reading = context;

	document_puts(&reading->document, " | ");
	reading->is_row = true;
	return reading->document.error;
}

static int on_row_end(void *context)
{
	struct reading *reading = context;

	reading->is_row = false;
	return document_end(&reading->document);
}

static int on_property(void *context, const char *name, const char *value)
{
	static const struct {
		const char *name, *key;
	} keys[] = {{"title", "dc:title"},	     {"author", "dc:creator"},
		    {"subject", "dc:subject"},	     {"keywords", "meta:keyword"},
		    {"doccomm", "dc:description"},   {"company", "extended-properties:Company"},
		    {"operator", "meta:last-author"}};
	struct reading *reading = context;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			sink_metadata_text(reading->sink, keys[i].key, value);
	return 0;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	static const struct rtf_handler handler = {.text = on_text,
						   .paragraph_end = on_paragraph_end,
						   .cell_end = on_cell_end,
						   .row_end = on_row_end,
						   .property = on_property};
	struct reading reading = {.sink = sink};
	const uint8_t *bytes = input_bytes(in);
	int r;

	if (!bytes)
		return -ENOMEM;
	document_init(&reading.document, sink);
	r = rtf_read(bytes, in->size_bytes, &handler, &reading);
	if (r == -EBADMSG)
		r = sink_error(sink, "corrupt: this is no RTF");
	else if (r == -ENODATA) {
		sink_warning(sink, "the document ends too early; what came before is kept");
		r = 0;
	}
	if (r == 0)
		r = document_finish(&reading.document);
	document_release(&reading.document);
	return r;
}

static const char *const media_types[] = {"text/rtf", "application/rtf", NULL};

const struct extractor extractor_rtf = {.name = "rtf", .version = 1, .media_types = media_types, .extract = extract};
