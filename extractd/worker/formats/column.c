#include "extractd/worker/formats/column.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define KIND(kind) (1U << (kind))

enum {
	KINDS_INTEGER = KIND(VALUE_INTEGER) | KIND(VALUE_NULL),
	KINDS_FLOAT = KINDS_INTEGER | KIND(VALUE_FLOAT),
	KINDS_WHOLE = KINDS_INTEGER | KIND(VALUE_UINT64) | KIND(VALUE_HUGE_INTEGER),
};

static inline uint64_t load(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return le64toh(word);
}

/* The first bytes of text, length of them at most 8, the rest 0. */
static inline uint64_t load_short(const char *text, size_t length)
{
	uint64_t word = load(text);

	return length >= 8 ? word : word & ((1ULL << (8 * length)) - 1);
}

/* Bit masks for the first n bytes of two words. */
static const uint64_t masks[17][2] = {
#define BYTES(n) ((1ULL << (8 * (n))) - 1)
	{0, 0},
	{BYTES(1), 0},
	{BYTES(2), 0},
	{BYTES(3), 0},
	{BYTES(4), 0},
	{BYTES(5), 0},
	{BYTES(6), 0},
	{BYTES(7), 0},
	{~0ULL, 0},
	{~0ULL, BYTES(1)},
	{~0ULL, BYTES(2)},
	{~0ULL, BYTES(3)},
	{~0ULL, BYTES(4)},
	{~0ULL, BYTES(5)},
	{~0ULL, BYTES(6)},
	{~0ULL, BYTES(7)},
	{~0ULL, ~0ULL},
#undef BYTES
};

/* Never 0. 16 bytes from the text's beginning must be readable. */
static inline uint64_t hash_text(const char *text, size_t length)
{
	unsigned __int128 product;

	if (__builtin_expect(length > 16, 0))
		return XXH3_64bits(text, length) | 1;
	product = (unsigned __int128)((load(text) & masks[length][0]) ^ 0x9E3779B97F4A7C15ULL) *
		  (((load(text + 8) & masks[length][1]) + length) ^ 0xD6E8FEB86659FD93ULL);
	return ((uint64_t)product ^ (uint64_t)(product >> 64)) | 1;
}

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

static inline uint64_t text_key(const char *text, size_t length)
{
	return __builtin_bswap64(load_short(text, length));
}

static int compare_texts(const char *one, size_t one_length, const char *two, size_t two_length)
{
	size_t shorter = one_length < two_length ? one_length : two_length;
	int order = memcmp(one, two, shorter);

	return order != 0 ? order : (one_length > two_length) - (one_length < two_length);
}

static __attribute__((noinline)) void widen_text_range(struct column *column, const char *text, size_t length)
{
	size_t kept = length < COLUMN_TEXT_MAX ? length : COLUMN_TEXT_MAX;

	if (!column->texts)
		column->texts = malloc(2UL * COLUMN_TEXT_MAX);
	if (!column->texts)
		return;
	if (!column->has_text_range || compare_texts(text, kept, column->texts, column->min_length) < 0) {
		memcpy(column->texts, text, kept);
		column->min_length = (uint8_t)kept;
		column->text_min_key = text_key(text, length);
	}
	if (!column->has_text_range ||
	    compare_texts(text, kept, column->texts + COLUMN_TEXT_MAX, column->max_length) > 0) {
		memcpy(column->texts + COLUMN_TEXT_MAX, text, kept);
		column->max_length = (uint8_t)kept;
		column->text_max_key = text_key(text, length);
	}
	column->has_text_range = true;
}

static inline void observe_text_range(struct column *column, const char *text, size_t length)
{
	uint64_t key = text_key(text, length);

	if (__builtin_expect(key <= column->text_min_key || key >= column->text_max_key, 0))
		widen_text_range(column, text, length);
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
	observe_text_range(column, text, length);
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
static __attribute__((noinline)) void add_to_sample(struct column *column, uint64_t hash)
{
	struct distinct *set = &column->distinct;

	while (distinct_is_sampled(set, hash) && !distinct_count(set, hash) && !distinct_add(set, hash, 0, 0))
		distinct_thin_out(set);
}

static inline void sample(struct column *column, uint64_t hash)
{
	if (__builtin_expect(distinct_is_sampled(&column->distinct, hash), 0))
		add_to_sample(column, hash);
}

/* A value that is not in the exact set. */
static __attribute__((noinline)) void observe_new(struct column *column, const struct value *value, uint64_t hash,
						  const char *text, size_t length)
{
	learn(column, value, text, length);
	if (distinct_add(&column->distinct, hash, value->number, value->kind))
		return;
	column_settle(column);
	distinct_thin_out(&column->distinct);
	add_to_sums(column, value);
	sample(column, hash);
}

static void observe_slowly(struct column *column, const char *text, size_t length)
{
	struct value value;

	value_classify(text, length, &value);
	learn(column, &value, text, length);
	add_to_sums(column, &value);
}

/* Up to the first value that makes the set too large. Returns how many were observed. */
static size_t observe_exactly(struct column *column, const struct csv_field *field, size_t stride, size_t rows)
{
	size_t i;

	for (i = 0; i < rows && !column->distinct.is_sample; i++, field += stride) {
		uint64_t hash = hash_text(field->text, field->length);
		struct value value;

		if (__builtin_expect(distinct_count(&column->distinct, hash), 1))
			continue;
		value_classify(field->text, field->length, &value);
		observe_new(column, &value, hash, field->text, field->length);
	}
	return i;
}

/* --- many different values: one loop a kind, so that each keeps to its registers --- */

/* Up to 8 digits in little-endian order, padded with '0' in front. */
static inline bool digits_of(uint64_t word, uint64_t *ret_number)
{
	uint64_t digits = word - 0x3030303030303030ULL;

	if (((word + 0x4646464646464646ULL) | digits) & 0x8080808080808080ULL)
		return false;
	digits = digits * 10 + (digits >> 8);
	*ret_number = (((digits & 0x000000FF000000FFULL) * 0x000F424000000064ULL) +
		       (((digits >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >>
		      32;
	return true;
}

/* 1 to 8 bytes moved to the end of a word of '0's. */
static inline uint64_t pad_digits(uint64_t word, size_t length)
{
	unsigned shift = (unsigned)(8 * (8 - length));

	return shift == 0 ? word : word << shift | 0x3030303030303030ULL >> (64 - shift);
}

/* 1 to 16 digits. */
static inline bool quick_integer(const char *text, size_t length, uint64_t *ret_number)
{
	uint64_t high, low;

	if (length - 1 >= 16)
		return false;
	if (length <= 8)
		return digits_of(pad_digits(load(text), length), ret_number);
	if (!digits_of(pad_digits(load(text), length - 8), &high) || !digits_of(load(text + length - 8), &low))
		return false;
	*ret_number = high * 100000000 + low;
	return true;
}

static void observe_integers(struct column *column, const struct csv_field *field, size_t stride, size_t rows)
{
	int64_t low = column->integer_min, high = column->integer_max;
	double sum = 0;

	for (size_t i = 0; i < rows; i++, field += stride) {
		const char *text = field->text;
		size_t length = field->length;
		uint64_t digits;
		int64_t number;
		bool is_negative = *text == '-';

		sample(column, hash_text(text, length));
		if (__builtin_expect((*text == '0' && length > 1) ||
					     !quick_integer(text + is_negative, length - is_negative, &digits),
				     0)) {
			observe_slowly(column, text, length);
			continue;
		}
		number = is_negative ? -(int64_t)digits : (int64_t)digits;
		low = number < low ? number : low;
		high = number > high ? number : high;
		sum += (double)number;
		observe_text_range(column, text, length);
	}
	if (low < column->integer_min)
		column->integer_min = low;
	if (high > column->integer_max)
		column->integer_max = high;
	if (low <= high) {
		column->kinds |= KIND(VALUE_INTEGER);
		column->number_min = fmin(column->number_min, (double)low);
		column->number_max = fmax(column->number_max, (double)high);
	}
	column->number_sum += sum;
}

static const double powers[] = {1e0, 1e1,  1e2,	 1e3,  1e4,  1e5,  1e6,	 1e7, 1e8,
				1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

/* The place of the point among the first 8 bytes, 8 when it is not there. */
static inline unsigned point_in(uint64_t word)
{
	uint64_t other = word ^ 0x2E2E2E2E2E2E2E2EULL;
	uint64_t zero = (other - 0x0101010101010101ULL) & ~other & 0x8080808080808080ULL;

	return zero == 0 ? 8 : (unsigned)__builtin_ctzll(zero) / 8;
}

/* Digits with a point among the first eight bytes and at most 8 digits behind it; no sign. */
static inline bool quick_decimal(const char *text, size_t length, double *ret_number, size_t *ret_scale)
{
	uint64_t whole, fraction;
	unsigned point = length <= 17 ? point_in(load(text)) : 8;
	size_t scale = length - point - 1;

	if (point == 0 || point >= 8 || scale - 1 >= 8 || length <= point)
		return false;
	if (!digits_of(pad_digits(load(text), point), &whole) ||
	    !digits_of(pad_digits(load(text + point + 1), scale), &fraction))
		return false;
	/* Below 10^15 the digits are exact in a double, and so is the power: the quotient is rounded once. */
	*ret_number = ((double)whole * powers[scale] + (double)fraction) / powers[scale];
	*ret_scale = scale;
	return true;
}

static void observe_floats(struct column *column, const struct csv_field *field, size_t stride, size_t rows)
{
	double low = column->number_min, high = column->number_max, sum = 0;
	size_t scale_max = column->scale_max;

	for (size_t i = 0; i < rows; i++, field += stride) {
		const char *text = field->text;
		size_t length = field->length, scale = 0;
		bool is_negative = *text == '-';
		double number;

		sample(column, hash_text(text, length));
		if (__builtin_expect(!quick_decimal(text + is_negative, length - is_negative, &number, &scale), 0)) {
			observe_slowly(column, text, length);
			continue;
		}
		number = is_negative ? -number : number;
		low = number < low ? number : low;
		high = number > high ? number : high;
		scale_max = scale > scale_max ? scale : scale_max;
		sum += number;
		observe_text_range(column, text, length);
	}
	column->number_min = fmin(column->number_min, low);
	column->number_max = fmax(column->number_max, high);
	if (scale_max > column->scale_max)
		column->scale_max = (uint8_t)scale_max;
	column->number_sum += sum;
}

static void observe_texts(struct column *column, const struct csv_field *field, size_t stride, size_t rows)
{
	for (size_t i = 0; i < rows; i++, field += stride) {
		const char *text = field->text;
		size_t length = field->length;

		sample(column, hash_text(text, length));
		if (__builtin_expect(value_is_null(text, length), 0)) {
			column->kinds |= KIND(VALUE_NULL);
			column->nulls++;
			continue;
		}
		observe_text_range(column, text, length);
	}
}

static void observe_any(struct column *column, const struct csv_field *field, size_t stride, size_t rows)
{
	for (size_t i = 0; i < rows; i++, field += stride) {
		sample(column, hash_text(field->text, field->length));
		observe_slowly(column, field->text, field->length);
	}
}

void column_observe(struct column *column, const struct csv_field *first, size_t stride, size_t rows)
{
	size_t done = 0;

	column->rows += rows;
	if (!column->distinct.is_sample) {
		if (column->rows - column->settled_rows > UINT32_MAX / 2)
			column_settle(column);
		done = observe_exactly(column, first, stride, rows);
		first += done * stride;
		rows -= done;
	}
	if (rows == 0)
		return;
	if (column->kinds & KIND(VALUE_TEXT))
		observe_texts(column, first, stride, rows);
	else if ((column->kinds & ~(unsigned)KINDS_INTEGER) == 0)
		observe_integers(column, first, stride, rows);
	else if ((column->kinds & ~(unsigned)KINDS_FLOAT) == 0)
		observe_floats(column, first, stride, rows);
	else
		observe_any(column, first, stride, rows);
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
	hash = hash_text(text, length) ^ (kind == VALUE_TEXT ? 0x5bd1e995U : 0);
	if (column->distinct.is_sample) {
		learn(column, &value, text, length);
		add_to_sums(column, &value);
		sample(column, hash);
	} else if (!distinct_count(&column->distinct, hash)) {
		observe_new(column, &value, hash, text, length);
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
