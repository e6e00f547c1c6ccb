#include "extractd/worker/sink_output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "shared/base/clock.h"
#include "shared/base/extraction.h"
#include "shared/base/json_check.h"
#include "shared/base/text.h"

enum { WARNINGS_MAX = 100, WARNING_MAX_BYTES = 500, REASONS_MAX = 20, SMALL_BUF_MAX = 256 << 10 };

void sink_budget_init(struct sink_budget *budget, const struct limits *limits)
{
	*budget = (struct sink_budget){
		.limits = *limits,
		.data_left = limits->data_bytes,
		.stop_at_ns = clock_monotonic_ns() + (int64_t)limits->time_ms * NS_PER_MS / 5 * 4,
	};
}

void sink_init(struct sink *sink, struct sink_budget *budget, struct sink *container, const struct sink_output *output)
{
	*sink = (struct sink){
		.top = container ? container->top : sink,
		.budget = budget,
		.text = BUF_INIT(budget->limits.text_bytes + sizeof(sink->cut)),
		.metadata = BUF_INIT(budget->limits.data_bytes),
		.data = BUF_INIT(budget->limits.data_bytes),
		.warnings = BUF_INIT(SMALL_BUF_MAX),
		.reasons = BUF_INIT(SMALL_BUF_MAX),
		.terminal = BUF_INIT(WARNING_MAX_BYTES),
		.confidence = FRAME_CONFIDENCE_MAX,
	};
	if (output)
		sink->output = *output;
}

void sink_release(struct sink *sink)
{
	buf_release(&sink->text);
	buf_release(&sink->metadata);
	buf_release(&sink->data);
	buf_release(&sink->warnings);
	buf_release(&sink->reasons);
	buf_release(&sink->terminal);
}

int sink_put(struct sink *sink, enum frame_type type, const void *payload, size_t length)
{
	struct sink *top = sink->top;

	if (top->error == 0)
		top->error = top->output.put(top->output.context, type, payload, length);
	return top->error;
}

bool sink_should_stop(struct sink *sink)
{
	struct sink_budget *budget = sink->budget;

	if (budget->is_out_of_time)
		return true;
	if (clock_monotonic_ns() < budget->stop_at_ns)
		return false;
	budget->is_out_of_time = true;
	sink_warning(sink, "the time limit of %u s is near, the rest is left out", budget->limits.time_ms / 1000);
	return true;
}

int sink_charge(struct sink *sink, uint64_t inflated_bytes)
{
	struct sink_budget *budget = sink->budget;

	if (inflated_bytes <= budget->limits.inflated_bytes) {
		budget->limits.inflated_bytes -= inflated_bytes;
		return 0;
	}
	budget->limits.inflated_bytes = 0;
	if (!budget->is_out_of_inflation)
		sink_warning(sink, "more comes out of the compressed parts than is allowed, the rest is left out");
	budget->is_out_of_inflation = true;
	return -EFBIG;
}

/* --- metadata and data ------------------------------------------------------------------------------------------ */

static int refuse_data(struct sink *sink, const char *what)
{
	if (!sink->budget->is_out_of_data)
		sink_warning(sink, "%s", what);
	sink->budget->is_out_of_data = true;
	return 1;
}

static int put_object(struct sink *sink, enum frame_type type, const char *json, size_t length)
{
	struct sink_budget *budget = sink->budget;

	if (sink->top->error < 0)
		return sink->top->error;
	if (length > budget->data_left || length > FRAME_PAYLOAD_MAX)
		return refuse_data(sink, "there is more structured data than is allowed, a part is left out");
	budget->data_left -= length;
	if (sink != sink->top)
		return json_merge_members(type == FRAME_DATA ? &sink->data : &sink->metadata, json, length);
	return sink_put(sink, type, json, length);
}

/* An extractor that builds wrong JSON loses that part, not the whole file. */
static int put_checked(struct sink *sink, enum frame_type type, const char *json, size_t length)
{
	enum json_kind kind;
	int r = json_check(json, length, FRAME_JSON_DEPTH - 4, &kind);

	if (r < 0 || kind != JSON_KIND_OBJECT) {
		sink_warning(sink, "%s could not be represented and is left out",
			     type == FRAME_DATA ? "structured data" : "metadata");
		return 1;
	}
	return put_object(sink, type, json, length);
}

int sink_metadata(struct sink *sink, const char *json, size_t length)
{
	static const char language_key[] = "\"dc:language\"";

	if (memmem(json, length, language_key, sizeof(language_key) - 1))
		sink->has_language = true;
	return put_checked(sink, FRAME_METADATA, json, length);
}

int sink_metadata_text(struct sink *sink, const char *key, const char *value)
{
	autobuf struct buf object = BUF_INIT(FRAME_PAYLOAD_MAX);

	if (!value || !*value)
		return 0;
	buf_putc(&object, '{');
	json_put_key(&object, key);
	json_put_string(&object, value, strlen(value));
	if (buf_putc(&object, '}') < 0)
		return refuse_data(sink, "a value of the metadata is too long and is left out");
	return sink_metadata(sink, object.data, object.length);
}

int sink_metadata_number(struct sink *sink, const char *key, int64_t value)
{
	autobuf struct buf object = BUF_INIT(FRAME_PAYLOAD_MAX);

	buf_putc(&object, '{');
	json_put_key(&object, key);
	buf_printf(&object, "%lld}", (long long)value);
	return buf_error(&object) < 0 ? buf_error(&object) : sink_metadata(sink, object.data, object.length);
}

int sink_data(struct sink *sink, const char *json, size_t length)
{
	return put_checked(sink, FRAME_DATA, json, length);
}

int sink_data_member(struct sink *sink, const char *key, const char *json_value, size_t length)
{
	autobuf struct buf object = BUF_INIT(FRAME_PAYLOAD_MAX);

	buf_putc(&object, '{');
	json_put_key(&object, key);
	buf_append(&object, json_value, length);
	if (buf_putc(&object, '}') < 0)
		return refuse_data(sink, "there is more structured data than is allowed, a part is left out");
	return sink_data(sink, object.data, object.length);
}

/* --- remarks ---------------------------------------------------------------------------------------------------- */

/* Remarks quote names out of the file: made valid and short here. The result is the length used of line. */
static size_t format_remark(char line[WARNING_MAX_BYTES * 3], const char *format, va_list arguments)
{
	char raw[WARNING_MAX_BYTES];
	size_t used = 0;

	vsnprintf(raw, sizeof(raw), format, arguments);
	for (const char *at = raw; *at;) {
		size_t left = strlen(at), step = 1;

		while (step < 4 && step < left && !utf8_is_valid(at, step))
			step++;
		if (utf8_is_valid(at, step) && ((unsigned char)*at >= ' ' && *at != 0x7F)) {
			memcpy(line + used, at, step);
			used += step;
		} else {
			step = 1;
			memcpy(line + used, "\xEF\xBF\xBD", 3);
			used += 3;
		}
		at += step;
	}
	return used;
}

static void add_element(struct buf *array, const char *text, size_t length)
{
	if (array->length > 0)
		buf_putc(array, ',');
	json_put_string(array, text, length);
}

static void put_warning(struct sink *sink, const char *line, size_t length)
{
	if (sink != sink->top)
		add_element(&sink->warnings, line, length);
	else
		sink_put(sink, FRAME_WARNING, line, length);
}

void sink_warning(struct sink *sink, const char *format, ...)
{
	static const char more[] = "there are more warnings than are kept";
	char line[WARNING_MAX_BYTES * 3];
	va_list arguments;
	size_t length;

	if (sink->warning_count > WARNINGS_MAX)
		return;
	if (sink->warning_count++ == WARNINGS_MAX) {
		put_warning(sink, more, sizeof(more) - 1);
		return;
	}
	va_start(arguments, format);
	length = format_remark(line, format, arguments);
	va_end(arguments);
	put_warning(sink, line, length);
}

int sink_error(struct sink *sink, const char *format, ...)
{
	char line[WARNING_MAX_BYTES * 3];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = format_remark(line, format, arguments);
	va_end(arguments);
	buf_reset(&sink->terminal);
	buf_append(&sink->terminal, line, utf8_cut(line, length, WARNING_MAX_BYTES - 1));
	return -EBADMSG;
}

void sink_confidence(struct sink *sink, unsigned permille, const char *why)
{
	if (permille < sink->confidence)
		sink->confidence = permille;
	add_element(&sink->reasons, why, strlen(why));
}

void sink_letters(struct sink *sink, const uint64_t letters[SINK_LETTERS])
{
	memcpy(sink->letters, letters, sizeof(sink->letters));
	sink->has_letters = true;
}

void sink_want_ocr(struct sink *sink)
{
	sink->top->wants_ocr = true;
}

void sink_is_not_prose(struct sink *sink)
{
	sink->is_not_prose = true;
}

int sink_summary(struct sink *sink, const char *markdown, size_t length)
{
	autobuf struct buf clean = BUF_INIT(FRAME_PAYLOAD_MAX);

	if (sink != sink->top)
		return 0;
	length = utf8_cut(markdown, length, FRAME_PAYLOAD_MAX);
	if (utf8_is_valid(markdown, length) && !memchr(markdown, '\0', length))
		return sink_put(sink, FRAME_SUMMARY, markdown, length);
	sink_warning(sink, "the summary could not be represented and is left out");
	return 1;
}
