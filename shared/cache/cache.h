/*
 * Redis: hints only. Losing it costs latency, never correctness: every call fails fast (short timeouts, a pause after a
 * failure before it tries again) and callers go on without. One struct cache is one connection; the pool is
 * thread-safe. hiredis 0.14 calls only. From cache_new on the process ignores SIGPIPE (hiredis writes without
 * MSG_NOSIGNAL), unless it has a handler of its own.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache; /* a thread-safe pool of connections */

/* url: redis://[:password@]host[:port][/db], rediss:// (TLS where hiredis has it), unix:///path?db=N; "" : always away.
 * -EINVAL: none of these. -EPROTONOSUPPORT: rediss:// without TLS in hiredis (logged). Does not connect yet. */
int cache_new(const char *url, struct cache **ret_cache);
void cache_free(struct cache *cache);  /* no thread is in a call any more */
bool cache_is_up(struct cache *cache); /* PING with the short timeout */

/* -ENOENT: not there. -EAGAIN: Redis is away, or refused (logged). The value is the caller's to free, with a NUL behind
 * it. */
int cache_get(struct cache *cache, const char *key, char **ret_value, size_t *ret_length);
int cache_set(struct cache *cache, const char *key, const void *value, size_t length, int ttl_s);
int cache_delete(struct cache *cache, const char *key);
/* Hashes: fields and values as name, value, …, NULL; 32 pairs at most (-E2BIG). */
int cache_hash_set(struct cache *cache, const char *key, int ttl_s, const char *const *pairs);
/* ret_pairs: a NULL-terminated array of name, value, … (one allocation, free() it). Renews the TTL when ttl_s > 0. */
int cache_hash_get(struct cache *cache, const char *key, int ttl_s, char ***ret_pairs);
/* One field of a hash: as cache_get. */
int cache_hash_get_field(struct cache *cache, const char *key, const char *field, char **ret_value, size_t *ret_length);
/* Counts hits in a window: increments and returns the new count, the key expires after window_s. */
int cache_count(struct cache *cache, const char *key, int window_s, int64_t *ret_count);
/* The same for several hits at once; 0 only asks. */
int cache_count_by(struct cache *cache, const char *key, int64_t hits, int window_s, int64_t *ret_count);
/* XADD key MAXLEN ~ max_length * field value …. */
int cache_stream_add(struct cache *cache, const char *key, int64_t max_length, const char *const *pairs);
