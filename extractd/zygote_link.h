/*
 * The daemon's end of a zygote: starting it, asking for children, hearing how they ended (worker/protocol.h). It says
 * nothing a tenant could have written, but a zygote is still read with care: its children are forks of it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "extractd/settings.h"
#include "extractd/worker/protocol.h"

struct zygote_link {
	pid_t pid; /* 0: not running */
	int fd;	   /* -1 */
	bool is_ready;
	unsigned failed_starts;
	int64_t not_before_ns;		/* monotonic: do not start it again earlier */
	char failure[ZYGOTE_TEXT_SIZE]; /* why it gave up; "" */
};

void zygote_link_init(struct zygote_link *link);
/* Starts extract-worker --zygote with nothing of ours but one socket. Must be called from the main thread (it dies with
 * it). */
int zygote_link_start(struct zygote_link *link, const struct extract_settings *settings, enum crew_kind kind);
/* Closes the socket, which ends it, and reaps it; waits a moment, then kills. now_ns decides when it may start again.
 */
void zygote_link_stop(struct zygote_link *link, int64_t now_ns);
/* child_fd: the child's end, stays the caller's. -EAGAIN: later. -EPIPE: the zygote is gone. */
int zygote_link_ask(struct zygote_link *link, uint32_t serial, int child_fd);
/* 1: *ret_report, and *ret_pidfd (the caller's, or -1). 0: nothing more for now. -EPIPE: the zygote is gone. */
int zygote_link_read(struct zygote_link *link, struct zygote_report *ret_report, int *ret_pidfd);
