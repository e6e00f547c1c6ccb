/* What an attempt's end means for its job. */
#pragma once
#include "extractd/attempt.h"

enum { TRIES_MAX = 3 /* the first and two more */ };

/*
 * The outcome to give to the queue; takes the job and what was found out of the attempt. NULL on no memory (the lease
 * then expires). ocr_is_on: there is a lane for pages without text.
 */
struct job_outcome *verdict_of(struct attempt *attempt, bool ocr_is_on, int64_t now_ns);
/* A worker for texts alone has looked at the file and leaves it to others; nothing was found yet. */
bool verdict_is_not_mine(const struct attempt *attempt);
/* An outcome without an attempt: not begun, gone, or a file that cannot be opened. job is taken over. */
struct job_outcome *verdict_plain(struct ready_job *job, enum job_verdict verdict, const char *reason);
