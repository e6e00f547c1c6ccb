#include "httpshim/answer_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/answer.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/table.h"
#include "shared/cache/cache.h"

enum {
	SLOTS = 8192,	     /* an answer has one place, the later one wins it */
	LOCKS = 64,	     /* a lock for every SLOTS / LOCKS places */
	GENERATIONS = 4096,  /* tenants that share one only lose each other's answers */
	ANSWER_BYTES_MAX = 8192,
	MEMORY_S = 60, /* signed links in an answer must stay good for a while after it was given */
	REDIS_S = 60,
};

struct slot {
	struct shared_bytes *answer; /* NULL: empty */
	int64_t tenant_id, until_ns;
	uint64_t generation;
	char file_id[FILE_ID_SIZE];
};

struct answer_cache {
	struct cache *redis;
	atomic_bool is_listening;
	_Atomic uint64_t generations[GENERATIONS];
	pthread_mutex_t locks[LOCKS];
	struct slot slots[SLOTS];
};

int answer_cache_new(struct cache *redis, struct answer_cache **ret_cache)
{
	struct answer_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->redis = redis;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&cache->locks[i], NULL);
	*ret_cache = cache;
	return 0;
}

void answer_cache_free(struct answer_cache *cache)
{
	if (!cache)
		return;
	for (int i = 0; i < SLOTS; i++)
		shared_bytes_unref(cache->slots[i].answer);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	free(cache);
}

static _Atomic uint64_t *generation_of(struct answer_cache *cache, int64_t tenant_id)
{
	return &cache->generations[table_hash_u64((uint64_t)tenant_id) % GENERATIONS];
}

uint64_t answer_cache_generation(struct answer_cache *cache, int64_t tenant_id)
{
	return atomic_load_explicit(generation_of(cache, tenant_id), memory_order_acquire);
}

static void redis_key(int64_t tenant_id, char ret_key[40])
{
	snprintf(ret_key, 40, "metadata:%lld", (long long)tenant_id);
}

void answer_cache_enable(struct answer_cache *cache, bool is_listening)
{
	answer_cache_forget(cache, 0);
	atomic_store_explicit(&cache->is_listening, is_listening, memory_order_release);
}

void answer_cache_forget(struct answer_cache *cache, int64_t tenant_id)
{
	char key[40];

	if (tenant_id == 0) {
		for (int i = 0; i < GENERATIONS; i++)
			atomic_fetch_add_explicit(&cache->generations[i], 1, memory_order_acq_rel);
		return;
	}
	/* First the generation: who writes to Redis looks at it again afterwards, and takes its answer back. */
	atomic_fetch_add_explicit(generation_of(cache, tenant_id), 1, memory_order_acq_rel);
	redis_key(tenant_id, key);
	cache_delete(cache->redis, key);
}

static size_t place_of(int64_t tenant_id, const char *file_id)
{
	return table_hash_bytes(file_id, strlen(file_id), (uint64_t)tenant_id) % SLOTS;
}

struct shared_bytes *answer_cache_get(struct answer_cache *cache, int64_t tenant_id, const char *file_id)
{
	size_t place = place_of(tenant_id, file_id);
	struct slot *slot = &cache->slots[place];
	struct shared_bytes *answer = NULL;

	if (!atomic_load_explicit(&cache->is_listening, memory_order_acquire))
		return NULL;
	pthread_mutex_lock(&cache->locks[place % LOCKS]);
	if (slot->answer && slot->tenant_id == tenant_id && strcmp(slot->file_id, file_id) == 0 &&
	    slot->generation == answer_cache_generation(cache, tenant_id) && clock_monotonic_ns() < slot->until_ns)
		answer = shared_bytes_ref(slot->answer);
	pthread_mutex_unlock(&cache->locks[place % LOCKS]);
	return answer;
}

static void keep(struct answer_cache *cache, int64_t tenant_id, const char *file_id, uint64_t generation,
		 struct shared_bytes *answer)
{
	size_t place = place_of(tenant_id, file_id);
	struct slot *slot = &cache->slots[place];
	struct shared_bytes *before;

	pthread_mutex_lock(&cache->locks[place % LOCKS]);
	before = slot->answer;
	slot->answer = shared_bytes_ref(answer);
	slot->tenant_id = tenant_id;
	slot->generation = generation;
	slot->until_ns = clock_monotonic_ns() + MEMORY_S * NS_PER_S;
	memcpy(slot->file_id, file_id, strlen(file_id) + 1);
	pthread_mutex_unlock(&cache->locks[place % LOCKS]);
	shared_bytes_unref(before);
}

struct shared_bytes *answer_cache_fetch(struct answer_cache *cache, int64_t tenant_id, const char *file_id,
					uint64_t generation)
{
	struct shared_bytes *answer;
	char *text autofree = NULL, key[40];
	size_t length;

	if (!atomic_load_explicit(&cache->is_listening, memory_order_acquire))
		return NULL;
	redis_key(tenant_id, key);
	if (cache_hash_get_field(cache->redis, key, file_id, &text, &length) < 0)
		return NULL;
	answer = shared_bytes_new(text, length);
	if (answer)
		keep(cache, tenant_id, file_id, generation, answer);
	return answer;
}

void answer_cache_put(struct answer_cache *cache, int64_t tenant_id, const char *file_id, uint64_t generation,
		      struct shared_bytes *answer)
{
	const char *pairs[] = {file_id, NULL, NULL};
	char key[40];
	size_t length;

	pairs[1] = shared_bytes_data(answer, &length);
	if (length > ANSWER_BYTES_MAX || !atomic_load_explicit(&cache->is_listening, memory_order_acquire) ||
	    answer_cache_generation(cache, tenant_id) != generation)
		return;
	keep(cache, tenant_id, file_id, generation, answer);
	redis_key(tenant_id, key);
	if (cache_hash_set(cache->redis, key, REDIS_S, pairs) == 0 &&
	    answer_cache_generation(cache, tenant_id) != generation)
		cache_delete(cache->redis, key);
}
