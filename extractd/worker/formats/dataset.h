/*
 * A table as a dataset: named columns with their profiles, told as JSON (data) and Markdown (summary). Rows come from
 * CSV, from arrays of JSON objects, from spreadsheets.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/formats/column.h"

enum {
	DATASET_NAME_MAX = 256,		    /* bytes of a column's name that are kept */
	DATASET_DISTINCT_MAX = 4096,	    /* exact distinct values a column */
	DATASET_DISTINCT_TOTAL = 256 << 10, /* and all columns together, 64 bytes each at most */
	DATASET_JSON_MAX = 640 << 10,	    /* of columns told; the rest are counted */
};

struct dataset_column {
	struct column column;
	char *name; /* NUL-terminated */
};

struct dataset {
	struct dataset_column *columns;
	size_t count, capacity;
	size_t distinct_max;	/* a column; fixed when the first columns are made */
	bool bools_are_numbers; /* as in spreadsheets: true beside 2 is 1 (see column.h) */
	uint64_t rows;
	uint64_t ragged_rows; /* with fewer or more fields than the header */
};

void dataset_init(struct dataset *dataset);
void dataset_release(struct dataset *dataset);
/*
 * Names the columns as pandas does: an empty name becomes "Unnamed: 3", a second "a" becomes "a.1". May be called once,
 * before any row. -ENOMEM.
 */
int dataset_set_header(struct dataset *dataset, const struct csv_field *names, size_t count);
int dataset_set_header_row(struct dataset *dataset, const struct csv_batch *batch); /* its first row */
/* A column behind the others, with nulls in the rows so far. name NULL: "Unnamed: N". -ENOMEM. */
int dataset_add_column(struct dataset *dataset, const char *name, size_t length);
/* Rows of fields, each field with CSV_SLACK readable bytes behind it. Wider rows make new columns. -ENOMEM. */
int dataset_observe(struct dataset *dataset, const struct csv_batch *batch, size_t first_row);

/*
 * Appends the members "rows", "column_count", "columns": [{…}…], "ragged_rows" of a JSON object (no braces), and the
 * summary of seed 002. Columns beyond DATASET_JSON_MAX are only counted ("columns_omitted"). Finishes the columns: call
 * once.
 */
int dataset_tell(struct dataset *dataset, struct buf *members, struct buf *summary);
