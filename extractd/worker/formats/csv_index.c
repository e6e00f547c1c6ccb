/* Finds the bytes that matter to CSV, 64 at a time. */
#include "extractd/worker/formats/csv_reader.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef void (*index_function)(const char *text, size_t length, struct csv_dialect dialect, struct csv_index *index);

static void index_bytes(const char *text, size_t length, struct csv_dialect dialect, struct csv_index *index)
{
	uint32_t *out = index->positions, *newline = index->newlines;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool needs_care = c == '\r' || c == dialect.quote;

		*out = *newline = (uint32_t)i;
		out += c == dialect.delimiter || c == '\n' || needs_care;
		newline += c == '\n';
		index->has_care |= needs_care;
	}
	index->count = (size_t)(out - index->positions);
	index->newline_count = (size_t)(newline - index->newlines);
}

#if defined(__x86_64__)
/* What one block of 64 bytes has, a bit a byte. */
struct masks {
	uint64_t delimiters, newlines, care;
};

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

__attribute__((target("avx2,popcnt,bmi"))) static void index_avx2(const char *text, size_t length,
								  struct csv_dialect dialect, struct csv_index *index)
{
	const __m256i delimiter = _mm256_set1_epi8(dialect.delimiter), quote = _mm256_set1_epi8(dialect.quote);
	const __m256i newline = _mm256_set1_epi8('\n'), carriage = _mm256_set1_epi8('\r');
	uint32_t *out = index->positions, *newlines = index->newlines;
	uint64_t care = 0;

	for (size_t at = 0; at < length; at += 64) {
		struct masks found = {0};
		uint64_t tail = tail_mask(length - at);

		for (unsigned half = 0; half < 2; half++) {
			__m256i bytes = _mm256_loadu_si256((const __m256i_u *)(const void *)(text + at + 32 * half));
			__m256i odd =
				_mm256_or_si256(_mm256_cmpeq_epi8(bytes, quote), _mm256_cmpeq_epi8(bytes, carriage));
			unsigned shift = 32 * half;

			found.delimiters |=
				(uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, delimiter)) << shift;
			found.newlines |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, newline))
					  << shift;
			found.care |= (uint64_t)(uint32_t)_mm256_movemask_epi8(odd) << shift;
		}
		out = flatten_by_eight((found.delimiters | found.newlines | found.care) & tail, (uint32_t)at, out);
		newlines = flatten(found.newlines & tail, (uint32_t)at, newlines);
		care |= found.care & tail;
	}
	index->count = (size_t)(out - index->positions);
	index->newline_count = (size_t)(newlines - index->newlines);
	index->has_care = care != 0;
}

static void index_sse2(const char *text, size_t length, struct csv_dialect dialect, struct csv_index *index)
{
	const __m128i delimiter = _mm_set1_epi8(dialect.delimiter), quote = _mm_set1_epi8(dialect.quote);
	const __m128i newline = _mm_set1_epi8('\n'), carriage = _mm_set1_epi8('\r');
	uint32_t *out = index->positions, *newlines = index->newlines;
	uint64_t care = 0;

	for (size_t at = 0; at < length; at += 64) {
		struct masks found = {0};
		uint64_t tail = tail_mask(length - at);

		for (unsigned quarter = 0; quarter < 4; quarter++) {
			__m128i bytes = _mm_loadu_si128((const __m128i_u *)(const void *)(text + at + 16 * quarter));
			__m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, carriage));
			unsigned shift = 16 * quarter;

			found.delimiters |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, delimiter))
					    << shift;
			found.newlines |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, newline))
					  << shift;
			found.care |= (uint64_t)(uint32_t)_mm_movemask_epi8(odd) << shift;
		}
		out = flatten((found.delimiters | found.newlines | found.care) & tail, (uint32_t)at, out);
		newlines = flatten(found.newlines & tail, (uint32_t)at, newlines);
		care |= found.care & tail;
	}
	index->count = (size_t)(out - index->positions);
	index->newline_count = (size_t)(newlines - index->newlines);
	index->has_care = care != 0;
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

void csv_index_build(const char *text, size_t length, struct csv_dialect dialect, struct csv_index *index)
{
	index->has_care = false;
	/* A short text is not worth the vector loops. */
	if (length < 64)
		index_bytes(text, length, dialect, index);
	else
		choose()(text, length, dialect, index);
}
