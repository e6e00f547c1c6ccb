#include "httpshim/token_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/digest.h"
#include "shared/db/db.h"

enum { SLOTS = 1024, TOKEN_KEPT_BYTES = 1024 };

struct slot {
	size_t length; /* 0: empty */
	char token[TOKEN_KEPT_BYTES];
	struct jwt_claims claims;
};

struct token_cache {
	const struct jwt_key *key;
	pthread_mutex_t lock; /* guards all below */
	struct slot *slots;   /* a token has one place, the later one wins it */
	char (*revoked)[64];  /* sorted ids */
	size_t revoked_count;
};

int token_cache_new(const struct jwt_key *key, struct token_cache **ret_cache)
{
	struct token_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->slots = calloc(SLOTS, sizeof(*cache->slots));
	if (!cache->slots) {
		free(cache);
		return -ENOMEM;
	}
	cache->key = key;
	pthread_mutex_init(&cache->lock, NULL);
	*ret_cache = cache;
	return 0;
}

void token_cache_free(struct token_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	free(cache->revoked);
	free(cache->slots);
	free(cache);
}

static int compare_ids(const void *left, const void *right)
{
	return strcmp(left, right);
}

/* Under the lock. */
static bool is_revoked(const struct token_cache *cache, const struct jwt_claims *claims)
{
	return claims->id[0] && cache->revoked_count > 0 &&
	       bsearch(claims->id, cache->revoked, cache->revoked_count, sizeof(*cache->revoked), compare_ids);
}

/* 0 found and good, -ENOENT not here, or the error that it has by now. */
static int look(struct token_cache *cache, const struct slot *slot, const char *token, size_t length, int64_t now_s,
		struct jwt_claims *ret_claims)
{
	int r = -ENOENT;

	pthread_mutex_lock(&cache->lock);
	if (slot->length == length && memcmp(slot->token, token, length) == 0) {
		r = now_s >= slot->claims.expires_at_s ? -EKEYEXPIRED : is_revoked(cache, &slot->claims) ? -EACCES : 0;
		if (r == 0)
			*ret_claims = slot->claims;
	}
	pthread_mutex_unlock(&cache->lock);
	return r;
}

int token_cache_verify(struct token_cache *cache, const char *token, size_t length, int64_t now_s,
		       struct jwt_claims *ret_claims)
{
	struct slot *slot = &cache->slots[checksum_xxh3(token, length) % SLOTS];
	struct jwt_claims claims;
	int r = -ENOENT;

	if (length > 0 && length <= TOKEN_KEPT_BYTES)
		r = look(cache, slot, token, length, now_s, ret_claims);
	if (r != -ENOENT)
		return r;
	r = jwt_verify(cache->key, token, length, now_s, &claims);
	if (r < 0)
		return r;
	pthread_mutex_lock(&cache->lock);
	if (is_revoked(cache, &claims))
		r = -EACCES;
	if (length <= TOKEN_KEPT_BYTES) {
		memcpy(slot->token, token, length);
		slot->length = length;
		slot->claims = claims;
	}
	pthread_mutex_unlock(&cache->lock);
	if (r == 0)
		*ret_claims = claims;
	return r;
}

int token_cache_load_revoked(struct token_cache *cache, struct db *db)
{
	struct db_result *result autoresult = NULL;
	char(*revoked)[64], (*before)[64];
	size_t count;
	int r;

	r = db_run(db, QUERY_API_REVOKED_TOKENS, NULL, &result);
	if (r < 0)
		return r;
	count = (size_t)db_rows(result);
	revoked = calloc(count ? count : 1, sizeof(*revoked));
	if (!revoked)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t length;
		const char *id = db_get_bytes(result, (int)i, 0, &length);

		if (id && length < sizeof(*revoked))
			memcpy(revoked[i], id, length);
	}
	qsort(revoked, count, sizeof(*revoked), compare_ids);
	pthread_mutex_lock(&cache->lock);
	before = cache->revoked;
	cache->revoked = revoked;
	cache->revoked_count = count;
	pthread_mutex_unlock(&cache->lock);
	free(before);
	return 0;
}
