#include "extractd/worker/formats/json_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"

struct json_column {
	struct table_link link; /* in names */
	size_t index;
	uint64_t last_row; /* the last row that had it, from 1 */
};

static const size_t no_column = SIZE_MAX;

int json_rows_init(struct json_rows *rows, bool is_lines)
{
	*rows = (struct json_rows){.is_lines = is_lines, .column = no_column};
	dataset_init(&rows->dataset);
	return table_init(&rows->names, 64);
}

void json_rows_release(struct json_rows *rows)
{
	for (size_t i = 0; i < rows->dataset.count; i++)
		free(rows->columns[i]);
	free(rows->columns);
	table_release(&rows->names);
	dataset_release(&rows->dataset);
}

/* --- columns --- */

static bool is_column_named(const struct json_rows *rows, size_t index, const char *name, size_t length)
{
	const char *known = rows->dataset.columns[index].name;

	return strncmp(known, name, length) == 0 && known[length] == '\0';
}

static size_t find_column(const struct json_rows *rows, const char *name, size_t length, uint64_t hash)
{
	for (struct table_link *link = table_find(&rows->names, hash); link; link = table_next(link)) {
		size_t index = container_of(link, struct json_column, link)->index;

		if (is_column_named(rows, index, name, length))
			return index;
	}
	return no_column;
}

static int grow_columns(struct json_rows *rows)
{
	size_t capacity = rows->capacity > 0 ? rows->capacity * 2 : 16;
	struct json_column **columns;

	if (rows->dataset.count < rows->capacity)
		return 0;
	columns = reallocarray(rows->columns, capacity, sizeof(*columns));
	if (!columns)
		return -ENOMEM;
	rows->columns = columns;
	rows->capacity = capacity;
	return 0;
}

static int add_column(struct json_rows *rows, const char *name, size_t length, uint64_t hash)
{
	size_t index = rows->dataset.count;
	struct json_column *column;
	int r = grow_columns(rows);

	if (r < 0)
		return r;
	column = calloc(1, sizeof(*column));
	if (!column)
		return -ENOMEM;
	column->index = index;
	/* What a thousand columns may keep of their values is less than what ten may. */
	rows->dataset.distinct_max = index < DATASET_DISTINCT_TOTAL / DATASET_DISTINCT_MAX ? DATASET_DISTINCT_MAX
											   : DATASET_DISTINCT_MAX / 64;
	r = dataset_add_column(&rows->dataset, name, length);
	if (r < 0) {
		free(column);
		return r;
	}
	rows->columns[index] = column;
	table_add(&rows->names, &column->link, hash);
	return 0;
}

static int choose_column(struct json_rows *rows, const char *name, size_t length)
{
	size_t index = rows->expected;
	uint64_t hash = 0;

	/* As the dataset will keep it: short, and text for C. */
	length = strnlen(name, utf8_cut(name, length, DATASET_NAME_MAX));
	if (length == 0) {
		name = "(empty)";
		length = strlen(name);
	}
	if (index >= rows->dataset.count || !is_column_named(rows, index, name, length)) {
		hash = table_hash_bytes(name, length, 0);
		index = find_column(rows, name, length, hash);
	}
	if (index == no_column && rows->dataset.count >= JSON_COLUMNS_MAX) {
		rows->has_lost_columns = true;
		rows->column = no_column;
		return 0;
	}
	if (index == no_column) {
		int r = add_column(rows, name, length, hash);

		if (r < 0)
			return r;
		index = rows->dataset.count - 1;
	}
	rows->expected = index + 1;
	/* A name that stands twice in one object counts once. */
	rows->column = rows->columns[index]->last_row == rows->dataset.rows + 1 ? no_column : index;
	rows->columns[index]->last_row = rows->dataset.rows + 1;
	return 0;
}

static void observe(struct json_rows *rows, enum value_kind kind, const char *text, size_t length)
{
	if (rows->column != no_column)
		column_observe_kind(&rows->dataset.columns[rows->column].column, kind, text, length);
	rows->column = no_column;
}

/* --- events --- */

static int put_scalar(struct json_rows *rows, struct json_reader *reader, enum json_event event)
{
	const char *text = reader->token;
	size_t length = reader->token_length;
	enum value_kind kind;

	switch (event) {
	case JSON_NUMBER:
		observe(rows, VALUE_KIND_COUNT, text, length);
		return 0;
	case JSON_NULL:
		observe(rows, VALUE_NULL, "", 0);
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		observe(rows, VALUE_BOOL, text, length);
		return 0;
	default:
		break;
	}
	text = json_reader_text(reader, &length);
	if (!text)
		return -ENOMEM;
	kind = value_date_kind(text, length);
	observe(rows, kind, text, length);
	return 0;
}

static void end_row(struct json_rows *rows)
{
	rows->is_in_row = false;
	rows->dataset.rows++;
	rows->column = no_column;
}

/* A container begins: the array of rows, a row, a nested value, or something that matters not. */
static void begin(struct json_rows *rows, struct json_reader *reader, bool is_object)
{
	if (rows->is_in_row) {
		if (rows->depth == rows->row_depth)
			rows->nested = reader->token;
	} else if (rows->is_lines) {
		rows->is_in_row = is_object && rows->depth == 0;
		rows->is_found |= rows->is_in_row;
		rows->row_depth = 1;
	} else if (!rows->is_found && !rows->is_done && rows->depth <= 1 && !is_object) {
		rows->is_found = true; /* until it turns out to hold no objects */
		rows->row_depth = rows->depth + 2;
	} else if (rows->is_found && !rows->is_done && rows->depth + 1 == rows->row_depth) {
		rows->is_in_row = is_object;
		rows->others += !is_object;
	}
	if (rows->is_in_row && rows->depth + 1 == rows->row_depth)
		rows->expected = 0;
	rows->depth++;
}

static void end(struct json_rows *rows, const struct json_reader *reader)
{
	rows->depth--;
	if (rows->is_in_row && rows->depth == rows->row_depth) {
		observe(rows, VALUE_TEXT, rows->nested, (size_t)(reader->at - rows->nested));
	} else if (rows->is_in_row && rows->depth + 1 == rows->row_depth) {
		end_row(rows);
	} else if (!rows->is_lines && rows->is_found && !rows->is_done && rows->depth + 2 == rows->row_depth) {
		/* The array is over: the rows, or one without objects, and the next may be them. */
		rows->is_done = rows->dataset.rows > 0;
		rows->is_found = rows->is_done;
		if (!rows->is_done)
			rows->others = 0;
	}
}

int json_rows_put(struct json_rows *rows, struct json_reader *reader, enum json_event event)
{
	switch (event) {
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN:
		begin(rows, reader, event == JSON_OBJECT_BEGIN);
		return 0;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		end(rows, reader);
		return 0;
	default:
		break;
	}
	if (rows->is_in_row && rows->depth == rows->row_depth) {
		size_t length;
		const char *name;

		if (event != JSON_KEY)
			return put_scalar(rows, reader, event);
		name = json_reader_text(reader, &length);
		return name ? choose_column(rows, name, length) : -ENOMEM;
	}
	if (rows->is_found && !rows->is_done && !rows->is_in_row && rows->depth + 1 == rows->row_depth)
		rows->others++;
	return 0;
}

void json_rows_abandon(struct json_rows *rows)
{
	if (rows->is_in_row)
		end_row(rows);
	rows->depth = 0;
}

bool json_rows_finish(struct json_rows *rows)
{
	for (size_t i = 0; i < rows->dataset.count; i++) {
		struct column *column = &rows->dataset.columns[i].column;

		if (column->rows < rows->dataset.rows)
			column_observe_nulls(column, rows->dataset.rows - column->rows);
	}
	return rows->dataset.rows > 0;
}
