/* What the daemon asks of a child. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/worker/limits.h"
#include "shared/base/digest.h"

enum { JOB_NAME_SIZE = 1024 };

struct job {
	uint64_t size_bytes;
	char name[JOB_NAME_SIZE]; /* cut to fit */
	char sha256[DIGEST_HEX_SIZE];
	struct limits limits;
	bool is_ocr;
};

/* Waits for FRAME_JOB and its descriptor. 1: both are here, *ret_fd is the caller's. 0: there will be none. Negative
 * errno. */
int job_receive(int socket_fd, struct job *ret_job, int *ret_fd);
/* FRAME_JOB's payload. -EINVAL: not as the daemon writes it. */
int job_parse(const char *json, size_t length, struct job *ret_job);
