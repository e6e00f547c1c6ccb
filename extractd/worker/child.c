#include "extractd/worker/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "extractd/worker/input.h"
#include "extractd/worker/job.h"
#include "extractd/worker/protocol.h"
#include "extractd/worker/run.h"
#include "extractd/worker/sandbox.h"

enum { BATCH_BYTES = 64 << 10 };

/* Frames on their way: a small file's go out in one write, a document's page by page, so that finished pages survive.
 */
struct batch {
	uint8_t bytes[BATCH_BYTES];
	size_t used;
};

static int write_all(const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(SANDBOX_JOB_FD, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -EPIPE;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

static int batch_send(struct batch *batch)
{
	int r = write_all(batch->bytes, batch->used);

	batch->used = 0;
	return r;
}

static int batch_put(void *context, enum frame_type type, const void *payload, size_t length)
{
	struct batch *batch = context;
	uint8_t header[FRAME_HEADER_SIZE] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
					     (uint8_t)(length >> 24), (uint8_t)type};

	if (batch->used + sizeof(header) + length > sizeof(batch->bytes) && batch_send(batch) < 0)
		return -EPIPE;
	if (sizeof(header) + length > sizeof(batch->bytes))
		return frame_write(SANDBOX_JOB_FD, type, payload, length) < 0 ? -EPIPE : 0;
	memcpy(batch->bytes + batch->used, header, sizeof(header));
	batch->used += sizeof(header);
	if (length > 0)
		memcpy(batch->bytes + batch->used, payload, length);
	batch->used += length;
	/* The extractor's name goes before its first byte of work: should it crash, its version is in the error. */
	return type == FRAME_EXTRACTOR || type == FRAME_PAGE || type == FRAME_DONE ? batch_send(batch) : 0;
}

static enum worker_exit do_job(const struct job *job, int input_fd)
{
	static struct batch batch;
	struct sink_output output = {batch_put, &batch};
	struct run_request request = {.fd = input_fd,
				      .size_bytes = job->size_bytes,
				      .name = job->name,
				      .sha256 = job->sha256,
				      .limits = job->limits,
				      .is_ocr = job->is_ocr};
	int r = sandbox_limit(job->limits.memory_bytes, job->size_bytes, job->limits.time_ms);

	if (r < 0)
		return WORKER_EXIT_NO_SANDBOX;
	r = run_extraction(&request, &output);
	if (r == -ENOMEM) {
		batch_send(&batch); /* what there is; the memory for it was there before */
		return WORKER_EXIT_MEMORY;
	}
	if (r == -EPIPE)
		return WORKER_EXIT_NO_READER;
	if (r == -ENODATA)
		return WORKER_EXIT_SHORT_INPUT;
	if (r == -ENOTSUP)
		return WORKER_EXIT_NOT_MINE;
	return r < 0 ? WORKER_EXIT_OTHER : WORKER_EXIT_OK;
}

/* Puts the two descriptors where the sandbox knows them. */
static int place_descriptors(int socket_fd)
{
	int copy;

	if (dup2(socket_fd, SANDBOX_JOB_FD) < 0 || input_prepare_copy() < 0)
		return -errno;
	copy = input_copy_fd();
	if (copy != SANDBOX_COPY_FD && dup2(copy, SANDBOX_COPY_FD) < 0)
		return -errno;
	input_set_copy_fd(SANDBOX_COPY_FD);
	return 0;
}

void child_main(int socket_fd, pid_t parent)
{
	struct job job;
	int input_fd = -1, r;

	signal(SIGPIPE, SIG_IGN);
	if (place_descriptors(socket_fd) < 0 || sandbox_enter(parent) < 0)
		_exit(WORKER_EXIT_NO_SANDBOX);
	r = job_receive(SANDBOX_JOB_FD, &job, &input_fd);
	if (r <= 0)
		_exit(r == 0 || r == -EPIPE || r == -ECONNRESET ? WORKER_EXIT_OK : WORKER_EXIT_BAD_JOB);
	_exit(do_job(&job, input_fd));
}
