/*
 * So many requests a minute for a user of a tenant; for callers without a token, for their address.
 *
 * Each shim counts in memory and never waits; a background thread adds its counts to Redis and learns the others', several times
 * a second. So the limit holds over all shims but for what passes within a fraction of a second, and without Redis for each alone.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct request;
struct cache;
struct rate_limit;

int rate_limit_new(int64_t requests_per_minute, struct cache *cache, struct rate_limit **ret_limit); /* 0: no limit */
void rate_limit_free(struct rate_limit *limit);
/* False: the answer is set, 429 with Retry-After. */
bool rate_limit_allows(struct request *request);
/* Exchanges counts with Redis; called now and then by one thread. */
void rate_limit_exchange(struct rate_limit *limit);
