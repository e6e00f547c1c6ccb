#include "extractd/worker/formats/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/base/table.h"
#include "shared/base/text.h"

void dataset_init(struct dataset *dataset)
{
	*dataset = (struct dataset){.distinct_max = DATASET_DISTINCT_MAX};
}

void dataset_release(struct dataset *dataset)
{
	for (size_t i = 0; i < dataset->count; i++) {
		column_release(&dataset->columns[i].column);
		free(dataset->columns[i].name);
	}
	free(dataset->columns);
	*dataset = (struct dataset){0};
}

static int reserve(struct dataset *dataset, size_t count)
{
	size_t capacity = dataset->capacity > 0 ? dataset->capacity : 16;
	struct dataset_column *columns;

	while (capacity < count)
		capacity *= 2;
	if (capacity == dataset->capacity)
		return 0;
	columns = reallocarray(dataset->columns, capacity, sizeof(*columns));
	if (!columns)
		return -ENOMEM;
	dataset->columns = columns;
	dataset->capacity = capacity;
	return 0;
}

/* name need not end in NUL. */
static char *copy_name(const char *name, size_t length)
{
	size_t kept = utf8_cut(name, length, DATASET_NAME_MAX);
	char *copy = malloc(kept + 1);

	if (!copy)
		return NULL;
	memcpy(copy, name, kept);
	copy[kept] = '\0';
	return copy;
}

int dataset_add_column(struct dataset *dataset, const char *name, size_t length)
{
	struct dataset_column *column;
	char *copy = NULL;
	int r = reserve(dataset, dataset->count + 1);

	if (r < 0)
		return r;
	if (name && length > 0)
		copy = copy_name(name, length);
	else if (asprintf(&copy, "Unnamed: %zu", dataset->count) < 0)
		copy = NULL;
	if (!copy)
		return -ENOMEM;
	column = &dataset->columns[dataset->count++];
	column->name = copy;
	column_init(&column->column, (uint32_t)dataset->distinct_max);
	column->column.bools_are_numbers = dataset->bools_are_numbers;
	column_observe_nulls(&column->column, dataset->rows);
	return 0;
}

/* --- names: each only once, as pandas numbers them --- */

struct seen_name {
	struct table_link link;
	const char *name;
	size_t next; /* the number for its next occurrence */
};

static struct seen_name *find_name(const struct table *table, const char *name)
{
	uint64_t hash = table_hash_bytes(name, strlen(name), 0);

	for (struct table_link *link = table_find(table, hash); link; link = table_next(link)) {
		struct seen_name *seen = container_of(link, struct seen_name, link);

		if (strcmp(seen->name, name) == 0)
			return seen;
	}
	return NULL;
}

/* a, a → a, a.1; and on to a.2 where a.1 stands in the header as well. */
static int rename_twin(const struct table *table, struct seen_name *first, char **name)
{
	for (;;) {
		char *candidate;

		if (asprintf(&candidate, "%s.%zu", *name, first->next++) < 0)
			return -ENOMEM;
		if (!find_name(table, candidate)) {
			free(*name);
			*name = candidate;
			return 0;
		}
		free(candidate);
	}
}

static int make_names_unique(struct dataset *dataset)
{
	autofree struct seen_name *seen = calloc(dataset->count, sizeof(*seen));
	struct table table;
	int r = seen ? table_init(&table, dataset->count) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; i < dataset->count && r == 0; i++) {
		struct seen_name *twin = find_name(&table, dataset->columns[i].name);

		if (twin)
			r = rename_twin(&table, twin, &dataset->columns[i].name);
		seen[i] = (struct seen_name){.name = dataset->columns[i].name, .next = 1};
		table_add(&table, &seen[i].link, table_hash_bytes(seen[i].name, strlen(seen[i].name), 0));
	}
	table_release(&table);
	return r;
}

int dataset_set_header_row(struct dataset *dataset, const struct csv_batch *batch)
{
	size_t count = batch->row_starts[1];
	struct csv_field *names = reallocarray(NULL, count + 1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names[i] = csv_cell(&batch->cells, i);
	r = dataset_set_header(dataset, names, count);
	free(names);
	return r;
}

int dataset_set_header(struct dataset *dataset, const struct csv_field *names, size_t count)
{
	int r = 0;

	if (count > DATASET_DISTINCT_TOTAL / DATASET_DISTINCT_MAX)
		dataset->distinct_max = DATASET_DISTINCT_TOTAL / count;
	for (size_t i = 0; i < count && r == 0; i++)
		r = dataset_add_column(dataset, names[i].text, names[i].length);
	return r < 0 || count == 0 ? r : make_names_unique(dataset);
}

/* --- rows --- */

static size_t row_width(const struct csv_batch *batch, size_t row)
{
	return batch->row_starts[row + 1] - batch->row_starts[row];
}

/* How many rows from first on have exactly width fields. */
static size_t even_rows(const struct csv_batch *batch, size_t first, size_t width)
{
	size_t row = first;

	while (row < batch->rows && row_width(batch, row) == width)
		row++;
	return row - first;
}

static int observe_ragged_row(struct dataset *dataset, const struct csv_batch *batch, size_t row)
{
	size_t width = row_width(batch, row), shared;

	while (dataset->count < width) {
		int r = dataset_add_column(dataset, NULL, 0);

		if (r < 0)
			return r;
	}
	shared = width < dataset->count ? width : dataset->count;
	for (size_t i = 0; i < shared; i++)
		column_observe(&dataset->columns[i].column, &batch->cells, batch->row_starts[row] + i, 1, 1);
	for (size_t i = shared; i < dataset->count; i++)
		column_observe_nulls(&dataset->columns[i].column, 1);
	dataset->rows++;
	dataset->ragged_rows++;
	return 0;
}

int dataset_observe(struct dataset *dataset, const struct csv_batch *batch, size_t first_row)
{
	size_t row = first_row;

	while (row < batch->rows) {
		size_t rows = even_rows(batch, row, dataset->count);

		for (size_t i = 0; rows > 0 && i < dataset->count; i++)
			column_observe(&dataset->columns[i].column, &batch->cells, batch->row_starts[row] + i,
				       dataset->count, rows);
		dataset->rows += rows;
		row += rows;
		if (row < batch->rows) {
			int r = observe_ragged_row(dataset, batch, row++);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- telling --- */

/* A name in Markdown, on one line; what could end the bold is escaped. */
static void put_markdown_name(struct buf *buf, const char *name)
{
	for (const char *at = name; *at; at++) {
		if (*at == '\n' || *at == '\r' || *at == '\t')
			buf_putc(buf, ' ');
		else if (*at == '*')
			buf_puts(buf, "\\*");
		else
			buf_putc(buf, *at);
	}
}

static void tell_feature(struct dataset_column *column, struct buf *columns, struct buf *summary)
{
	struct column_facts facts;

	column_finish(&column->column, &facts);
	if (columns->length > 0)
		buf_putc(columns, ',');
	column_put_json(&column->column, &facts, column->name, strlen(column->name), columns);
	buf_puts(summary, "\n- **");
	put_markdown_name(summary, column->name);
	buf_printf(summary, "**: `%s`", facts.dtype);
}

int dataset_tell(struct dataset *dataset, struct buf *members, struct buf *summary)
{
	cleanup(buf_release) struct buf columns = BUF_INIT(DATASET_JSON_MAX * 2);
	size_t told = 0;

	buf_printf(summary,
		   "The dataset has **%" PRIu64 " rows** and **%zu columns**.\n\nIt contains the following features:\n",
		   dataset->rows, dataset->count);
	while (told < dataset->count && columns.length < DATASET_JSON_MAX && summary->length < DATASET_JSON_MAX)
		tell_feature(&dataset->columns[told++], &columns, summary);
	if (told < dataset->count)
		buf_printf(summary, "\n- and %zu more", dataset->count - told);
	json_put_key(members, "rows");
	buf_printf(members, "%" PRIu64 ",\"column_count\":%zu", dataset->rows, dataset->count);
	if (told < dataset->count)
		buf_printf(members, ",\"columns_omitted\":%zu", dataset->count - told);
	if (dataset->ragged_rows > 0)
		buf_printf(members, ",\"ragged_rows\":%" PRIu64, dataset->ragged_rows);
	buf_printf(members, ",\"columns\":[%s]", columns.length > 0 ? columns.data : "");
	return buf_error(&columns) < 0 ? buf_error(&columns) : buf_error(members);
}
