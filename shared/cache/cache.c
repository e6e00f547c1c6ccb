/* What the programs ask of Redis. */
#include "shared/cache/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/cache/cache_connection.h"

bool cache_is_up(struct cache *cache)
{
	struct cache_command command;

	command_begin(&command, "PING");
	return cache_run_plain(cache, &command, 1) == 0;
}

/* Runs a command that answers with one text or nothing. */
static int get_text(struct cache *cache, const struct cache_command *command, char **ret_value, size_t *ret_length)
{
	redisReply *reply;
	char *value = NULL;
	int r;

	r = cache_run(cache, command, 1, &reply);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_STRING) {
		r = -ENOENT;
	} else {
		value = malloc(reply->len + 1U);
		r = value ? 0 : -ENOMEM;
	}
	if (value) {
		memcpy(value, reply->str, reply->len);
		value[reply->len] = '\0';
		if (ret_length)
			*ret_length = reply->len;
		*ret_value = value;
	}
	freeReplyObject(reply);
	return r;
}

int cache_get(struct cache *cache, const char *key, char **ret_value, size_t *ret_length)
{
	struct cache_command command;

	command_begin(&command, "GET");
	command_add(&command, key);
	return get_text(cache, &command, ret_value, ret_length);
}

int cache_hash_get_field(struct cache *cache, const char *key, const char *field, char **ret_value, size_t *ret_length)
{
	struct cache_command command;

	command_begin(&command, "HGET");
	command_add(&command, key);
	command_add(&command, field);
	return get_text(cache, &command, ret_value, ret_length);
}

int cache_set(struct cache *cache, const char *key, const void *value, size_t length, int ttl_s)
{
	struct cache_command command;
	char ttl[24];

	command_begin(&command, "SET");
	command_add(&command, key);
	command_add_bytes(&command, value, length);
	if (ttl_s > 0) {
		command_add(&command, "EX");
		command_add_number(&command, ttl, ttl_s);
	}
	return cache_run_plain(cache, &command, 1);
}

int cache_delete(struct cache *cache, const char *key)
{
	struct cache_command command;

	command_begin(&command, "DEL");
	command_add(&command, key);
	return cache_run_plain(cache, &command, 1);
}

static void expire(struct cache_command *command, const char *key, char number[24], int ttl_s)
{
	command_begin(command, "EXPIRE");
	command_add(command, key);
	command_add_number(command, number, ttl_s);
}

int cache_hash_set(struct cache *cache, const char *key, int ttl_s, const char *const *pairs)
{
	struct cache_command commands[4];
	char ttl[24];

	/* One transaction, or a key without a time to live might stay for ever. */
	command_begin(&commands[0], "MULTI");
	command_begin(&commands[1], "HSET");
	command_add(&commands[1], key);
	command_add_pairs(&commands[1], pairs);
	if (ttl_s > 0) {
		expire(&commands[2], key, ttl, ttl_s);
	} else {
		command_begin(&commands[2], "PERSIST");
		command_add(&commands[2], key);
	}
	command_begin(&commands[3], "EXEC");
	return cache_run_plain(cache, commands, 4);
}

/* The array and, behind it, the texts it points to. */
static char **copy_pairs(const redisReply *reply)
{
	size_t size = (reply->elements + 1) * sizeof(char *);
	char **pairs, *to;

	for (size_t i = 0; i < reply->elements; i++)
		size += reply->element[i]->len + 1U;
	pairs = malloc(size);
	if (!pairs)
		return NULL;
	to = (char *)(pairs + reply->elements + 1);
	for (size_t i = 0; i < reply->elements; i++) {
		pairs[i] = to;
		memcpy(to, reply->element[i]->str, reply->element[i]->len);
		to += reply->element[i]->len;
		*to++ = '\0';
	}
	pairs[reply->elements] = NULL;
	return pairs;
}

int cache_hash_get(struct cache *cache, const char *key, int ttl_s, char ***ret_pairs)
{
	struct cache_command commands[2];
	redisReply *replies[2] = {NULL, NULL};
	int r, count = ttl_s > 0 ? 2 : 1;
	char ttl[24];

	command_begin(&commands[0], "HGETALL");
	command_add(&commands[0], key);
	if (ttl_s > 0)
		expire(&commands[1], key, ttl, ttl_s);
	r = cache_run(cache, commands, count, replies);
	if (r < 0)
		return r;
	if (replies[0]->type != REDIS_REPLY_ARRAY || replies[0]->elements == 0) {
		r = -ENOENT;
	} else {
		char **pairs = copy_pairs(replies[0]);

		r = pairs ? 0 : -ENOMEM;
		if (pairs)
			*ret_pairs = pairs;
	}
	freeReplyObject(replies[0]);
	freeReplyObject(replies[1]);
	return r;
}

int cache_count(struct cache *cache, const char *key, int window_s, int64_t *ret_count)
{
	return cache_count_by(cache, key, 1, window_s, ret_count);
}

int cache_count_by(struct cache *cache, const char *key, int64_t hits, int window_s, int64_t *ret_count)
{
	struct cache_command commands[4];
	redisReply *replies[4];
	const redisReply *results;
	char window[24], number[24];
	int r;

	/* Within a transaction the key cannot expire between the two, which would leave one that never does. */
	command_begin(&commands[0], "MULTI");
	command_begin(&commands[1], "SET");
	command_add(&commands[1], key);
	command_add(&commands[1], "0");
	command_add(&commands[1], "EX");
	command_add_number(&commands[1], window, window_s);
	command_add(&commands[1], "NX");
	command_begin(&commands[2], "INCRBY");
	command_add(&commands[2], key);
	command_add_number(&commands[2], number, hits);
	command_begin(&commands[3], "EXEC");
	r = cache_run(cache, commands, 4, replies);
	if (r < 0)
		return r;
	results = replies[3];
	if (results->type == REDIS_REPLY_ARRAY && results->elements == 2 &&
	    results->element[1]->type == REDIS_REPLY_INTEGER)
		*ret_count = results->element[1]->integer;
	else
		r = -EAGAIN;
	for (int i = 0; i < 4; i++)
		freeReplyObject(replies[i]);
	return r;
}

int cache_stream_add(struct cache *cache, const char *key, int64_t max_length, const char *const *pairs)
{
	struct cache_command command;
	char length[24];

	command_begin(&command, "XADD");
	command_add(&command, key);
	command_add(&command, "MAXLEN");
	command_add(&command, "~");
	command_add_number(&command, length, max_length);
	command_add(&command, "*");
	command_add_pairs(&command, pairs);
	return cache_run_plain(cache, &command, 1);
}
