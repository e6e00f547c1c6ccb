#include "fusefs/runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "shared/base/clock.h"

enum { RUNNER_THREADS_MAX = 16 };

struct job {
	struct job *next;
	runner_fn *run;
	void *context;
	int64_t due_ns; /* monotonic; 0: at once */
};

struct runner {
	pthread_mutex_t lock;
	pthread_cond_t wake;	  /* by CLOCK_MONOTONIC */
	struct job *first, *last; /* lock: ready */
	struct job *later;	  /* lock: by due_ns, ascending */
	bool is_ending;		  /* lock */
	int thread_count;
	pthread_t threads[RUNNER_THREADS_MAX];
};

static void append(struct runner *runner, struct job *job)
{
	job->next = NULL;
	if (runner->last)
		runner->last->next = job;
	else
		runner->first = job;
	runner->last = job;
}

static void promote_due(struct runner *runner)
{
	int64_t now_ns = runner->later ? clock_monotonic_ns() : 0;

	while (runner->later && (runner->is_ending || runner->later->due_ns <= now_ns)) {
		struct job *job = runner->later;

		runner->later = job->next;
		append(runner, job);
	}
}

static void wait_for_work(struct runner *runner)
{
	struct timespec until;

	if (!runner->later) {
		pthread_cond_wait(&runner->wake, &runner->lock);
		return;
	}
	until.tv_sec = (time_t)(runner->later->due_ns / NS_PER_S);
	until.tv_nsec = (long)(runner->later->due_ns % NS_PER_S);
	pthread_cond_timedwait(&runner->wake, &runner->lock, &until);
}

static struct job *take(struct runner *runner)
{
	struct job *job;

	pthread_mutex_lock(&runner->lock);
	for (;;) {
		promote_due(runner);
		job = runner->first;
		if (job || runner->is_ending)
			break;
		wait_for_work(runner);
	}
	if (job) {
		runner->first = job->next;
		if (!runner->first)
			runner->last = NULL;
	}
	pthread_mutex_unlock(&runner->lock);
	return job;
}

static void *work(void *context)
{
	struct runner *runner = context;
	struct job *job;

	while ((job = take(runner))) {
		job->run(job->context);
		free(job);
	}
	return NULL;
}

int runner_new(int threads, struct runner **ret_runner)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	pthread_condattr_t attributes;

	if (!runner)
		return -ENOMEM;
	pthread_mutex_init(&runner->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&runner->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	for (int i = 0; i < threads && i < RUNNER_THREADS_MAX; i++) {
		int error = pthread_create(&runner->threads[i], NULL, work, runner);

		if (error) {
			runner_free(runner);
			return -error;
		}
		runner->thread_count++;
	}
	*ret_runner = runner;
	return 0;
}

void runner_free(struct runner *runner)
{
	struct job *job;

	if (!runner)
		return;
	pthread_mutex_lock(&runner->lock);
	runner->is_ending = true;
	pthread_cond_broadcast(&runner->wake);
	pthread_mutex_unlock(&runner->lock);
	for (int i = 0; i < runner->thread_count; i++)
		pthread_join(runner->threads[i], NULL);
	/* The last jobs may have added others after the threads saw an empty queue. */
	while ((job = take(runner))) {
		job->run(job->context);
		free(job);
	}
	pthread_cond_destroy(&runner->wake);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
}

static void insert_later(struct runner *runner, struct job *job)
{
	struct job **at = &runner->later;

	while (*at && (*at)->due_ns <= job->due_ns)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
}

void runner_add_later(struct runner *runner, int64_t delay_ms, runner_fn *run, void *context)
{
	struct job *job = malloc(sizeof(*job));

	if (!job) {
		run(context);
		return;
	}
	*job = (struct job){.run = run, .context = context};
	pthread_mutex_lock(&runner->lock);
	if (delay_ms > 0) {
		job->due_ns = clock_monotonic_ns() + delay_ms * NS_PER_MS;
		insert_later(runner, job);
	} else {
		append(runner, job);
	}
	pthread_cond_signal(&runner->wake);
	pthread_mutex_unlock(&runner->lock);
}

void runner_add(struct runner *runner, runner_fn *run, void *context)
{
	runner_add_later(runner, 0, run, context);
}
