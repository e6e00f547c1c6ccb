/* XML: the text between the tags, and which elements there are. Streamed; no entities, no network (xml_walk.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/letters.h"
#include "extractd/worker/formats/xml_structure.h"
#include "extractd/worker/formats/xml_walk.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

enum { BLOCK_BYTES = 64 << 10, LINE_MAX_BYTES = 1 << 20 };

/* What lies between two texts decides how they are parted. */
enum gap { GAP_NONE, GAP_SPACE, GAP_LINE };

struct reading {
	struct sink *sink;
	struct xml_structure structure;
	struct buf line; /* text that is not given to the sink yet */
	enum gap gap;
	bool has_ended; /* an element ended since the last text: if another begins now, they are neighbours */
	char root[128];
	int status; /* what the sink said */
};

static int flush(struct reading *reading)
{
	int r = reading->line.length > 0 ? sink_text(reading->sink, reading->line.data, reading->line.length) : 0;

	buf_reset(&reading->line);
	if (r < 0)
		reading->status = r;
	return reading->status;
}

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	if (!*reading->root) {
		strncpy(reading->root, name, sizeof(reading->root) - 1);
		reading->root[utf8_cut(reading->root, strlen(reading->root), sizeof(reading->root) - 2)] = '\0';
	}
	if (reading->has_ended)
		reading->gap = GAP_LINE;
	return xml_structure_begin(&reading->structure, prefix, name, attributes);
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;

	(void)prefix;
	(void)name;
	xml_structure_end(&reading->structure);
	reading->has_ended = true;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A stretch without white space. */
static void put_word(struct reading *reading, const char *bytes, size_t length)
{
	if (reading->gap != GAP_NONE && (reading->line.length > 0 || sink_text_offset(reading->sink) > 0))
		buf_putc(&reading->line, reading->gap == GAP_LINE ? '\n' : ' ');
	reading->gap = GAP_NONE;
	buf_append(&reading->line, bytes, length);
	xml_structure_text(&reading->structure);
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	for (size_t at = 0; at < length;) {
		size_t begin_at = at;

		for (; at < length && is_blank(bytes[at]); at++) {
			if (bytes[at] == '\n' && reading->has_ended)
				reading->gap = GAP_LINE;
			else if (reading->gap == GAP_NONE)
				reading->gap = GAP_SPACE;
		}
		begin_at = at;
		while (at < length && !is_blank(bytes[at]))
			at++;
		if (at > begin_at) {
			put_word(reading, bytes + begin_at, at - begin_at);
			reading->has_ended = false;
		}
	}
	return reading->line.length >= BLOCK_BYTES ? flush(reading) : 0;
}

static int read_all(struct extract_input *in, struct reading *reading, struct xml_stream *stream)
{
	autofree char *block = malloc(BLOCK_BYTES);
	uint64_t letters[LETTER_COUNT] = {0}, offset = 0;
	int r = block ? 0 : -ENOMEM;

	while (r == 0) {
		long n = input_read(in, block, BLOCK_BYTES, offset);

		if (n <= 0) {
			r = (int)n;
			break;
		}
		letters_count(block, (size_t)n, letters);
		offset += (uint64_t)n;
		r = xml_stream_push(stream, block, (size_t)n);
	}
	sink_letters(reading->sink, letters);
	return r;
}

static void tell(struct reading *reading)
{
	autobuf struct buf json = BUF_INIT(STRUCTURE_JSON_MAX);

	sink_metadata_text(reading->sink, "xml:root", reading->root);
	if (reading->structure.is_cut)
		sink_warning(reading->sink, "the structure goes on deeper or wider than is told");
	if (xml_structure_tell(&reading->structure, &json) == 0)
		sink_data_member(reading->sink, "structure", json.data, json.length);
}

static int extract(struct extract_input *in, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	struct reading reading = {.sink = sink, .line = BUF_INIT(LINE_MAX_BYTES + BLOCK_BYTES)};
	struct xml_stream *stream;
	unsigned line;
	int r = xml_structure_init(&reading.structure), ended;

	if (r < 0)
		return r;
	r = xml_stream_begin(&handler, &reading, sink, &stream);
	if (r < 0) {
		xml_structure_release(&reading.structure);
		return r;
	}
	r = read_all(in, &reading, stream);
	line = xml_stream_line(stream);
	ended = xml_stream_end(stream);
	r = r < 0 ? r : ended;
	flush(&reading);
	tell(&reading);
	xml_structure_release(&reading.structure);
	buf_release(&reading.line);
	if (r == -EBADMSG)
		return sink_error(sink, "corrupt: not well-formed XML near line %u", line);
	if (r == -E2BIG) {
		sink_warning(sink, "nested too deep, the rest was not read");
		return 0;
	}
	return r < 0 ? r : reading.status;
}

static const char *const media_types[] = {"text/xml",
					  "application/xml",
					  "image/svg+xml",
					  "application/rss+xml",
					  "application/atom+xml",
					  "application/rdf+xml",
					  NULL};

const struct extractor extractor_xml = {.name = "xml", .version = 1, .media_types = media_types, .extract = extract};
