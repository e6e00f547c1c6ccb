/*
 * A column of a dataset, profiled in one pass: what type the whole column has, nulls, distinct values, minimum,
 * maximum, mean. Memory is bounded: up to distinct_max different values are kept as hashes with their counts; beyond
 * that the number of distinct values is estimated by adaptive sampling (Flajolet, 1990), and each value is looked at
 * for itself.
 *
 * While every value seen is kept, a value seen before costs a hash and a count, nothing is parsed. Equal hashes of 64
 * bits are taken for equal values.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/formats/csv_reader.h"
#include "extractd/worker/formats/distinct.h"
#include "extractd/worker/formats/value.h"
#include "shared/base/buf.h"

enum { COLUMN_TEXT_MAX = 64 /* bytes of a minimum or maximum text that are kept */ };

struct column {
	struct distinct distinct; /* while it is exact, its counts are not in nulls and number_sum yet */
	uint32_t kinds;		  /* a bit for each enum value_kind seen */
	bool has_leading_zero, has_exponent;
	bool bools_are_numbers; /* set by the owner: what read_excel does to booleans beside numbers or nulls */
	/* What stands first matters to read_csv (number_dtype() in column_facts.c): a number too wide for int64 before
	 * anything that is no whole number; one too wide for uint64 before a number with a point and without a minus.
	 */
	bool is_wide_first, is_huge_first, has_point_number;
	bool has_text_range;
	bool is_text_range_partial; /* many numbers were not looked at as texts */
	uint8_t scale_max;	    /* digits behind the point */
	uint8_t min_length, max_length;
	uint64_t rows, nulls;
	uint64_t settled_rows; /* the counts of distinct are younger than this row: 32 bits hold them */
	int64_t integer_min, integer_max;
	uint64_t unsigned_min, unsigned_max; /* of VALUE_UINT64 */
	double number_min, number_max, number_sum;
	uint64_t text_min_key, text_max_key; /* the first 8 bytes, big-endian */
	char *texts;			     /* COLUMN_TEXT_MAX of the minimum, then of the maximum */
};

/* What a column is at the end. */
struct column_facts {
	const char *dtype; /* pandas: "int64", "datetime64[ns]" */
	/* What the values are, whatever pandas makes of them: "integer", "digits" (leading zeros), "decimal", "float"
	 * (with exponents), "boolean", "date", "datetime", "datetime_zone", "text", "empty". */
	const char *exact_type;
	bool is_numeric;
	uint64_t rows, nulls, distinct;
	bool distinct_is_estimate, distinct_is_unknown;
};

/* distinct_max: rounded down to a power of two, at least DISTINCT_MIN. Allocates nothing yet. */
void column_init(struct column *column, uint32_t distinct_max);
void column_release(struct column *column);
/* One value each from rows cells, stride cells apart. CSV_SLACK bytes behind each must be readable. */
void column_observe(struct column *column, const struct csv_cells *cells, size_t first, size_t stride, size_t rows);
/* A value from anywhere. */
void column_observe_text(struct column *column, const char *text, size_t length);
/* A value whose kind is known better than its text tells: a date cell, a string cell that looks like a number. */
void column_observe_kind(struct column *column, enum value_kind kind, const char *text, size_t length);
void column_observe_nulls(struct column *column, uint64_t count);

/* Adds what is only counted to nulls and number_sum, and counts anew. The set must be exact. */
void column_settle(struct column *column);
/* Observe nothing afterwards. */
void column_finish(struct column *column, struct column_facts *ret_facts);
/* {"name", "dtype", "exact_type", "nulls", "distinct", "distinct_is_estimate", "min", "max", "mean"}, appended. */
int column_put_json(const struct column *column, const struct column_facts *facts, const char *name, size_t name_length,
		    struct buf *buf);
