/* Plain text, source code, Markdown, logs: the text as UTF-8, how much of it there is, in which characters it was. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/charset.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

enum { BLOCK_BYTES = 128 << 10 };

struct counts {
	uint64_t characters, words, lines;
	bool is_in_word, has_open_line;
};

/* Words as wc counts them. The loop has no branch that depends on the text. */
static void count(struct counts *counts, const char *text, size_t length)
{
	uint64_t characters = 0, words = 0, lines = 0;
	unsigned was_blank = !counts->is_in_word;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned is_blank = c == ' ' || (c >= '\t' && c <= '\r');

		characters += (c & 0xC0) != 0x80;
		lines += c == '\n';
		words += was_blank & !is_blank;
		was_blank = is_blank;
	}
	counts->characters += characters;
	counts->words += words;
	counts->lines += lines;
	counts->is_in_word = !was_blank;
	if (length > 0)
		counts->has_open_line = text[length - 1] != '\n';
}

static int tell(const struct counts *counts, const struct charset *charset, struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(1024);

	buf_printf(&json, "{\"characters\":%" PRIu64 ",\"words\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"encoding\":",
		   counts->characters, counts->words, counts->lines + counts->has_open_line);
	json_put_string(&json, charset->name, strlen(charset->name));
	buf_putc(&json, '}');
	sink_metadata_text(sink, "Content-Encoding", charset->name);
	return sink_data(sink, json.data, json.length);
}

/* Counts to the end, though the sink may take no more. */
static int read_all(struct charset_stream *stream, struct counts *counts, struct sink *sink)
{
	autofree char *block = malloc(BLOCK_BYTES);
	int status = 0;

	if (!block)
		return -ENOMEM;
	for (;;) {
		ssize_t n = charset_stream_read(stream, block, BLOCK_BYTES);

		if (n <= 0)
			return (int)n;
		count(counts, block, (size_t)n);
		if (status == 0)
			status = sink_text(sink, block, (size_t)n);
		if (status < 0)
			return status;
		if (sink_should_stop(sink))
			return -ETIME;
	}
}

static int extract(struct extract_input *in, struct sink *sink)
{
	autofree struct charset_stream *stream = malloc(sizeof(*stream));
	struct counts counts = {0};
	struct charset charset;
	int r = stream ? charset_detect(in, &charset) : -ENOMEM;

	if (r < 0)
		return r;
	if (charset_stream_init(stream, in, &charset) < 0)
		sink_warning(sink, "the character set %s is not known here, read as Windows-1252", charset.name);
	r = read_all(stream, &counts, sink);
	charset_stream_release(stream);
	if (charset.confidence < 1000)
		sink_confidence(sink, charset.confidence, "the character set was guessed");
	if (stream->has_errors)
		sink_warning(sink, "some bytes are no characters of %s", charset.name);
	sink_letters(sink, stream->letters);
	tell(&counts, &charset, sink);
	return r;
}

static const char *const media_types[] = {"text/",
					  "application/javascript",
					  "application/x-sh",
					  "application/sql",
					  "application/x-yaml",
					  "application/toml",
					  "application/x-tex",
					  NULL};

const struct extractor extractor_text = {.name = "text", .version = 1, .media_types = media_types, .extract = extract};
