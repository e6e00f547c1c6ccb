/*
 * Tokens verified a moment ago, so that a client that asks a thousand times a second costs one signature; and the tokens that were
 * revoked before they expire. Thread-safe.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "shared/model/jwt.h"

struct token_cache;
struct db;

/* key is borrowed and may be NULL. */
int token_cache_new(const struct jwt_key *key, struct token_cache **ret_cache);
void token_cache_free(struct token_cache *cache);
/* As jwt_verify(); -EACCES: revoked. */
int token_cache_verify(struct token_cache *cache, const char *token, size_t length, int64_t now_s,
		       struct jwt_claims *ret_claims);
/* Reads the list of revoked tokens anew; at the start, when told by NOTIFY, and now and then. */
int token_cache_load_revoked(struct token_cache *cache, struct db *db);
