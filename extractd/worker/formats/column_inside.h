/* Inside of the column's profile: column.c learns from single values, column_loops.c from many. */
#pragma once
#include <endian.h>
#include <string.h>
#include "extractd/worker/formats/column.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

#define KIND(kind) (1U << (kind))

enum {
	KINDS_INTEGER = KIND(VALUE_INTEGER) | KIND(VALUE_NULL),
	KINDS_FLOAT = KINDS_INTEGER | KIND(VALUE_FLOAT),
	KINDS_TIME = KIND(VALUE_DATE) | KIND(VALUE_DATETIME) | KIND(VALUE_NULL),
	KINDS_WHOLE = KINDS_INTEGER | KIND(VALUE_UINT64) | KIND(VALUE_HUGE_INTEGER),
};

static inline uint64_t column_load(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return le64toh(word);
}

/* The first bytes of text, length of them at most 8, the rest 0. */
static inline uint64_t column_load_short(const char *text, size_t length)
{
	uint64_t word = column_load(text);

	return length >= 8 ? word : word & ((1ULL << (8 * length)) - 1);
}

/* Bit masks for the first n bytes of two words. */
static const uint64_t column_masks[17][2] = {
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

static inline uint64_t column_fold(uint64_t one, uint64_t two)
{
	unsigned __int128 product = (unsigned __int128)one * two;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define COLUMN_SEED_ONE 0x9E3779B97F4A7C15ULL
#define COLUMN_SEED_TWO 0xD6E8FEB86659FD93ULL

/* Never 0. 16 bytes from the text's beginning must be readable. */
static inline uint64_t column_hash(const char *text, size_t length)
{
	if (__builtin_expect(length <= 16, 1))
		return column_fold((column_load(text) & column_masks[length][0]) ^ COLUMN_SEED_ONE,
				   ((column_load(text + 8) & column_masks[length][1]) + length) ^ COLUMN_SEED_TWO) |
		       1;
	if (length <= 32)
		return column_fold(column_fold(column_load(text) ^ COLUMN_SEED_ONE,
					       column_load(text + 8) ^ COLUMN_SEED_TWO) ^
					   column_load(text + length - 16),
				   (column_load(text + length - 8) + length) ^ COLUMN_SEED_TWO) |
		       1;
	return XXH3_64bits(text, length) | 1;
}

__attribute__((noinline)) void column_widen_text_range(struct column *column, const char *text, size_t length);
__attribute__((noinline)) void column_add_to_sample(struct column *column, uint64_t hash);
/* A value that is not in the exact set. */
__attribute__((noinline)) void column_observe_new(struct column *column, const struct value *value, uint64_t hash,
						  const char *text, size_t length);
/* A value for itself, whatever it is; the sample is the caller's. */
void column_observe_slowly(struct column *column, const char *text, size_t length);

static inline uint64_t column_text_key(const char *text, size_t length)
{
	return __builtin_bswap64(column_load_short(text, length));
}

static inline void column_observe_text_range(struct column *column, const char *text, size_t length)
{
	uint64_t key = column_text_key(text, length);

	if (__builtin_expect(key <= column->text_min_key || key >= column->text_max_key, 0))
		column_widen_text_range(column, text, length);
}

static inline void column_sample(struct column *column, uint64_t hash)
{
	if (__builtin_expect(distinct_is_sampled(&column->distinct, hash), 0))
		column_add_to_sample(column, hash);
}
