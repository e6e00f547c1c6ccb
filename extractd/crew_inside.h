/* Between crew.c (what comes in) and crew_schedule.c (what is begun). */
#pragma once
#include "extractd/crew.h"

/* Hands an outcome to the queue thread; logs what went wrong. NULL: there was no memory for it. */
void crew_give(struct crew *crew, struct job_outcome *outcome);
/* Judges a busy attempt. It may be gone afterwards. */
void crew_settle(struct crew *crew, struct attempt *attempt, int64_t now_ns);
