/* JSON and JSON Lines: the text as it is, the schema that its values follow, and objects in rows as a dataset. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/json_reader.h"
#include "extractd/worker/formats/json_rows.h"
#include "extractd/worker/formats/json_schema.h"
#include "extractd/worker/formats/letters.h"
#include "shared/base/cleanup.h"
#include "shared/base/frame.h"

enum { TEXT_PART_BYTES = 1 << 20, EVENTS_BETWEEN_LOOKS = 1 << 16, BAD_LINES_TOLD = 5 };

struct json_job {
	struct sink *sink;
	const char *text;
	size_t length;
	struct json_schema schema;
	struct json_rows rows;
	uint64_t events, values, bad_lines;
	enum json_event kind; /* of the last top value */
};

static int pass_on_text(struct json_job *job)
{
	uint64_t letters[LETTER_COUNT] = {0};
	int r = 0;

	letters_count(job->text, job->length, letters);
	sink_letters(job->sink, letters);
	for (size_t offset = 0; offset < job->length && r == 0; offset += TEXT_PART_BYTES) {
		size_t left = job->length - offset;

		r = sink_text(job->sink, job->text + offset, left < TEXT_PART_BYTES ? left : TEXT_PART_BYTES);
	}
	return r < 0 ? r : 0;
}

static int put_event(struct json_job *job, struct json_reader *reader, enum json_event event)
{
	int r = json_schema_put(&job->schema, reader, event);

	if (r == 0)
		r = json_rows_put(&job->rows, reader, event);
	if (r == 0 && ++job->events % EVENTS_BETWEEN_LOOKS == 0 && sink_should_stop(job->sink))
		r = -ETIME;
	return r;
}

static int read_value(struct json_job *job, struct json_reader *reader)
{
	enum json_event event;
	bool is_first = true;
	int r;

	while ((r = json_reader_next(reader, &event)) > 0) {
		if (is_first)
			job->kind = event;
		is_first = false;
		r = put_event(job, reader, event);
		if (r < 0)
			return r;
	}
	job->values += r == 0;
	return r;
}

static int read_document(struct json_job *job)
{
	struct json_reader reader;
	uint64_t line, column;
	int r;

	json_reader_init(&reader, job->text, job->length);
	r = read_value(job, &reader);
	if (r == -EINVAL) {
		json_reader_position(&reader, &line, &column);
		r = sink_error(job->sink, "corrupt: not JSON: %s (line %" PRIu64 ", column %" PRIu64 ")", reader.reason,
			       line, column);
	} else if (r == -E2BIG) {
		sink_warning(job->sink, "nested deeper than %d levels, the rest was not read", JSON_READER_DEPTH_MAX);
		r = 0;
	}
	json_reader_release(&reader);
	return r;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

static int read_line(struct json_job *job, const char *line, size_t length, uint64_t number)
{
	struct json_reader reader;
	int r;

	json_reader_init(&reader, line, length);
	r = read_value(job, &reader);
	if (r == -EINVAL || r == -E2BIG) {
		if (++job->bad_lines <= BAD_LINES_TOLD)
			sink_warning(job->sink, "line %" PRIu64 " is not JSON: %s", number, reader.reason);
		json_schema_abandon(&job->schema);
		json_rows_abandon(&job->rows);
		r = 0;
	}
	json_reader_release(&reader);
	return r;
}

static int read_lines(struct json_job *job)
{
	const char *at = job->text, *end = job->text + job->length;
	uint64_t number = 0;
	int r = 0;

	while (at < end && r == 0) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		number++;
		if (!is_blank(at, length))
			r = read_line(job, at, length, number);
		at += length + 1;
	}
	if (r == 0 && job->bad_lines > job->values)
		return sink_error(job->sink, "corrupt: %" PRIu64 " of %" PRIu64 " lines are not JSON", job->bad_lines,
				  number);
	if (job->bad_lines > 0)
		sink_confidence(job->sink, 700, "some lines are not JSON");
	return r;
}

static void tell_schema(struct json_job *job)
{
	autobuf struct buf json = BUF_INIT(SCHEMA_JSON_MAX);

	if (job->schema.is_cut)
		sink_warning(job->sink, "the structure goes on deeper or wider than the schema tells");
	if (json_schema_tell(&job->schema, &json) == 0)
		sink_data_member(job->sink, "schema", json.data, json.length);
	else
		sink_warning(job->sink, "the schema is too long and is left out");
	sink_metadata_number(job->sink, "json:depth", job->schema.depth_max);
}

static const char *kind_name(enum json_event kind)
{
	switch (kind) {
	case JSON_OBJECT_BEGIN:
		return "an object";
	case JSON_ARRAY_BEGIN:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_NUMBER:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	default:
		return "null";
	}
}

static void tell_rows(struct json_job *job)
{
	autobuf struct buf json = BUF_INIT(FRAME_PAYLOAD_MAX - 64), summary = BUF_INIT(FRAME_PAYLOAD_MAX);

	if (!json_rows_finish(&job->rows)) {
		buf_printf(&summary, "The document is %s, nested %u levels deep.", kind_name(job->kind),
			   job->schema.depth_max);
		sink_summary(job->sink, summary.data, summary.length);
		return;
	}
	if (job->rows.has_lost_columns)
		sink_warning(job->sink, "only the first %d columns are told", JSON_COLUMNS_MAX);
	buf_putc(&json, '{');
	dataset_tell(&job->rows.dataset, &json, &summary);
	if (job->rows.others > 0)
		buf_printf(&json, ",\"other_elements\":%" PRIu64, job->rows.others);
	if (buf_putc(&json, '}') == 0)
		sink_data_member(job->sink, "dataset", json.data, json.length);
	sink_summary(job->sink, summary.data, summary.length);
}

static int extract_job(struct json_job *job, bool is_lines)
{
	int r = json_schema_init(&job->schema);

	if (r == 0)
		r = json_rows_init(&job->rows, is_lines);
	if (r == 0)
		r = pass_on_text(job);
	if (r == 0)
		r = is_lines ? read_lines(job) : read_document(job);
	if (r == 0 || r == -ETIME) {
		tell_schema(job);
		tell_rows(job);
	}
	json_rows_release(&job->rows);
	json_schema_release(&job->schema);
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct json_job job = {.sink = sink, .text = (const char *)input_bytes(in), .length = in->size_bytes};

	if (!job.text)
		return -ENOMEM;
	if (job.length >= 3 && memcmp(job.text, "\xEF\xBB\xBF", 3) == 0) {
		job.text += 3;
		job.length -= 3;
	}
	return extract_job(&job, strcmp(in->media_type, "application/x-ndjson") == 0);
}

static const char *const media_types[] = {"application/json",	 "application/x-ndjson",    "application/geo+json",
					  "application/ld+json", "application/schema+json", NULL};

const struct extractor extractor_json = {.name = "json", .version = 1, .media_types = media_types, .extract = extract};
