/*
 * Between extractd and its zygotes: one SOCK_SEQPACKET pair, the zygote's only descriptor beside /dev/null.
 *
 * The daemon asks for a child by sending a request together with that child's end of a stream socket pair; the job and
 * the frames then go over the pair (shared/base/frame.h), past the zygote. The zygote reports: once that it is ready,
 * each child's pid with its pidfd, and how each child ended, since only a parent learns that.
 */
#pragma once
#include <stdint.h>

enum { ZYGOTE_CONTROL_FD = 3, ZYGOTE_TEXT_SIZE = 232 };

struct zygote_request {
	uint32_t serial; /* names the child in reports */
};

enum zygote_report_kind {
	ZYGOTE_READY = 1, /* status: the version of Landlock, 0 for none */
	ZYGOTE_FAILED,	  /* status: errno, text: what. It exits afterwards */
	ZYGOTE_WARNING,	  /* text */
	ZYGOTE_SPAWNED,	  /* serial, pid, and the pidfd beside it. pid < 0: negative errno, no child and no pidfd */
	ZYGOTE_EXITED	  /* serial, pid, status as of wait(2), max_rss_kib */
};

struct zygote_report {
	uint32_t kind, serial;
	int32_t pid, status;
	int64_t max_rss_kib;
	char text[ZYGOTE_TEXT_SIZE]; /* NUL-terminated */
};

/* How a child ends when it does not die of a signal. */
enum worker_exit {
	WORKER_EXIT_OK = 0, /* FRAME_DONE was sent, or there was no job */
	WORKER_EXIT_MEMORY = 10,
	WORKER_EXIT_SHORT_INPUT, /* the file is shorter than the job says */
	WORKER_EXIT_NO_READER,
	WORKER_EXIT_NO_SANDBOX,
	WORKER_EXIT_BAD_JOB,
	WORKER_EXIT_NOT_MINE, /* a worker for texts alone found something else; nothing was said about it yet */
	WORKER_EXIT_OTHER
};
