/*
 * Metadata answers kept in memory, and behind them in Redis for all shims. An answer counts as long as nothing was committed in its
 * tenant since it was read: every tenant has a generation, raised by the committer's NOTIFY. While nobody listens nothing counts.
 *
 * Thread-safe. get never waits; the others may wait for Redis.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct answer_cache;
struct cache;
struct shared_bytes;

int answer_cache_new(struct cache *redis, struct answer_cache **ret_cache);
void answer_cache_free(struct answer_cache *cache);

/* The listener hears, or does not any more. */
void answer_cache_enable(struct answer_cache *cache, bool is_listening);
/* Something was committed in this tenant; 0: in all. */
void answer_cache_forget(struct answer_cache *cache, int64_t tenant_id);

/* A reference to the answer for a file, NULL: not in memory, or no longer true. */
struct shared_bytes *answer_cache_get(struct answer_cache *cache, int64_t tenant_id, const char *file_id);
/* Taken before the answer is looked up anywhere; what is put under an older one does not count. */
uint64_t answer_cache_generation(struct answer_cache *cache, int64_t tenant_id);
/* From Redis, then kept in memory; NULL: not there. */
struct shared_bytes *answer_cache_fetch(struct answer_cache *cache, int64_t tenant_id, const char *file_id,
					uint64_t generation);
/* Keeps an answer in memory and in Redis. */
void answer_cache_put(struct answer_cache *cache, int64_t tenant_id, const char *file_id, uint64_t generation,
		      struct shared_bytes *answer);
