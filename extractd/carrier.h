/*
 * The thread between PostgreSQL and Redis: results into the cache (a hint, dropped when Redis is away), events of the
 * outbox into the stream tenantfs:events (at least once, kept until Redis is back).
 */
#pragma once
#include <stdint.h>
#include "extractd/settings.h"
#include "shared/meta/jobs.h"

struct carrier;

int carrier_start(const struct extract_settings *settings, struct carrier **ret_carrier);
/* Ends the thread; what is in the outbox stays there. */
void carrier_stop(struct carrier *carrier);
/* The letters of a finished job; the bytes are copied. Any thread. */
void carrier_cache(struct carrier *carrier, int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE],
		   const struct buf *letters);
/* There may be new events. Any thread. */
void carrier_wake(struct carrier *carrier);
