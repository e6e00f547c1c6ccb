/*
 * What passes between extractd's threads: claimed jobs from the queue thread to the supervisor, outcomes back. Each
 * side sleeps on its own eventfd. Everything here is under one lock, which is held for list surgery only.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/meta/jobs.h"

struct ready_job {
	struct job_row row;
	int64_t claimed_ns; /* monotonic */
	struct ready_job *next;
};

struct exchange {
	pthread_mutex_t lock;
	struct ready_job *claimed, **claimed_end;
	struct job_outcome *outcomes, **outcomes_end;
	int window[JOB_LANE_COUNT];  /* how many jobs of a lane the supervisor wants to have, those that run included */
	size_t outcome_bytes;	     /* of results that are not in PostgreSQL yet */
	bool is_draining;	     /* no more claims */
	bool takes_no_jobs;	     /* the supervisor has ended */
	bool is_closing;	     /* the last outcome was given: write it and end */
	bool was_hinted;	     /* something may have been queued */
	int supervisor_fd, queue_fd; /* eventfds */
};

int exchange_init(struct exchange *exchange);
void exchange_release(struct exchange *exchange); /* frees what was not taken */

/* The queue thread. Jobs are handed over; false: nobody takes them any more, they stay the caller's. */
bool exchange_give_jobs(struct exchange *exchange, struct ready_job *jobs);
struct job_outcome *exchange_take_outcomes(struct exchange *exchange);
void exchange_forget_bytes(struct exchange *exchange, size_t bytes); /* they are in PostgreSQL now */

/* The supervisor. Outcomes are handed over. */
struct ready_job *exchange_take_jobs(struct exchange *exchange);
/* The last that are to be taken: from now on the queue thread gives back what it has just claimed. */
struct ready_job *exchange_take_last_jobs(struct exchange *exchange);
void exchange_give_outcome(struct exchange *exchange, struct job_outcome *outcome);
void exchange_set_window(struct exchange *exchange, enum job_lane lane, int window);
size_t exchange_outcome_bytes(struct exchange *exchange);
void exchange_drain(struct exchange *exchange);
void exchange_close(struct exchange *exchange);

/* Anyone: something may have been queued. */
void exchange_hint(struct exchange *exchange);
/* Empties an eventfd after poll() said so. */
void exchange_clear(int event_fd);

size_t outcome_bytes(const struct job_outcome *outcome);
