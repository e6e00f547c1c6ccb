/*
 * Telling the mount that a file's extraction has changed: `user.tenantfs.touch` is set through the mount, by id, so
 * fusefs drops what it remembers and the kernel raises IN_ATTRIB for whoever waits.
 *
 * A mount that hangs takes the process that called it along, and not even a signal frees that. So a process of its own
 * does it, made before there are threads. When it does not answer for TOUCH_DEADLINE_MS it is abandoned for a while,
 * and listeners have the NOTIFY alone.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "shared/meta/jobs.h"

enum { TOUCH_DEADLINE_MS = 5000, TOUCH_PAUSE_MS = 30000 };

struct toucher {
	const char *mount_path; /* NULL: there is no mount to tell */
	pid_t pid;		/* 0: none */
	pid_t corpse;		/* one that was killed and may be not reaped yet; 0: none */
	int fd;			/* of a SOCK_SEQPACKET pair; -1 */
	unsigned unanswered;
	int64_t asked_ns;      /* monotonic: the oldest that is unanswered, about */
	int64_t not_before_ns; /* after it was abandoned */
};

void toucher_init(struct toucher *toucher, const char *mount_path);
void toucher_release(struct toucher *toucher);
/* Asks for one file. What cannot be asked is dropped. One thread. */
void toucher_ask(struct toucher *toucher, const struct job_file *file, int64_t now_ns);
/* Takes answers; gives up on a helper that hangs. Call after poll() on toucher->fd and now and then. */
void toucher_check(struct toucher *toucher, int64_t now_ns);
