/* The queue thread's other half: outcomes into PostgreSQL, and afterwards the word to everyone who waits for them. */
#pragma once
#include "extractd/carrier.h"
#include "extractd/exchange.h"
#include "extractd/held.h"
#include "extractd/touch.h"

struct queue_finish {
	struct exchange *exchange;
	struct carrier *carrier;
	struct toucher *toucher;
	struct job_outcome *pending; /* not in PostgreSQL yet, oldest first */
	int64_t retry_at_ns;	     /* monotonic: a job that was put back becomes ready; 0: none */
};

void queue_finish_init(struct queue_finish *finish, struct exchange *exchange, struct carrier *carrier,
		       struct toucher *toucher);
void queue_finish_release(struct queue_finish *finish);
void queue_finish_take(struct queue_finish *finish, struct exchange *exchange);
/* Writes all that is pending, in batches. How many were settled, or -EAGAIN: the rest stays pending. */
int queue_finish_write(struct queue_finish *finish, struct db *db, struct held *held, int64_t now_ns);
