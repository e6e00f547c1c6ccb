#include "extractd/worker/run.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "extractd/worker/input.h"
#include "shared/base/text.h"

enum { ENTITIES_MAX = 10000, TEXT_KEPT_MEMBER_MAX = FRAME_PAYLOAD_MAX - 64 };

static const char *const no_extractor = "file"; /* what reads nothing but type and size */

static void put_extractor(struct sink *sink, const struct extractor *extractor)
{
	autobuf struct buf word = BUF_INIT(64);

	buf_printf(&word, "%s %u", extractor ? extractor->name : no_extractor, extractor ? extractor->version : 1);
	sink_put(sink, FRAME_EXTRACTOR, word.data, word.length);
}

/* A file of a kind that nobody reads is still found by what it is. */
static void put_plain_facts(const struct run_request *request, const char *media_type, struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(1024);

	buf_putc(&json, '{');
	json_put_key(&json, "media_type");
	json_put_string(&json, media_type, strlen(media_type));
	json_put_key(&json, "size_bytes");
	buf_printf(&json, "%llu", (unsigned long long)request->size_bytes);
	if (*request->sha256) {
		json_put_key(&json, "sha256");
		json_put_string(&json, request->sha256, strlen(request->sha256));
	}
	buf_putc(&json, '}');
	sink_data(sink, json.data, json.length);
}

/* Entities and language of the whole text. */
static void put_entities(struct sink *sink)
{
	for (unsigned max = ENTITIES_MAX; max >= 100; max /= 4) {
		autobuf struct buf json = BUF_INIT(TEXT_KEPT_MEMBER_MAX);

		if (entities_find(sink->text.data, sink->text.length, max, &json) == 0 && buf_error(&json) == 0) {
			if (json.length > 2) /* not [] */
				sink_data_member(sink, "entities", json.data, json.length);
			return;
		}
	}
}

static void put_language(struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(64);
	char language[LANGUAGE_SIZE];

	if (language_find(sink->text.data, sink->text.length, language) < 0)
		return;
	json_put_string(&json, language, strlen(language));
	sink_data_member(sink, "language", json.data, json.length);
	if (!sink->has_language)
		sink_metadata_text(sink, "dc:language", language);
}

static void put_letters(struct sink *sink)
{
	uint64_t wire[SINK_LETTERS];

	if (!sink->has_letters)
		for (size_t i = 0; i < sink->text.length; i++) {
			unsigned letter = ((unsigned char)sink->text.data[i] | 0x20U) - 'a';

			if (letter < SINK_LETTERS)
				sink->letters[letter]++;
		}
	for (int i = 0; i < SINK_LETTERS; i++)
		wire[i] = htole64(sink->letters[i]);
	sink_put(sink, FRAME_LETTERS, wire, sizeof(wire));
}

static void put_confidence(struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(FRAME_PAYLOAD_MAX);
	uint32_t wire = htole32(sink->confidence);

	if (sink->confidence < FRAME_CONFIDENCE_MAX)
		sink_put(sink, FRAME_CONFIDENCE, &wire, sizeof(wire));
	if (sink->reasons.length == 0)
		return;
	buf_printf(&json, "{\"tenantfs:confidence_lowered_by\":[%s]}", sink->reasons.data);
	if (buf_error(&json) == 0)
		sink_metadata(sink, json.data, json.length);
}

static void finish(struct sink *sink)
{
	sink_flush(sink);
	if (sink->text.length > 0 && !sink->is_not_prose) {
		put_entities(sink);
		put_language(sink);
	}
	put_letters(sink);
	put_confidence(sink);
	if (sink->wants_ocr)
		sink_put(sink, FRAME_WANT_OCR, NULL, 0);
	if (sink->terminal.length > 0)
		sink_put(sink, FRAME_ERROR, sink->terminal.data, sink->terminal.length);
	sink_put(sink, FRAME_DONE, NULL, 0);
}

static int extract_file(const struct run_request *request, struct extract_input *in, struct sink *sink)
{
	const struct extractor *extractor;
	char media_type[EXTRACT_MEDIA_TYPE_SIZE] = "application/octet-stream";
	int r;

	if (request->media_type)
		in->media_type = request->media_type;
	else if ((r = detect_media_type(in, media_type)) < 0)
		return r;
	else
		in->media_type = media_type;
	extractor = extractor_find(in->media_type);
	if (!extractor && !extractors_are_all)
		return -ENOTSUP;
	sink_put(sink, FRAME_MEDIA_TYPE, in->media_type, strlen(in->media_type));
	put_extractor(sink, extractor);
	r = extractor ? extractor_run(extractor, in, sink) : 1;
	if (r < 0)
		return r;
	if (r == 1 && !extractors_are_all)
		return -ENOTSUP;
	if (r == 1) {
		if (extractor)
			put_extractor(sink, NULL);
		put_plain_facts(request, in->media_type, sink);
	}
	return 0;
}

int run_extraction(const struct run_request *request, const struct sink_output *output)
{
	struct sink_budget budget;
	struct sink sink;
	struct extract_input in = {.name = request->name,
				   .size_bytes = request->size_bytes,
				   .limits = &request->limits,
				   .is_ocr = request->is_ocr,
				   .fd = request->fd};
	struct stat stat;
	int r;

	if (fstat(request->fd, &stat) < 0)
		return -errno;
	if (stat.st_size < (off_t)request->size_bytes)
		return -ENODATA;
	sink_budget_init(&budget, &request->limits);
	sink_init(&sink, &budget, NULL, output);
	r = extract_file(request, &in, &sink);
	input_release(&in);
	if (r == 0) {
		finish(&sink);
		r = sink.error;
	}
	sink_release(&sink);
	return r;
}
