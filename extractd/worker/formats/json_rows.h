/*
 * Objects as rows of a dataset: the first array of objects at the top of a JSON document or just below it ({"data":
 * [{…}]}), or the lines of JSON Lines. A row's scalars go to the column of their name; what is nested goes there as
 * text.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/formats/dataset.h"
#include "extractd/worker/formats/json_reader.h"
#include "shared/base/table.h"

enum { JSON_COLUMNS_MAX = 10000 };

struct json_column;

struct json_rows {
	struct dataset dataset;
	struct json_column **columns; /* as many as the dataset has */
	size_t capacity;
	struct table names; /* of struct json_column by name */
	bool is_lines;
	bool is_found;	       /* the array of rows has begun, or a line was an object */
	bool is_done;	       /* … and ended */
	bool has_lost_columns; /* a row had more than JSON_COLUMNS_MAX */
	unsigned depth;	       /* of open containers */
	unsigned row_depth;    /* that of the fields of a row */
	bool is_in_row;
	uint64_t others;	 /* elements of the array that are no objects */
	size_t column, expected; /* of the current field (SIZE_MAX: none); the one that would come next */
	const char *nested;	 /* where a nested value begins */
};

int json_rows_init(struct json_rows *rows, bool is_lines); /* -ENOMEM */
void json_rows_release(struct json_rows *rows);
int json_rows_put(struct json_rows *rows, struct json_reader *reader, enum json_event event); /* -ENOMEM */
/* Forgets the row that a broken line left open. */
void json_rows_abandon(struct json_rows *rows);
/* Fills up what rows lacked. False: there were no rows. Afterwards dataset_tell(). */
bool json_rows_finish(struct json_rows *rows);
