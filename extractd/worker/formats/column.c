#include "extractd/worker/formats/column.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/column_inside.h"

void column_init(struct column *column, uint32_t distinct_max)
{
	*column = (struct column){
		.integer_min = INT64_MAX,
		.integer_max = INT64_MIN,
		.unsigned_min = UINT64_MAX,
		.number_min = (double)INFINITY,
		.number_max = -(double)INFINITY,
		.text_min_key = UINT64_MAX,
	};
	distinct_init(&column->distinct, distinct_max);
}

void column_release(struct column *column)
{
	distinct_release(&column->distinct);
	free(column->texts);
	column->texts = NULL;
}

/* --- minimum and maximum of the text, by bytes --- */

static int compare_texts(const char *one, size_t one_length, const char *two, size_t two_length)
{
	size_t shorter = one_length < two_length ? one_length : two_length;
	int order = memcmp(one, two, shorter);

	return order != 0 ? order : (one_length > two_length) - (one_length < two_length);
}

__attribute__((noinline)) void column_widen_text_range(struct column *column, const char *text, size_t length)
{
	size_t kept = length < COLUMN_TEXT_MAX ? length : COLUMN_TEXT_MAX;

	if (!column->texts)
		column->texts = malloc(2UL * COLUMN_TEXT_MAX);
	if (!column->texts)
		return;
	if (!column->has_text_range || compare_texts(text, kept, column->texts, column->min_length) < 0) {
		memcpy(column->texts, text, kept);
		column->min_length = (uint8_t)kept;
		column->text_min_key = column_text_key(text, length);
	}
	if (!column->has_text_range ||
	    compare_texts(text, kept, column->texts + COLUMN_TEXT_MAX, column->max_length) > 0) {
		memcpy(column->texts + COLUMN_TEXT_MAX, text, kept);
		column->max_length = (uint8_t)kept;
		column->text_max_key = column_text_key(text, length);
	}
	column->has_text_range = true;
}

/* --- what a single value adds --- */

static void learn_number(struct column *column, const struct value *value)
{
	if (value->number < column->number_min)
		column->number_min = value->number;
	if (value->number > column->number_max)
		column->number_max = value->number;
	if (value->kind == VALUE_INTEGER) {
		if (value->integer < column->integer_min)
			column->integer_min = value->integer;
		if (value->integer > column->integer_max)
			column->integer_max = value->integer;
	} else if (value->kind == VALUE_UINT64) {
		if (value->unsigned_integer < column->unsigned_min)
			column->unsigned_min = value->unsigned_integer;
		if (value->unsigned_integer > column->unsigned_max)
			column->unsigned_max = value->unsigned_integer;
	}
	column->has_leading_zero |= value->has_leading_zero;
	column->has_exponent |= value->has_exponent;
	if (value->scale > column->scale_max)
		column->scale_max = value->scale;
}

/* Everything but how often it occurs. */
static void learn(struct column *column, const struct value *value, const char *text, size_t length)
{
	if ((column->kinds & ~(unsigned)KINDS_WHOLE) == 0)
		column->is_wide_first |= value->kind == VALUE_UINT64 || value->kind == VALUE_HUGE_INTEGER;
	if (!column->has_point_number)
		column->is_huge_first |= value->kind == VALUE_HUGE_INTEGER && value->number > 0;
	column->has_point_number |= value->kind == VALUE_FLOAT && *text != '-';
	column->kinds |= KIND(value->kind);
	if (value->kind == VALUE_NULL)
		return;
	if (value->kind >= VALUE_BOOL && value->kind <= VALUE_FLOAT)
		learn_number(column, value);
	column_observe_text_range(column, text, length);
}

/* --- values one by one --- */

void column_settle(struct column *column)
{
	struct distinct *set = &column->distinct;

	for (size_t i = 0; set->buckets && i <= set->bucket_mask; i++) {
		for (unsigned way = 0; way < DISTINCT_WAYS && set->buckets[i].hash[way] != 0; way++) {
			const struct distinct_value *value = &set->values[i * DISTINCT_WAYS + way];
			uint64_t count = set->buckets[i].count[way];

			if (value->kind == VALUE_NULL)
				column->nulls += count;
			else
				column->number_sum += value->number * (double)count;
			set->buckets[i].count[way] = 0;
		}
	}
	column->settled_rows = column->rows;
}

static void add_to_sums(struct column *column, const struct value *value)
{
	if (value->kind == VALUE_NULL)
		column->nulls++;
	else
		column->number_sum += value->number;
}

/* A value that is in the sample belongs there; one that makes it too large halves it. */
__attribute__((noinline)) void column_add_to_sample(struct column *column, uint64_t hash)
{
	struct distinct *set = &column->distinct;

	while (distinct_is_sampled(set, hash) && !distinct_count(set, hash) && !distinct_add(set, hash, 0, 0))
		distinct_thin_out(set);
}

/* A value that is not in the exact set. */
__attribute__((noinline)) void column_observe_new(struct column *column, const struct value *value, uint64_t hash,
						  const char *text, size_t length)
{
	learn(column, value, text, length);
	if (distinct_add(&column->distinct, hash, value->number, value->kind))
		return;
	column_settle(column);
	distinct_thin_out(&column->distinct);
	add_to_sums(column, value);
	column_sample(column, hash);
}

void column_observe_slowly(struct column *column, const char *text, size_t length)
{
	struct value value;

	value_classify(text, length, &value);
	learn(column, &value, text, length);
	add_to_sums(column, &value);
}

void column_observe_kind(struct column *column, enum value_kind kind, const char *text, size_t length)
{
	struct value value = {.kind = kind};
	char padded[32] = {0};
	uint64_t hash;

	if (length <= 16) {
		memcpy(padded, text, length);
		text = padded;
	}
	column->rows++;
	if (column->rows - column->settled_rows > UINT32_MAX / 2)
		column_settle(column);
	if (kind == VALUE_KIND_COUNT)
		value_classify(text, length, &value);
	/* One text of two kinds, "1" as a number and as a string, is two values. */
	hash = column_hash(text, length) ^ (kind == VALUE_TEXT ? 0x5bd1e995U : 0);
	if (column->distinct.is_sample) {
		learn(column, &value, text, length);
		add_to_sums(column, &value);
		column_sample(column, hash);
	} else if (!distinct_count(&column->distinct, hash)) {
		column_observe_new(column, &value, hash, text, length);
	}
}

void column_observe_text(struct column *column, const char *text, size_t length)
{
	column_observe_kind(column, VALUE_KIND_COUNT, text, length);
}

void column_observe_nulls(struct column *column, uint64_t count)
{
	if (count == 0)
		return;
	column->rows += count;
	column->nulls += count;
	column->kinds |= KIND(VALUE_NULL);
}
