/* Connections for threads that come and go: the one given back last is taken first, so that the others may grow cold.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shared/base/clock.h"
#include "shared/db/db_connection.h"

struct db_pool {
	char *url, *application_name;
	int max_connections;

	pthread_mutex_t lock;
	pthread_cond_t given_back;
	int open_count;	  /* lock: idle ones, those in use, and those being opened */
	int idle_count;	  /* lock */
	struct db **idle; /* lock: max_connections places */
};

int db_pool_new(const char *database_url, const char *application_name, int max_connections, struct db_pool **ret_pool)
{
	struct db_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attributes;

	assert(max_connections > 0);
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->given_back, &attributes);
	pthread_condattr_destroy(&attributes);
	pool->max_connections = max_connections;
	pool->url = strdup(database_url);
	pool->application_name = strdup(application_name);
	pool->idle = calloc((size_t)max_connections, sizeof(struct db *));
	if (!pool->url || !pool->application_name || !pool->idle) {
		db_pool_free(pool);
		return -ENOMEM;
	}
	*ret_pool = pool;
	return 0;
}

void db_pool_free(struct db_pool *pool)
{
	if (!pool)
		return;
	assert(pool->open_count == pool->idle_count);
	for (int i = 0; i < pool->idle_count; i++)
		db_close(pool->idle[i]);
	pthread_cond_destroy(&pool->given_back);
	pthread_mutex_destroy(&pool->lock);
	if (pool->url)
		explicit_bzero(pool->url, strlen(pool->url));
	free(pool->url);
	free(pool->application_name);
	free(pool->idle);
	free(pool);
}

/* Nothing comes unasked to an idle connection but the news that it ends; a harmless notice costs us a new one. */
static bool is_alive(struct db *db)
{
	struct pollfd news = {.fd = db_socket(db), .events = POLLIN};

	return !db_is_lost(db) && poll(&news, 1, 0) == 0;
}

/* 1: *ret_db is an idle one; 0: the caller may open one (counted already); -ETIMEDOUT. */
static int take_or_count(struct db_pool *pool, int64_t deadline_ns, struct db **ret_db)
{
	struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	while (pool->idle_count == 0 && pool->open_count >= pool->max_connections && r == 0)
		r = pthread_cond_timedwait(&pool->given_back, &pool->lock, &until);
	if (pool->idle_count > 0) {
		*ret_db = pool->idle[--pool->idle_count];
		r = 1;
	} else if (pool->open_count < pool->max_connections) {
		pool->open_count++;
		r = 0;
	} else {
		r = -ETIMEDOUT;
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}

static void uncount(struct db_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->open_count--;
	pthread_cond_signal(&pool->given_back);
	pthread_mutex_unlock(&pool->lock);
}

int db_pool_get(struct db_pool *pool, int timeout_ms, struct db **ret_db)
{
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	int64_t left_ms;
	struct db *db;
	int r;

	while ((r = take_or_count(pool, deadline_ns, &db)) > 0) {
		if (is_alive(db)) {
			*ret_db = db;
			return 0;
		}
		db_close(db);
		uncount(pool);
	}
	if (r < 0)
		return r;
	left_ms = (deadline_ns - clock_monotonic_ns()) / NS_PER_MS;
	r = db_open(pool->url, pool->application_name, left_ms > 0 ? (int)left_ms : 0, ret_db);
	if (r < 0)
		uncount(pool);
	return r;
}

void db_pool_put(struct db_pool *pool, struct db *db)
{
	if (!db)
		return;
	db_rollback(db);
	if (db_is_lost(db) || db->in_pipeline) {
		db_close(db);
		uncount(pool);
		return;
	}
	db_set_timeout(db, DB_TIMEOUT_MS);
	pthread_mutex_lock(&pool->lock);
	pool->idle[pool->idle_count++] = db;
	pthread_cond_signal(&pool->given_back);
	pthread_mutex_unlock(&pool->lock);
}
