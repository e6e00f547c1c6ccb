/*
 * The thread that talks to the queue in PostgreSQL: claims what the supervisor wants, writes what became of it, hears
 * NOTIFY, and looks by itself every POLL_INTERVAL. While PostgreSQL is away it holds on to outcomes and tries again;
 * their leases may expire meanwhile, then someone else does them again.
 */
#pragma once
#include <pthread.h>
#include "extractd/carrier.h"
#include "extractd/exchange.h"
#include "extractd/settings.h"
#include "extractd/touch.h"

struct queue;

/* Starts the thread. All that is given must outlive it. */
int queue_start(const struct extract_settings *settings, struct exchange *exchange, struct carrier *carrier,
		struct queue **ret_queue);
/* After exchange_close(): waits until the last outcomes are written, or PostgreSQL stayed away too long. */
void queue_join(struct queue *queue);
