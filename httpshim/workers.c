#include "httpshim/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "httpshim/thread.h"
#include "shared/base/clock.h"

enum { STACK_BYTES = 256 * 1024 };

struct workers {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t work, done;
	struct job *first, **last;
	int waiting, idle, running, thread_count;
	bool is_stopping;
	pthread_t threads[];
};

static struct job *take(struct workers *workers)
{
	struct job *job = workers->first;

	workers->first = job->next;
	if (!workers->first)
		workers->last = &workers->first;
	workers->waiting--;
	return job;
}

static void *work(void *context)
{
	struct workers *workers = context;

	pthread_mutex_lock(&workers->lock);
	workers->running++;
	for (;;) {
		struct job *job;

		while (!workers->first && !workers->is_stopping) {
			workers->idle++;
			pthread_cond_wait(&workers->work, &workers->lock);
			workers->idle--;
		}
		if (!workers->first)
			break;
		job = take(workers);
		pthread_mutex_unlock(&workers->lock);
		job->run(job);
		pthread_mutex_lock(&workers->lock);
	}
	workers->running--;
	pthread_cond_broadcast(&workers->done);
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

static int start_threads(struct workers *workers, int count)
{
	int r = 0;

	for (int i = 0; i < count && r == 0; i++) {
		r = thread_start(&workers->threads[i], STACK_BYTES, work, workers);
		if (r < 0)
			break;
		pthread_mutex_lock(&workers->lock);
		workers->thread_count++;
		pthread_mutex_unlock(&workers->lock);
	}
	return r;
}

int workers_new(int thread_count, struct workers **ret_workers)
{
	struct workers *workers = calloc(1, sizeof(*workers) + (size_t)thread_count * sizeof(pthread_t));
	pthread_condattr_t monotonic;
	int r;

	if (!workers)
		return -ENOMEM;
	workers->last = &workers->first;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->work, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&workers->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = start_threads(workers, thread_count);
	if (r < 0) {
		if (workers_stop(workers, 1000))
			workers_free(workers);
		return r;
	}
	*ret_workers = workers;
	return 0;
}

bool workers_stop(struct workers *workers, int timeout_ms)
{
	struct timespec deadline;
	int r = 0;
	bool is_done;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += timeout_ms % 1000 * NS_PER_MS;
	if (deadline.tv_nsec >= NS_PER_S) {
		deadline.tv_sec++;
		deadline.tv_nsec -= NS_PER_S;
	}
	pthread_mutex_lock(&workers->lock);
	workers->is_stopping = true;
	pthread_cond_broadcast(&workers->work);
	while (workers->running > 0 && r == 0)
		r = pthread_cond_timedwait(&workers->done, &workers->lock, &deadline);
	is_done = workers->running == 0;
	pthread_mutex_unlock(&workers->lock);
	if (!is_done)
		return false;
	for (int i = 0; i < workers->thread_count; i++)
		pthread_join(workers->threads[i], NULL);
	workers->thread_count = 0;
	return true;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_cond_destroy(&workers->work);
	pthread_cond_destroy(&workers->done);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

void workers_submit(struct workers *workers, struct job *job)
{
	bool is_stopped;

	job->next = NULL;
	pthread_mutex_lock(&workers->lock);
	is_stopped = workers->is_stopping && workers->running == 0;
	if (!is_stopped) {
		*workers->last = job;
		workers->last = &job->next;
		workers->waiting++;
		if (workers->idle > 0)
			pthread_cond_signal(&workers->work);
	}
	pthread_mutex_unlock(&workers->lock);
	if (is_stopped)
		job->run(job);
}

int workers_waiting(struct workers *workers)
{
	int waiting;

	pthread_mutex_lock(&workers->lock);
	waiting = workers->waiting;
	pthread_mutex_unlock(&workers->lock);
	return waiting;
}
