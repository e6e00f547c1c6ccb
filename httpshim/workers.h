/*
 * A few threads for what waits: PostgreSQL, Redis, the file system. The epoll threads never do.
 *
 * Jobs are intrusive and run in the order of their submission; a job may be submitted again from its own run(). A job that
 * would only wait (for a result, a notification) gives its thread back and is submitted by whoever wakes it.
 */
#pragma once
#include <stdbool.h>

struct workers;

struct job {
	void (*run)(struct job *job);
	struct job *next; /* the pool's */
};

int workers_new(int thread_count, struct workers **ret_workers);
/* Waits for running jobs up to timeout_ms. False: some still run; then the pool must not be freed. */
bool workers_stop(struct workers *workers, int timeout_ms);
void workers_free(struct workers *workers);
/* Never blocks. After workers_stop() jobs are still run, by the caller. */
void workers_submit(struct workers *workers, struct job *job);
int workers_waiting(struct workers *workers); /* jobs that no thread has taken yet */
