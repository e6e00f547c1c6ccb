#include "httpshim/background.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "httpshim/assembly.h"
#include "httpshim/server.h"
#include "httpshim/thread.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/db/db.h"

enum { POLL_S = 15, SWEEP_EVERY_S = 300, WORKER_SIZE = 512, DATABASE_WAIT_MS = 2000 };

struct background {
	struct server *server;
	pthread_t thread;
	char worker[WORKER_SIZE]; /* the same after a restart, so that what was begun goes on at once */
	pthread_mutex_t lock;	  /* guards the two below */
	pthread_cond_t wake;
	bool is_stopping, was_woken;
};

/* What this shim had taken before it was ended is free again. -EAGAIN: PostgreSQL is away. */
static int give_back(struct background *background)
{
	struct db_params params autoparams = {0};
	struct db *db;
	int r;

	db_params_init(&params);
	db_param_text(&params, background->worker);
	r = db_pool_get(background->server->database, DATABASE_WAIT_MS, &db);
	if (r < 0)
		return r;
	r = db_run(db, QUERY_API_UPLOAD_GIVE_BACK, &params, NULL);
	db_pool_put(background->server->database, db);
	return r;
}

static bool is_stopping(struct background *background)
{
	bool stopping;

	pthread_mutex_lock(&background->lock);
	stopping = background->is_stopping;
	pthread_mutex_unlock(&background->lock);
	return stopping;
}

static void wait_for_work(struct background *background)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += POLL_S;
	pthread_mutex_lock(&background->lock);
	while (!background->is_stopping && !background->was_woken && r == 0)
		r = pthread_cond_timedwait(&background->wake, &background->lock, &until);
	background->was_woken = false;
	pthread_mutex_unlock(&background->lock);
}

static void *run(void *context)
{
	struct background *background = context;
	struct sweep_counts counts;
	bool is_clean = false;
	int64_t swept_ns = clock_monotonic_ns();

	while (!is_stopping(background)) {
		is_clean = is_clean || give_back(background) == 0;
		while (!is_stopping(background) && assembly_run_one(background->server, background->worker) == 1)
			;
		if (clock_monotonic_ns() - swept_ns > SWEEP_EVERY_S * NS_PER_S) {
			background_sweep(background->server, &counts);
			swept_ns = clock_monotonic_ns();
		}
		wait_for_work(background);
	}
	return NULL;
}

int background_start(struct server *server, struct background **ret_background)
{
	struct background *background = calloc(1, sizeof(*background));
	pthread_condattr_t monotonic;
	char host[256] = "";
	int r;

	if (!background)
		return -ENOMEM;
	background->server = server;
	gethostname(host, sizeof(host) - 1);
	snprintf(background->worker, sizeof(background->worker), "%s %.200s", host, config_listen(server->config));
	pthread_mutex_init(&background->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&background->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = thread_start(&background->thread, 0, run, background);
	if (r < 0) {
		free(background);
		return r;
	}
	*ret_background = background;
	return 0;
}

void background_wake(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	background->was_woken = true;
	pthread_cond_signal(&background->wake);
	pthread_mutex_unlock(&background->lock);
}

void background_stop(struct background *background)
{
	if (!background)
		return;
	pthread_mutex_lock(&background->lock);
	background->is_stopping = true;
	pthread_cond_signal(&background->wake);
	pthread_mutex_unlock(&background->lock);
	pthread_join(background->thread, NULL);
	pthread_cond_destroy(&background->wake);
	pthread_mutex_destroy(&background->lock);
	free(background);
}
