/*
 * A few threads that run what waited: parked requests whose answer has come, and work in the background (sharing equal
 * objects, settings that changed). Jobs run in the order they were added, several at once; none may wait for another
 * job.
 */
#pragma once
#include <stdint.h>

struct runner;

typedef void runner_fn(void *context);

int runner_new(int threads, struct runner **ret_runner);
/* Runs what is queued to its end, what is due later at once, then ends the threads. */
void runner_free(struct runner *runner);
/* From any thread, never waits. Without memory the job runs here and now. */
void runner_add(struct runner *runner, runner_fn *run, void *context);
void runner_add_later(struct runner *runner, int64_t delay_ms, runner_fn *run, void *context);
