/*
 * The set of different values of a column, by hash, with how often each occurs: exact up to a maximum, then a sample by
 * adaptive sampling (Flajolet, 1990): only values whose hash has certain bits clear stay, and each such bit halves the
 * set.
 *
 * Four hashes and their counts share a cache line and are compared at once, since which of them is the one sought is as
 * unpredictable as the data.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { DISTINCT_WAYS = 4, DISTINCT_MIN = 8, DISTINCT_SAMPLE_PART = 4 };

struct distinct_bucket {
	uint32_t tag[DISTINCT_WAYS]; /* the upper half of the hash */
	uint32_t count[DISTINCT_WAYS];
	uint64_t hash[DISTINCT_WAYS]; /* odd; 0: free. Taken from the front */
} __attribute__((aligned(64)));

struct distinct_value {
	double number; /* what each occurrence adds to the column's sum */
	uint64_t kind; /* enum value_kind */
};

struct distinct {
	struct distinct_bucket *buckets; /* NULL until the first value */
	struct distinct_value *values;	 /* DISTINCT_WAYS for each bucket */
	uint32_t bucket_mask;
	uint32_t used, max; /* max: a power of two */
	bool is_sample;
	bool is_unknown; /* memory ran out: nothing more is taken in */
	uint64_t sample_mask;
};

void distinct_init(struct distinct *set, uint32_t max);
void distinct_release(struct distinct *set);
/*
 * Takes in a value that distinct_count() did not find, with a count of 1. False: the set is full (or out of memory);
 * when it is exact, first settle what it counts, then call distinct_thin_out().
 */
bool distinct_add(struct distinct *set, uint64_t hash, double number, uint64_t kind);
/* Makes it a sample, or halves the sample. */
void distinct_thin_out(struct distinct *set);
/* The values that are in it; an estimate of all when it is a sample. */
uint64_t distinct_estimate(const struct distinct *set);

/* Which of a bucket's tags are equal, a bit each. */
static inline unsigned distinct_match(const struct distinct_bucket *bucket, uint32_t tag)
{
#if defined(__SSE2__)
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)bucket->tag);

	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(tags, _mm_set1_epi32((int)tag))));
#else
	unsigned found = 0;

	for (unsigned way = 0; way < DISTINCT_WAYS; way++)
		found |= (unsigned)(bucket->tag[way] == tag) << way;
	return found;
#endif
}

/* Counts a value that is in the set. False: it is not. */
static inline bool distinct_count(struct distinct *set, uint64_t hash)
{
	if (__builtin_expect(!set->buckets, 0))
		return false;
	for (uint32_t at = (uint32_t)hash >> 1 & set->bucket_mask;; at = (at + 1) & set->bucket_mask) {
		struct distinct_bucket *bucket = &set->buckets[at];
		unsigned found = distinct_match(bucket, (uint32_t)(hash >> 32));

		while (__builtin_expect(found != 0, 1)) {
			unsigned way = (unsigned)__builtin_ctz(found);

			if (__builtin_expect(bucket->hash[way] == hash, 1)) {
				bucket->count[way]++;
				return true;
			}
			found &= found - 1;
		}
		if (bucket->hash[DISTINCT_WAYS - 1] == 0)
			return false;
	}
}

/* For samples: whether the hash belongs into it. */
static inline bool distinct_is_sampled(const struct distinct *set, uint64_t hash)
{
	return (hash & set->sample_mask) == 0;
}
