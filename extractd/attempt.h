/*
 * One child and, sooner or later, its one job: what is sent to it, what it answers, how it ends. Nothing it sends is
 * believed: lengths, types, UTF-8, JSON, sizes and order are checked before anything is kept.
 *
 *   ASKED   the zygote was asked for it
 *   WARM    it waits behind its sandbox
 *   BUSY    it has a job
 *   ENDING  what it had to say is settled; it is only waited for, and killed when it lingers
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "extractd/exchange.h"
#include "extractd/settings.h"
#include "shared/base/extraction.h"

enum attempt_state { ATTEMPT_ASKED, ATTEMPT_WARM, ATTEMPT_BUSY, ATTEMPT_ENDING };

/* Why the daemon ended it; NONE: it ended by itself. */
enum attempt_kill { KILL_NONE, KILL_TIME, KILL_MALFORMED, KILL_OVERFLOW, KILL_DRAIN };

struct attempt {
	enum attempt_state state;
	uint32_t serial;
	pid_t pid;		  /* 0: not known yet */
	int pidfd;		  /* -1 */
	int socket;		  /* -1: closed */
	bool has_ended, was_lost; /* the zygote told how / died before it could */
	int status;		  /* of wait(2), when has_ended */
	int64_t max_rss_kib;
	int64_t deadline_ns; /* monotonic; 0: none */
	int64_t begun_ns;
	enum attempt_kill killed;
	struct ready_job *job; /* owned; NULL unless BUSY */
	struct limits limits;
	struct extraction found;
	uint8_t *unread; /* bytes of a frame that is not complete */
	size_t unread_bytes, unread_capacity;
	struct attempt *next;
};

/* Makes the socket pair; *ret_child_fd is the child's end, the caller's to close. Negative errno. */
int attempt_new(uint32_t serial, struct attempt **ret_attempt, int *ret_child_fd);
void attempt_free(struct attempt *attempt);
/*
 * Gives the job (taken over on success) and the file. Negative errno: the child is no good any more.
 */
int attempt_begin(struct attempt *attempt, struct ready_job *job, int input_fd, const struct limits *limits,
		  int64_t now_ns);
/* Reads what there is. 0: goes on. 1: complete (FRAME_DONE). -EPIPE: it closed its end. -EBADMSG, -EOVERFLOW: it
 * misbehaves. */
int attempt_read(struct attempt *attempt);
/* The same for bytes that are here already. 0, 1, -EBADMSG, -EOVERFLOW, -ENOMEM. */
int attempt_take(struct attempt *attempt, const uint8_t *bytes, size_t length);
void attempt_kill(struct attempt *attempt, enum attempt_kill why);
/* Nothing more is wanted from it. */
void attempt_close(struct attempt *attempt);
