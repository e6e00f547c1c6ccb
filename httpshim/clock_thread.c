#include "httpshim/clock_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "httpshim/connection.h"
#include "httpshim/metrics.h"
#include "httpshim/parking.h"
#include "httpshim/rate_limit.h"
#include "httpshim/server.h"
#include "httpshim/thread.h"

struct clock_thread {
	struct server *server;
	pthread_t thread;
	pthread_mutex_t lock; /* guards is_stopping */
	pthread_cond_t stop;
	bool is_stopping;
};

static void tick(struct server *server)
{
	int cut_off = connections_check(server->connections);

	if (cut_off > 0)
		metrics_add(server->metrics, METRIC_CUT_OFF, (uint64_t)cut_off);
	rate_limit_exchange(server->rate_limit);
	parking_wake(server->parking, 0);
}

static void *run(void *context)
{
	struct clock_thread *clock = context;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&clock->lock);
	while (!clock->is_stopping) {
		next.tv_sec++;
		while (!clock->is_stopping && pthread_cond_timedwait(&clock->stop, &clock->lock, &next) == 0)
			;
		if (clock->is_stopping)
			break;
		pthread_mutex_unlock(&clock->lock);
		tick(clock->server);
		clock_gettime(CLOCK_MONOTONIC, &next);
		pthread_mutex_lock(&clock->lock);
	}
	pthread_mutex_unlock(&clock->lock);
	return NULL;
}

int clock_thread_start(struct server *server, struct clock_thread **ret_thread)
{
	struct clock_thread *clock = calloc(1, sizeof(*clock));
	pthread_condattr_t monotonic;
	int r;

	if (!clock)
		return -ENOMEM;
	clock->server = server;
	pthread_mutex_init(&clock->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&clock->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = thread_start(&clock->thread, 0, run, clock);
	if (r < 0) {
		free(clock);
		return r;
	}
	*ret_thread = clock;
	return 0;
}

void clock_thread_stop(struct clock_thread *clock)
{
	if (!clock)
		return;
	pthread_mutex_lock(&clock->lock);
	clock->is_stopping = true;
	pthread_cond_signal(&clock->stop);
	pthread_mutex_unlock(&clock->lock);
	pthread_join(clock->thread, NULL);
	pthread_cond_destroy(&clock->stop);
	pthread_mutex_destroy(&clock->lock);
	free(clock);
}
