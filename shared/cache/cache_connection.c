#include "shared/cache/cache_connection.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	CONNECT_TIMEOUT_MS = 250,
	COMMAND_TIMEOUT_MS = 250,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 5000,
	REFUSALS_LOGGED_EVERY_S = 10, /* a forgotten password would fill the log with a line a request */
	IDLE_MAX = 16,		      /* connections kept open */
};

struct cache {
	bool is_off; /* url was "" */
	struct cache_address address;

	pthread_mutex_t lock;
	redisContext *idle[IDLE_MAX]; /* lock */
	int idle_count;		      /* lock */
	int64_t away_until_ns;	      /* lock: monotonic; nobody tries before */
	int backoff_ms;		      /* lock: 0 while it is up */
	int64_t refusal_logged_ns;    /* lock: monotonic */
	int refusals_unlogged;	      /* lock */
};

/* hiredis writes to its socket without MSG_NOSIGNAL. */
static void ignore_sigpipe(void)
{
	struct sigaction now, ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		sigaction(SIGPIPE, &ignore, NULL);
}

int cache_new(const char *url, struct cache **ret_cache)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	int r = 0;

	if (!cache)
		return -ENOMEM;
	cache->is_off = !*url;
	if (!cache->is_off)
		r = cache_url_parse(url, &cache->address);
	if (r == 0 && cache->address.is_tls && !cache_tls_is_there()) {
		log_error("REDIS_URL is rediss://, but this program was built without hiredis' TLS (libhiredis_ssl)");
		cache_address_release(&cache->address);
		r = -EPROTONOSUPPORT;
	}
	if (r < 0) {
		free(cache);
		return r;
	}
	pthread_mutex_init(&cache->lock, NULL);
	ignore_sigpipe();
	*ret_cache = cache;
	return 0;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (int i = 0; i < cache->idle_count; i++)
		redisFree(cache->idle[i]);
	pthread_mutex_destroy(&cache->lock);
	cache_address_release(&cache->address);
	free(cache);
}

/* --- up and away --- */

static void note_failure(struct cache *cache, const char *reason)
{
	bool was_up;

	pthread_mutex_lock(&cache->lock);
	was_up = cache->backoff_ms == 0;
	cache->backoff_ms = was_up ? BACKOFF_FIRST_MS : cache->backoff_ms * 2;
	if (cache->backoff_ms > BACKOFF_MAX_MS)
		cache->backoff_ms = BACKOFF_MAX_MS;
	cache->away_until_ns = clock_monotonic_ns() + cache->backoff_ms * NS_PER_MS;
	pthread_mutex_unlock(&cache->lock);
	if (was_up)
		log_warn("redis is away; going on without it", "reason", reason);
}

static void note_refusal(struct cache *cache, const char *command, const char *reason)
{
	int64_t now_ns = clock_monotonic_ns();
	int unlogged = -1;

	pthread_mutex_lock(&cache->lock);
	if (cache->refusal_logged_ns == 0 || now_ns - cache->refusal_logged_ns >= REFUSALS_LOGGED_EVERY_S * NS_PER_S) {
		unlogged = cache->refusals_unlogged;
		cache->refusals_unlogged = 0;
		cache->refusal_logged_ns = now_ns;
	} else {
		cache->refusals_unlogged++;
	}
	pthread_mutex_unlock(&cache->lock);
	if (unlogged >= 0)
		log_warn("redis refused a command", "command", command, "reason", reason, "before",
			 log_number(unlogged));
}

static void put(struct cache *cache, redisContext *connection)
{
	bool was_away;

	pthread_mutex_lock(&cache->lock);
	was_away = cache->backoff_ms > 0;
	cache->backoff_ms = 0;
	cache->away_until_ns = 0;
	if (cache->idle_count < IDLE_MAX) {
		cache->idle[cache->idle_count++] = connection;
		connection = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	redisFree(connection);
	if (was_away)
		log_info("redis is back");
}

/* --- connecting --- */

static struct timeval timeout_of(int timeout_ms)
{
	return (struct timeval){.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
}

/* A command on a connection not yet in the pool: only success counts. The answer may quote nothing of ours but its own
 * words. */
static bool is_accepted(redisContext *connection, const struct cache_command *command, char *ret_reason, size_t size)
{
	redisReply *reply = redisCommandArgv(connection, command->count, (const char **)(uintptr_t)command->arguments,
					     command->lengths);
	bool is_ok = reply && reply->type != REDIS_REPLY_ERROR;

	if (!is_ok)
		snprintf(ret_reason, size, "%s", reply ? reply->str : connection->errstr);
	freeReplyObject(reply);
	return is_ok;
}

static bool log_in(const struct cache_address *address, redisContext *connection, char *ret_reason, size_t size)
{
	struct cache_command command;
	char number[24];

	if (address->password) {
		command_begin(&command, "AUTH");
		if (address->user)
			command_add(&command, address->user);
		command_add(&command, address->password);
		if (!is_accepted(connection, &command, ret_reason, size))
			return false;
	}
	if (address->database != 0) {
		command_begin(&command, "SELECT");
		command_add_number(&command, number, address->database);
		if (!is_accepted(connection, &command, ret_reason, size))
			return false;
	}
	return true;
}

static redisContext *open_connection(const struct cache_address *address, char *ret_reason, size_t size)
{
	struct timeval timeout = timeout_of(CONNECT_TIMEOUT_MS);
	redisContext *connection = address->path ? redisConnectUnixWithTimeout(address->path, timeout)
						 : redisConnectWithTimeout(address->host, address->port, timeout);

	if (!connection || connection->err) {
		snprintf(ret_reason, size, "%s", connection ? connection->errstr : "no memory");
		redisFree(connection);
		return NULL;
	}
	redisSetTimeout(connection, timeout_of(COMMAND_TIMEOUT_MS));
	if (address->is_tls && cache_tls_start(connection, address->host) < 0)
		snprintf(ret_reason, size, "TLS: %s", connection->errstr);
	else if (log_in(address, connection, ret_reason, size))
		return connection;
	redisFree(connection);
	return NULL;
}

/* Redis sends nothing unasked: what can be read is the end. */
static bool is_stale(const redisContext *connection)
{
	struct pollfd news = {.fd = connection->fd, .events = POLLIN};

	return poll(&news, 1, 0) != 0;
}

/* An idle connection, or NULL and whether the caller may open one. */
static redisContext *take(struct cache *cache, bool *ret_may_open)
{
	redisContext *connection = NULL;
	int64_t now_ns = clock_monotonic_ns();

	pthread_mutex_lock(&cache->lock);
	if (cache->idle_count > 0)
		connection = cache->idle[--cache->idle_count];
	*ret_may_open = now_ns >= cache->away_until_ns;
	/* While it is away one at a time tries; the others go on at once. */
	if (!connection && *ret_may_open && cache->backoff_ms > 0)
		cache->away_until_ns = now_ns + cache->backoff_ms * NS_PER_MS;
	pthread_mutex_unlock(&cache->lock);
	return connection;
}

static int get(struct cache *cache, redisContext **ret_connection)
{
	char reason[160] = "";
	redisContext *connection;
	bool may_open;

	if (cache->is_off)
		return -EAGAIN;
	while ((connection = take(cache, &may_open)) != NULL && is_stale(connection))
		redisFree(connection);
	if (!connection && !may_open)
		return -EAGAIN;
	if (!connection)
		connection = open_connection(&cache->address, reason, sizeof(reason));
	if (!connection) {
		note_failure(cache, reason);
		return -EAGAIN;
	}
	*ret_connection = connection;
	return 0;
}

/* --- commands --- */

void command_begin(struct cache_command *command, const char *name)
{
	command->count = 0;
	command->error = 0;
	command_add(command, name);
}

void command_add_bytes(struct cache_command *command, const void *bytes, size_t length)
{
	if (command->count >= CACHE_ARGUMENTS_MAX) {
		command->error = -E2BIG;
		return;
	}
	command->arguments[command->count] = bytes;
	command->lengths[command->count++] = length;
}

void command_add(struct cache_command *command, const char *text)
{
	command_add_bytes(command, text, strlen(text));
}

void command_add_number(struct cache_command *command, char buffer[24], int64_t value)
{
	snprintf(buffer, 24, "%lld", (long long)value);
	command_add(command, buffer);
}

void command_add_pairs(struct cache_command *command, const char *const *pairs)
{
	for (; *pairs; pairs++)
		command_add(command, *pairs);
}

static void drop_replies(redisReply **replies, int count)
{
	for (int i = 0; i < count; i++)
		freeReplyObject(replies[i]);
}

/* Sends all, reads all. -EIO: the connection is of no more use. */
static int exchange(redisContext *connection, const struct cache_command *commands, int count, redisReply **replies)
{
	for (int i = 0; i < count; i++) {
		if (redisAppendCommandArgv(connection, commands[i].count,
					   (const char **)(uintptr_t)commands[i].arguments,
					   commands[i].lengths) != REDIS_OK)
			return -EIO;
	}
	for (int i = 0; i < count; i++) {
		void *reply = NULL;

		if (redisGetReply(connection, &reply) != REDIS_OK) {
			drop_replies(replies, i);
			return -EIO;
		}
		replies[i] = reply;
	}
	return 0;
}

/* EXEC answers with an array that may hold errors of its own. */
static const redisReply *find_error(redisReply *const *replies, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const redisReply *error = NULL;

		if (replies[i]->type == REDIS_REPLY_ERROR)
			return replies[i];
		if (replies[i]->type == REDIS_REPLY_ARRAY)
			error = find_error(replies[i]->element, replies[i]->elements);
		if (error)
			return error;
	}
	return NULL;
}

int cache_run(struct cache *cache, const struct cache_command *commands, int count, redisReply **ret_replies)
{
	redisReply *replies[CACHE_COMMANDS_MAX];
	redisContext *connection;
	const redisReply *error;
	int r;

	for (int i = 0; i < count; i++) {
		if (commands[i].error < 0)
			return commands[i].error;
	}
	r = get(cache, &connection);
	if (r < 0)
		return r;
	if (exchange(connection, commands, count, replies) < 0) {
		note_failure(cache, connection->errstr);
		redisFree(connection);
		return -EAGAIN;
	}
	put(cache, connection);
	error = find_error(replies, (size_t)count);
	if (error) {
		note_refusal(cache, commands[0].arguments[0], error->str);
		drop_replies(replies, count);
		return -EAGAIN;
	}
	for (int i = 0; i < count; i++)
		ret_replies[i] = replies[i];
	return 0;
}

int cache_run_plain(struct cache *cache, const struct cache_command *commands, int count)
{
	redisReply *replies[CACHE_COMMANDS_MAX];
	int r = cache_run(cache, commands, count, replies);

	if (r == 0)
		drop_replies(replies, count);
	return r;
}
