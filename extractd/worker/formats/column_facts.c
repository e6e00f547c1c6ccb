/* What a column turned out to be, and how it is told. */
#include "extractd/worker/formats/column.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "shared/base/text.h"

#define KIND(kind) (1U << (kind))

enum {
	KINDS_WHOLE = KIND(VALUE_INTEGER) | KIND(VALUE_UINT64) | KIND(VALUE_HUGE_INTEGER),
	KINDS_NUMBER = KINDS_WHOLE | KIND(VALUE_FLOAT),
	KINDS_LOCAL_TIME = KIND(VALUE_DATE) | KIND(VALUE_DATETIME),
	KINDS_TIME = KINDS_LOCAL_TIME | KIND(VALUE_DATETIME_UTC) | KIND(VALUE_DATETIME_ZONE),
};

static bool is_all(uint32_t kinds, uint32_t wanted)
{
	return kinds != 0 && (kinds & ~wanted) == 0;
}

/*
 * What read_csv makes of numbers. It tries int64 value by value until one is something else: no whole number, then it
 * tries float64, which takes everything; or too wide, then it tries uint64. That passes over whatever has a minus,
 * fails for good at what is still too wide, and leaves it to float64 at a point. When it comes to the end, a minus or a
 * null that it passed over makes the column an object.
 */
static const char *number_dtype(const struct column *column, uint32_t kinds, bool has_nulls)
{
	if (!column->is_wide_first)
		return is_all(kinds, KINDS_WHOLE) && !has_nulls ? "int64" : "float64";
	if (column->is_huge_first)
		return "object";
	if (column->has_point_number)
		return "float64";
	return has_nulls || column->number_min < 0 ? "object" : "uint64";
}

static const char *dtype_of(const struct column *column)
{
	uint32_t kinds = column->kinds & ~KIND(VALUE_NULL);
	bool has_nulls = column->kinds & KIND(VALUE_NULL);

	if (column->rows == 0)
		return "object";
	if (kinds == 0)
		return "float64";
	if (is_all(kinds, KIND(VALUE_BOOL)) && !has_nulls)
		return "bool";
	if (column->bools_are_numbers && is_all(kinds, KINDS_NUMBER | KIND(VALUE_BOOL)))
		kinds = (kinds & ~KIND(VALUE_BOOL)) | KIND(VALUE_INTEGER);
	if (is_all(kinds, KINDS_NUMBER))
		return number_dtype(column, kinds, has_nulls);
	if (is_all(kinds, KINDS_LOCAL_TIME))
		return "datetime64[ns]";
	if (is_all(kinds, KIND(VALUE_DATETIME_UTC)))
		return "datetime64[ns, UTC]";
	return "object";
}

static const char *exact_type_of(const struct column *column)
{
	uint32_t kinds = column->kinds & ~KIND(VALUE_NULL);

	if (kinds == 0)
		return "empty";
	if (is_all(kinds, KINDS_WHOLE))
		return column->has_leading_zero ? "digits" : "integer";
	if (is_all(kinds, KINDS_NUMBER))
		return column->has_exponent ? "float" : "decimal";
	if (is_all(kinds, KIND(VALUE_BOOL)))
		return "boolean";
	if (is_all(kinds, KIND(VALUE_DATE)))
		return "date";
	if (is_all(kinds, KINDS_LOCAL_TIME))
		return "datetime";
	return is_all(kinds, KINDS_TIME) ? "datetime_zone" : "text";
}

/* NA tokens are values of the set, but none of the column. */
static uint64_t count_null_tokens(const struct distinct *set)
{
	uint64_t tokens = 0;

	for (size_t i = 0; set->buckets && i <= set->bucket_mask; i++)
		for (unsigned way = 0; way < DISTINCT_WAYS && set->buckets[i].hash[way] != 0; way++)
			tokens += set->values[i * DISTINCT_WAYS + way].kind == VALUE_NULL;
	return tokens;
}

void column_finish(struct column *column, struct column_facts *ret_facts)
{
	struct column_facts facts = {.dtype = dtype_of(column), .exact_type = exact_type_of(column)};

	facts.is_numeric = is_all(column->kinds & ~KIND(VALUE_NULL), KINDS_NUMBER);
	facts.distinct_is_unknown = column->distinct.is_unknown;
	facts.distinct_is_estimate = column->distinct.is_sample;
	facts.distinct = distinct_estimate(&column->distinct);
	if (!column->distinct.is_sample) {
		column_settle(column);
		facts.distinct -= count_null_tokens(&column->distinct);
	}
	facts.rows = column->rows;
	facts.nulls = column->nulls;
	if (is_all(column->kinds & ~KIND(VALUE_NULL), KIND(VALUE_BOOL))) /* however they are written */
		facts.distinct = column->number_min < column->number_max ? 2 : 1;
	if (facts.distinct > facts.rows - facts.nulls)
		facts.distinct = facts.rows - facts.nulls;
	*ret_facts = facts;
}

/* The shortest text that reads back as the same number. */
static int put_number(struct buf *buf, double number)
{
	char text[40];

	if (!isfinite(number))
		return buf_puts(buf, isnan(number) ? "null" : number > 0 ? "\"inf\"" : "\"-inf\"");
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return buf_puts(buf, text);
}

static void put_text(struct buf *buf, const char *key, const char *text, size_t length)
{
	json_put_key(buf, key);
	/* A text that fills its place may have been cut inside a character. */
	while (length > 0 && length == COLUMN_TEXT_MAX && !utf8_is_valid(text, length) &&
	       utf8_is_valid(text, utf8_cut(text, length, length - 1)))
		length = utf8_cut(text, length, length - 1);
	json_put_string(buf, text, length);
}

static void put_number_range(const struct column *column, struct buf *buf)
{
	bool is_whole = (column->kinds & (KIND(VALUE_FLOAT) | KIND(VALUE_HUGE_INTEGER))) == 0;
	bool has_signed = column->kinds & KIND(VALUE_INTEGER);

	json_put_key(buf, "min");
	if (is_whole && has_signed)
		buf_printf(buf, "%" PRId64, column->integer_min);
	else if (is_whole)
		buf_printf(buf, "%" PRIu64, column->unsigned_min);
	else
		put_number(buf, column->number_min);
	json_put_key(buf, "max");
	if (is_whole && column->kinds & KIND(VALUE_UINT64))
		buf_printf(buf, "%" PRIu64, column->unsigned_max);
	else if (is_whole)
		buf_printf(buf, "%" PRId64, column->integer_max);
	else
		put_number(buf, column->number_max);
}

int column_put_json(const struct column *column, const struct column_facts *facts, const char *name, size_t name_length,
		    struct buf *buf)
{
	buf_puts(buf, "{\"name\":");
	json_put_string(buf, name, name_length);
	buf_printf(buf, ",\"dtype\":\"%s\",\"exact_type\":\"%s\",\"nulls\":%" PRIu64, facts->dtype, facts->exact_type,
		   facts->nulls);
	if (!facts->distinct_is_unknown)
		buf_printf(buf, ",\"distinct\":%" PRIu64, facts->distinct);
	if (facts->distinct_is_estimate && !facts->distinct_is_unknown)
		buf_puts(buf, ",\"distinct_is_estimate\":true");
	if (facts->is_numeric) {
		put_number_range(column, buf);
		json_put_key(buf, "mean");
		put_number(buf, column->number_sum / (double)(facts->rows - facts->nulls));
	} else if (column->has_text_range && !column->is_text_range_partial) {
		put_text(buf, "min", column->texts, column->min_length);
		put_text(buf, "max", column->texts + COLUMN_TEXT_MAX, column->max_length);
	}
	return buf_putc(buf, '}');
}
