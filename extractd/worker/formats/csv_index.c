/* Finds the bytes that matter to CSV, 64 at a time. */
#include "extractd/worker/formats/csv_reader.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef size_t (*index_function)(const char *text, size_t length, struct csv_dialect dialect, uint32_t *positions);

static size_t index_bytes(const char *text, size_t length, struct csv_dialect dialect, uint32_t *positions)
{
	uint32_t *out = positions;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		*out = (uint32_t)i;
		out += c == dialect.delimiter || c == '\n' || c == '\r' || c == dialect.quote;
	}
	return (size_t)(out - positions);
}

#if defined(__x86_64__)
static inline uint64_t tail_mask(size_t left)
{
	return left >= 64 ? ~0ULL : (1ULL << left) - 1;
}

/* Writes the set bits of mask as positions. */
static inline uint32_t *flatten(uint64_t mask, uint32_t base, uint32_t *out)
{
	while (mask != 0) {
		*out++ = base + (uint32_t)__builtin_ctzll(mask);
		mask &= mask - 1;
	}
	return out;
}

/*
 * The same, but always eight at a time: what is written too much is overwritten by the next call, and there is no loop
 * whose end would be guessed wrong in every block.
 */
__attribute__((target("avx2,popcnt,bmi"))) static inline uint32_t *flatten_by_eight(uint64_t mask, uint32_t base,
										    uint32_t *out)
{
	uint32_t *end = out + __builtin_popcountll(mask);

	do {
		for (unsigned i = 0; i < 8; i++) {
			out[i] = base + (uint32_t)_tzcnt_u64(mask);
			mask = _blsr_u64(mask);
		}
		out += 8;
	} while (__builtin_expect(mask != 0, 0));
	return end;
}

__attribute__((target("avx2,popcnt,bmi"))) static size_t index_avx2(const char *text, size_t length,
								    struct csv_dialect dialect, uint32_t *positions)
{
	const __m256i delimiter = _mm256_set1_epi8(dialect.delimiter), quote = _mm256_set1_epi8(dialect.quote);
	const __m256i newline = _mm256_set1_epi8('\n'), carriage = _mm256_set1_epi8('\r');
	uint32_t *out = positions;

	for (size_t at = 0; at < length; at += 64) {
		uint64_t mask = 0;

		for (unsigned half = 0; half < 2; half++) {
			__m256i bytes = _mm256_loadu_si256((const __m256i_u *)(const void *)(text + at + 32 * half));
			__m256i found = _mm256_or_si256(
				_mm256_or_si256(_mm256_cmpeq_epi8(bytes, delimiter), _mm256_cmpeq_epi8(bytes, quote)),
				_mm256_or_si256(_mm256_cmpeq_epi8(bytes, newline), _mm256_cmpeq_epi8(bytes, carriage)));

			mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(found) << (32 * half);
		}
		out = flatten_by_eight(mask & tail_mask(length - at), (uint32_t)at, out);
	}
	return (size_t)(out - positions);
}

static size_t index_sse2(const char *text, size_t length, struct csv_dialect dialect, uint32_t *positions)
{
	const __m128i delimiter = _mm_set1_epi8(dialect.delimiter), quote = _mm_set1_epi8(dialect.quote);
	const __m128i newline = _mm_set1_epi8('\n'), carriage = _mm_set1_epi8('\r');
	uint32_t *out = positions;

	for (size_t at = 0; at < length; at += 64) {
		uint64_t mask = 0;

		for (unsigned quarter = 0; quarter < 4; quarter++) {
			__m128i bytes = _mm_loadu_si128((const __m128i_u *)(const void *)(text + at + 16 * quarter));
			__m128i found = _mm_or_si128(
				_mm_or_si128(_mm_cmpeq_epi8(bytes, delimiter), _mm_cmpeq_epi8(bytes, quote)),
				_mm_or_si128(_mm_cmpeq_epi8(bytes, newline), _mm_cmpeq_epi8(bytes, carriage)));

			mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << (16 * quarter);
		}
		out = flatten(mask & tail_mask(length - at), (uint32_t)at, out);
	}
	return (size_t)(out - positions);
}
#endif

static index_function choose(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") ? index_avx2 : index_sse2;
#else
	return index_bytes;
#endif
}

size_t csv_index(const char *text, size_t length, struct csv_dialect dialect, uint32_t *positions)
{
	/* The vector loops stop at whole blocks; a short text is not worth them. */
	if (length < 64)
		return index_bytes(text, length, dialect, positions);
	return choose()(text, length, dialect, positions);
}
