/*
 * libFuzzer: the JSON reader, the schema and the rows made of its events. The first byte chooses document or lines.
 *
 * Beyond not crashing: what json_check() of shared/base takes this reader takes too, and what is told is JSON.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/json_rows.h"
#include "extractd/worker/formats/json_schema.h"
#include "shared/base/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void read_value(const char *text, size_t length, struct json_schema *schema, struct json_rows *rows)
{
	struct json_reader reader;
	enum json_event event;
	enum json_kind kind;
	int r;

	json_reader_init(&reader, text, length);
	while ((r = json_reader_next(&reader, &event)) > 0) {
		size_t text_length;

		if ((event == JSON_STRING || event == JSON_KEY) && !json_reader_text(&reader, &text_length))
			abort();
		json_schema_put(schema, &reader, event);
		json_rows_put(rows, &reader, event);
	}
	if (r < 0) {
		json_schema_abandon(schema);
		json_rows_abandon(rows);
		if (json_check(text, length, JSON_DEPTH_LIMIT, &kind) == 0)
			abort();
	}
	json_reader_release(&reader);
}

static void check_told(const struct buf *json)
{
	enum json_kind kind;

	if (buf_error(json) == 0 && json_check(json->data, json->length, 100, &kind) < 0)
		abort();
}

static void tell(const struct json_schema *schema, struct json_rows *rows)
{
	autobuf struct buf json = BUF_INIT(SCHEMA_JSON_MAX), table = BUF_INIT(4 << 20), summary = BUF_INIT(4 << 20);

	json_schema_tell(schema, &json);
	check_told(&json);
	if (!json_rows_finish(rows))
		return;
	buf_putc(&table, '{');
	dataset_tell(&rows->dataset, &table, &summary);
	buf_putc(&table, '}');
	check_told(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *at = (const char *)bytes + 1, *end = (const char *)bytes + length;
	struct json_schema schema;
	struct json_rows rows;
	bool is_lines;

	if (length < 1)
		return 0;
	is_lines = bytes[0] & 1;
	if (json_schema_init(&schema) < 0 || json_rows_init(&rows, is_lines) < 0)
		abort();
	while (at < end) {
		const char *newline = is_lines ? memchr(at, '\n', (size_t)(end - at)) : NULL;

		read_value(at, (size_t)((newline ? newline : end) - at), &schema, &rows);
		at = newline ? newline + 1 : end;
	}
	tell(&schema, &rows);
	json_rows_release(&rows);
	json_schema_release(&schema);
	return 0;
}
