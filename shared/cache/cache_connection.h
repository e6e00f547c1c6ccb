/* Connections to Redis and the pool of them. Nobody outside shared/cache includes this. */
#pragma once
#include <hiredis/hiredis.h>
#include "shared/cache/cache.h"
#include "shared/cache/cache_url.h"

enum { CACHE_ARGUMENTS_MAX = 72, CACHE_COMMANDS_MAX = 4 };

struct cache_command {
	int count;
	int error; /* -E2BIG: too many arguments */
	const char *arguments[CACHE_ARGUMENTS_MAX];
	size_t lengths[CACHE_ARGUMENTS_MAX];
};

void command_begin(struct cache_command *command, const char *name);
void command_add(struct cache_command *command, const char *text);
void command_add_bytes(struct cache_command *command, const void *bytes, size_t length);
void command_add_number(struct cache_command *command, char buffer[24], int64_t value);
void command_add_pairs(struct cache_command *command, const char *const *pairs);

/*
 * Runs commands in one round trip. ret_replies: count of them, the caller's (freeReplyObject). -EAGAIN: Redis is away,
 * or answered one of them with an error. -E2BIG.
 */
int cache_run(struct cache *cache, const struct cache_command *commands, int count, redisReply **ret_replies);
/* The same for one whose answer matters only as success. */
int cache_run_plain(struct cache *cache, const struct cache_command *commands, int count);

/* Wraps a fresh connection in TLS, verified against the system's certificates and the host's name. -EAGAIN;
 * -EPROTONOSUPPORT: hiredis was built without. */
int cache_tls_start(redisContext *context, const char *host);
bool cache_tls_is_there(void);
