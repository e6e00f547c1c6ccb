/* The profile of many values at once: one loop for each kind of column, so that each keeps to its registers. */
#include <math.h>
#include <stdlib.h>
#include "extractd/worker/formats/column_inside.h"

/* Up to the first value that makes the set too large. Returns how many were observed. */
static size_t observe_exactly(struct column *column, const struct csv_cells *cells, size_t first, size_t stride,
			      size_t rows)
{
	size_t i;

	for (i = 0; i < rows && !column->distinct.is_sample; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		uint64_t hash = column_hash(field.text, field.length);
		struct value value;

		if (__builtin_expect(distinct_count(&column->distinct, hash), 1))
			continue;
		value_classify(field.text, field.length, &value);
		column_observe_new(column, &value, hash, field.text, field.length);
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
static inline __attribute__((always_inline)) bool quick_integer(const char *text, size_t length, uint64_t *ret_number)
{
	uint64_t high, low;

	if (length - 1 >= 16)
		return false;
	if (length <= 8)
		return digits_of(pad_digits(column_load(text), length), ret_number);
	if (!digits_of(pad_digits(column_load(text), length - 8), &high) ||
	    !digits_of(column_load(text + length - 8), &low))
		return false;
	*ret_number = high * 100000000 + low;
	return true;
}

static void observe_integers(struct column *column, const struct csv_cells *cells, size_t first, size_t stride,
			     size_t rows)
{
	int64_t low = column->integer_min, high = column->integer_max;
	double sum = 0;

	column->is_text_range_partial = true;

	for (size_t i = 0; i < rows; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		const char *text = field.text;
		size_t length = field.length;
		uint64_t digits;
		int64_t number;
		bool is_negative = *text == '-';

		column_sample(column, column_hash(text, length));
		if (__builtin_expect((*text == '0' && length > 1) ||
					     !quick_integer(text + is_negative, length - is_negative, &digits),
				     0)) {
			column_observe_slowly(column, text, length);
			continue;
		}
		number = is_negative ? -(int64_t)digits : (int64_t)digits;
		low = number < low ? number : low;
		high = number > high ? number : high;
		sum += (double)number;
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

static const double parts[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,	 1e-6,	1e-7,  1e-8, 1e-9,
			       1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};
static const uint64_t whole_powers[] = {
	1ULL,
	10ULL,
	100ULL,
	1000ULL,
	10000ULL,
	100000ULL,
	1000000ULL,
	10000000ULL,
	100000000ULL,
	1000000000ULL,
	10000000000ULL,
	100000000000ULL,
	1000000000000ULL,
	10000000000000ULL,
	100000000000000ULL,
	1000000000000000ULL,
	10000000000000000ULL,
	100000000000000000ULL,
	1000000000000000000ULL,
};

enum { DECIMAL_SCALE_MAX = 18, DECIMAL_DIGITS_MAX = 19 };

/* The place of the point among the first 8 bytes, 8 when it is not there. */
static inline size_t point_in(uint64_t word)
{
	uint64_t other = word ^ 0x2E2E2E2E2E2E2E2EULL;
	uint64_t zero = (other - 0x0101010101010101ULL) & ~other & 0x8080808080808080ULL;

	return zero == 0 ? 8 : (size_t)__builtin_ctzll(zero) / 8;
}

/* 1 to 18 digits. */
static inline __attribute__((always_inline)) bool quick_fraction(const char *text, size_t length, uint64_t *ret_number)
{
	uint64_t high, low;

	if (length <= 16)
		return quick_integer(text, length, ret_number);
	if (!quick_integer(text, length - 16, &high) || !quick_integer(text + length - 16, 16, &low))
		return false;
	*ret_number = high * 10000000000000000ULL + low;
	return true;
}

/*
 * Digits with a point behind at most seven of them, up to 19 in all, no sign. A product, where the true value is a
 * quotient: it may be off in the last place, which is good enough for a sum.
 */
static inline __attribute__((always_inline)) bool quick_decimal(const char *text, size_t length, double *ret_number,
								size_t *ret_scale)
{
	size_t point = point_in(column_load(text)), scale = length - point - 1;
	uint64_t whole, fraction;

	if (point - 1 >= 7 || length <= point || scale - 1 >= DECIMAL_SCALE_MAX || point + scale > DECIMAL_DIGITS_MAX)
		return false;
	if (!digits_of(pad_digits(column_load(text), point), &whole) ||
	    !quick_fraction(text + point + 1, scale, &fraction))
		return false;
	*ret_number = (double)(whole * whole_powers[scale] + fraction) * parts[scale];
	*ret_scale = scale;
	return true;
}

/* A minimum or maximum is kept as it is written. */
static __attribute__((noinline)) double read_exactly(const char *text, size_t length)
{
	struct value value;

	value_classify(text, length, &value);
	return value.number;
}

static void observe_floats(struct column *column, const struct csv_cells *cells, size_t first, size_t stride,
			   size_t rows)
{
	double low = column->number_min, high = column->number_max, sum = 0;
	size_t scale_max = column->scale_max;

	column->is_text_range_partial = true;

	for (size_t i = 0; i < rows; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		bool is_negative = *field.text == '-';
		double number;
		size_t scale;

		column_sample(column, column_hash(field.text, field.length));
		if (__builtin_expect(
			    !quick_decimal(field.text + is_negative, field.length - is_negative, &number, &scale), 0)) {
			column_observe_slowly(column, field.text, field.length);
			continue;
		}
		number = is_negative ? -number : number;
		scale_max = scale > scale_max ? scale : scale_max;
		sum += number;
		if (__builtin_expect(number < low || number > high, 0)) {
			number = read_exactly(field.text, field.length);
			low = number < low ? number : low;
			high = number > high ? number : high;
		}
	}
	column->number_min = fmin(column->number_min, low);
	column->number_max = fmax(column->number_max, high);
	if (scale_max > column->scale_max)
		column->scale_max = (uint8_t)scale_max;
	column->number_sum += sum;
}

static void observe_times(struct column *column, const struct csv_cells *cells, size_t first, size_t stride,
			  size_t rows)
{
	for (size_t i = 0; i < rows; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		enum value_kind kind = value_date_kind(field.text, field.length);

		column_sample(column, column_hash(field.text, field.length));
		if (__builtin_expect(kind != VALUE_DATE && kind != VALUE_DATETIME, 0)) {
			column_observe_slowly(column, field.text, field.length);
			continue;
		}
		column->kinds |= KIND(kind);
		column_observe_text_range(column, field.text, field.length);
	}
}

static void observe_texts(struct column *column, const struct csv_cells *cells, size_t first, size_t stride,
			  size_t rows)
{
	for (size_t i = 0; i < rows; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		const char *text = field.text;
		size_t length = field.length;

		column_sample(column, column_hash(text, length));
		if (__builtin_expect(value_is_null(text, length), 0)) {
			column->kinds |= KIND(VALUE_NULL);
			column->nulls++;
			continue;
		}
		column_observe_text_range(column, text, length);
	}
}

static void observe_any(struct column *column, const struct csv_cells *cells, size_t first, size_t stride, size_t rows)
{
	for (size_t i = 0; i < rows; i++, first += stride) {
		struct csv_field field = csv_cell(cells, first);
		column_sample(column, column_hash(field.text, field.length));
		column_observe_slowly(column, field.text, field.length);
	}
}

void column_observe(struct column *column, const struct csv_cells *cells, size_t first, size_t stride, size_t rows)
{
	column->rows += rows;
	if (!column->distinct.is_sample) {
		size_t done;

		if (column->rows - column->settled_rows > UINT32_MAX / 2)
			column_settle(column);
		done = observe_exactly(column, cells, first, stride, rows);
		first += done * stride;
		rows -= done;
	}
	if (rows == 0)
		return;
	if (column->kinds & KIND(VALUE_TEXT))
		observe_texts(column, cells, first, stride, rows);
	else if ((column->kinds & ~(unsigned)KINDS_INTEGER) == 0)
		observe_integers(column, cells, first, stride, rows);
	else if ((column->kinds & ~(unsigned)KINDS_FLOAT) == 0)
		observe_floats(column, cells, first, stride, rows);
	else if ((column->kinds & ~(unsigned)KINDS_TIME) == 0)
		observe_times(column, cells, first, stride, rows);
	else
		observe_any(column, cells, first, stride, rows);
}
