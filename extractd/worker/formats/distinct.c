#include "extractd/worker/formats/distinct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void distinct_init(struct distinct *set, uint32_t max)
{
	if (max < DISTINCT_MIN)
		max = DISTINCT_MIN;
	*set = (struct distinct){.max = 1U << (31 - __builtin_clz(max))};
}

static void free_table(struct distinct_bucket *buckets, struct distinct_value *values)
{
	free(buckets);
	free(values);
}

void distinct_release(struct distinct *set)
{
	free_table(set->buckets, set->values);
	set->buckets = NULL;
	set->values = NULL;
}

/* The caller knows that there is room. */
static void put(struct distinct *set, uint64_t hash, uint32_t count, struct distinct_value value)
{
	uint32_t at = (uint32_t)hash >> 1 & set->bucket_mask;

	for (;; at = (at + 1) & set->bucket_mask) {
		struct distinct_bucket *bucket = &set->buckets[at];

		for (unsigned way = 0; way < DISTINCT_WAYS; way++) {
			if (bucket->hash[way] != 0)
				continue;
			bucket->hash[way] = hash;
			bucket->tag[way] = (uint32_t)(hash >> 32);
			bucket->count[way] = count;
			set->values[at * DISTINCT_WAYS + way] = value;
			set->used++;
			return;
		}
	}
}

/* Moves what belongs into the set to a table of this many buckets. */
static int rebuild(struct distinct *set, size_t bucket_count)
{
	struct distinct_bucket *old = set->buckets;
	struct distinct_value *old_values = set->values;
	size_t old_count = old ? (size_t)set->bucket_mask + 1 : 0;
	struct distinct_bucket *buckets = aligned_alloc(sizeof(*buckets), bucket_count * sizeof(*buckets));
	struct distinct_value *values = malloc(bucket_count * DISTINCT_WAYS * sizeof(*values));

	if (!buckets || !values) {
		free_table(buckets, values);
		return -ENOMEM;
	}
	memset(buckets, 0, bucket_count * sizeof(*buckets));
	set->buckets = buckets;
	set->values = values;
	set->bucket_mask = (uint32_t)(bucket_count - 1);
	set->used = 0;
	for (size_t i = 0; i < old_count; i++)
		for (unsigned way = 0; way < DISTINCT_WAYS && old[i].hash[way] != 0; way++)
			if (distinct_is_sampled(set, old[i].hash[way]))
				put(set, old[i].hash[way], old[i].count[way], old_values[i * DISTINCT_WAYS + way]);
	free_table(old, old_values);
	return 0;
}

static void give_up(struct distinct *set)
{
	set->is_unknown = true;
	set->is_sample = true;
	set->sample_mask = ~0ULL;
}

/* Half of the places stay free, so that a value is nearly always in its first bucket. */
static int make_room(struct distinct *set)
{
	size_t count = set->buckets ? (size_t)set->bucket_mask + 1 : 0;

	if (set->used < count * DISTINCT_WAYS / 2)
		return 0;
	return rebuild(set, count > 0 ? count * 2 : DISTINCT_MIN * 2 / DISTINCT_WAYS);
}

bool distinct_add(struct distinct *set, uint64_t hash, double number, uint64_t kind)
{
	/* A sample may be smaller: 1,024 values estimate within 3 %, and fewer have to be moved about. */
	if (set->used >= (set->is_sample ? set->max / DISTINCT_SAMPLE_PART : set->max) || make_room(set) < 0)
		return false;
	put(set, hash, 1, (struct distinct_value){number, kind});
	return true;
}

void distinct_thin_out(struct distinct *set)
{
	set->is_sample = true;
	/* The bits lie above those that choose the bucket, so that what is left still spreads over the table. */
	set->sample_mask = set->sample_mask << 1 | 1ULL << 32;
	if (!set->buckets || rebuild(set, (size_t)set->bucket_mask + 1) < 0)
		give_up(set);
}

uint64_t distinct_estimate(const struct distinct *set)
{
	return set->is_unknown ? 0 : (uint64_t)set->used << __builtin_popcountll(set->sample_mask);
}
