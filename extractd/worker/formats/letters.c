#include "extractd/worker/formats/letters.h"

typedef void (*count_function)(const uint8_t *bytes, size_t length, uint64_t counts[LETTER_COUNT]);

/* Four tables, since two equal letters in a row would wait for each other in one. */
static void count_by_table(const uint8_t *bytes, size_t length, uint64_t counts[LETTER_COUNT])
{
	uint32_t tables[4][256] = {0};
	size_t i = 0;

	for (; i + 4 <= length; i += 4)
		for (unsigned table = 0; table < 4; table++)
			tables[table][bytes[i + table]]++;
	for (; i < length; i++)
		tables[0][bytes[i]]++;
	for (unsigned letter = 0; letter < LETTER_COUNT; letter++)
		for (unsigned table = 0; table < 4; table++)
			counts[letter] += (uint64_t)tables[table]['A' + letter] + tables[table]['a' + letter];
}

#if defined(__x86_64__)
/*
 * Compares a block with each letter in turn, WIDE letters in one go: as many sums and letters as there are registers.
 * Sums are kept in bytes, which hold 255 rounds; a block is small enough to be read again out of the nearest cache. The
 * letters behind z that make the last go complete are counted for nothing.
 */
enum { ROUNDS = 255, LETTERS_ROUNDED = 28 };

#define DEFINE_COUNT(NAME, TARGET, LANE, WIDE)                                                                         \
	typedef uint8_t NAME##_lane __attribute__((vector_size(LANE), aligned(1), may_alias));                         \
	typedef uint64_t NAME##_words __attribute__((vector_size(LANE), may_alias));                                   \
                                                                                                                       \
	__attribute__((target(TARGET))) static inline NAME##_words NAME##_add_up(NAME##_words sums)                    \
	{                                                                                                              \
		sums = (sums & 0x00FF00FF00FF00FFULL) + (sums >> 8 & 0x00FF00FF00FF00FFULL);                           \
		sums += sums >> 16;                                                                                    \
		return (sums + (sums >> 32)) & 0xFFFF;                                                                 \
	}                                                                                                              \
                                                                                                                       \
	__attribute__((target(TARGET))) static void NAME##_block(const uint8_t *bytes, size_t rounds, unsigned first,  \
								 NAME##_words *totals)                                 \
	{                                                                                                              \
		NAME##_lane sums[WIDE] = {0};                                                                          \
                                                                                                                       \
		for (size_t round = 0; round < rounds; round++) {                                                      \
			NAME##_lane block = *(const NAME##_lane *)(const void *)(bytes + round * (LANE)) | 0x20;       \
                                                                                                                       \
			_Pragma("GCC unroll 14") for (unsigned i = 0; i < (WIDE); i++) sums[i] -=                      \
				(NAME##_lane)(block == (uint8_t)('a' + first + i));                                    \
		}                                                                                                      \
		for (unsigned i = 0; i < (WIDE); i++)                                                                  \
			totals[first + i] += NAME##_add_up((NAME##_words)sums[i]);                                     \
	}                                                                                                              \
                                                                                                                       \
	__attribute__((target(TARGET))) static void NAME(const uint8_t *bytes, size_t length,                          \
							 uint64_t counts[LETTER_COUNT])                                \
	{                                                                                                              \
		NAME##_words totals[LETTERS_ROUNDED] = {0};                                                            \
                                                                                                                       \
		while (length >= (LANE)) {                                                                             \
			size_t rounds = length / (LANE) < ROUNDS ? length / (LANE) : ROUNDS;                           \
                                                                                                                       \
			for (unsigned first = 0; first < LETTERS_ROUNDED; first += (WIDE))                             \
				NAME##_block(bytes, rounds, first, totals);                                            \
			bytes += rounds * (LANE);                                                                      \
			length -= rounds * (LANE);                                                                     \
		}                                                                                                      \
		for (unsigned letter = 0; letter < LETTER_COUNT; letter++)                                             \
			for (unsigned word = 0; word < (LANE) / 8; word++)                                             \
				counts[letter] += totals[letter][word];                                                \
		count_by_table(bytes, length, counts);                                                                 \
	}

DEFINE_COUNT(count_avx2, "avx2", 32, 7)
DEFINE_COUNT(count_avx512, "avx512bw", 64, 14)
#endif

static count_function choose(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512bw"))
		return count_avx512;
	if (__builtin_cpu_supports("avx2"))
		return count_avx2;
#endif
	return count_by_table;
}

void letters_count(const void *bytes, size_t length, uint64_t counts[LETTER_COUNT])
{
	/* A table counts 2^32 of each at most. */
	static const size_t part_max = 1U << 30;

	for (const uint8_t *at = bytes; length > 0;) {
		size_t part = length < part_max ? length : part_max;

		if (part < 256)
			count_by_table(at, part, counts);
		else
			choose()(at, part, counts);
		at += part;
		length -= part;
	}
}
