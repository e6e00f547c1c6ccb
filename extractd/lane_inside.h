/* Between lane.c (what comes in) and lane_schedule.c (what is begun). */
#pragma once
#include "extractd/lane.h"

/* Hands an outcome to the queue thread; logs what went wrong. NULL: there was no memory for it. */
void lane_give(struct lane *lane, struct job_outcome *outcome);
/* Judges a busy attempt. It may be gone afterwards. */
void lane_settle(struct lane *lane, struct attempt *attempt, int64_t now_ns);
