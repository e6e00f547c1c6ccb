#include "extractd/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum {
	READ_BYTES = 64 << 10,
	READS_AT_ONCE = 16, /* then the others have their turn */
	JOB_FRAME_MAX = 16 << 10,
	TEXT_SLACK = 4096, /* a worker may end at a character, not at a byte */
	UNREAD_MAX = FRAME_HEADER_SIZE + (int)FRAME_PAYLOAD_MAX
};

int attempt_new(uint32_t serial, struct attempt **ret_attempt, int *ret_child_fd)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	int pair[2];

	if (!attempt)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		free(attempt);
		return -errno;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	attempt->serial = serial;
	attempt->socket = pair[0];
	attempt->pidfd = -1;
	*ret_attempt = attempt;
	*ret_child_fd = pair[1];
	return 0;
}

void attempt_free(struct attempt *attempt)
{
	if (!attempt)
		return;
	attempt_close(attempt);
	if (attempt->pidfd >= 0)
		close(attempt->pidfd);
	if (attempt->state != ATTEMPT_ASKED && attempt->state != ATTEMPT_WARM)
		extraction_release(&attempt->found);
	free(attempt->unread);
	free(attempt->job);
	free(attempt);
}

void attempt_close(struct attempt *attempt)
{
	if (attempt->socket >= 0)
		close(attempt->socket);
	attempt->socket = -1;
}

/* --- the job ---------------------------------------------------------------------------------------------------- */

static void put_limits(struct buf *json, const struct limits *limits)
{
	buf_printf(json,
		   "\"limits\":{\"text_bytes\":%llu,\"data_bytes\":%llu,\"inflated_bytes\":%llu,\"memory_bytes\":%llu,",
		   (unsigned long long)limits->text_bytes, (unsigned long long)limits->data_bytes,
		   (unsigned long long)limits->inflated_bytes, (unsigned long long)limits->memory_bytes);
	buf_printf(json, "\"pages\":%u,\"depth\":%u,\"entries\":%u,\"time_ms\":%u}", limits->pages, limits->depth,
		   limits->entries, limits->time_ms);
}

/* The name is that of the object, not the user's: its extension is the hint, and nothing else of it is anyone's
 * business. */
static void put_job(struct buf *json, const struct job_row *row, const struct limits *limits)
{
	const char *slash = strrchr(row->path, '/'), *name = slash ? slash + 1 : row->path;
	char hex[DIGEST_HEX_SIZE];

	hex_encode(row->sha256, DIGEST_SIZE, hex);
	buf_puts(json, "{\"name\":");
	json_put_string(json, name, strlen(name));
	buf_printf(json, ",\"size\":%lld,\"sha256\":\"%s\",\"ocr\":%s,", (long long)row->size_bytes, hex,
		   row->lane == JOB_LANE_OCR ? "true" : "false");
	put_limits(json, limits);
	buf_putc(json, '}');
}

/* The descriptor travels with the first byte. It all fits the socket's buffer, so nothing is left to be sent later. */
static int send_job(int socket_fd, const struct buf *json, int input_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	uint8_t header[FRAME_HEADER_SIZE] = {(uint8_t)json->length, (uint8_t)(json->length >> 8), 0, 0, FRAME_JOB};
	struct iovec parts[2] = {{header, sizeof(header)}, {json->data, json->length}};
	struct msghdr message = {
		.msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t sent;

	control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &input_fd, sizeof(input_fd));
	sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == sizeof(header) + json->length ? 0 : -EPIPE;
}

int attempt_begin(struct attempt *attempt, struct ready_job *job, int input_fd, const struct limits *limits,
		  int64_t now_ns)
{
	struct extraction_bounds bounds = {limits->text_bytes + TEXT_SLACK, limits->data_bytes * 2 + TEXT_SLACK,
					   limits->pages};
	autobuf struct buf json = BUF_INIT(JOB_FRAME_MAX);
	int r;

	put_job(&json, &job->row, limits);
	r = buf_error(&json) ?: send_job(attempt->socket, &json, input_fd);
	if (r < 0)
		return r;
	extraction_init(&attempt->found, &bounds);
	attempt->state = ATTEMPT_BUSY;
	attempt->job = job;
	attempt->limits = *limits;
	attempt->begun_ns = now_ns;
	attempt->deadline_ns = now_ns + (int64_t)limits->time_ms * NS_PER_MS;
	return 0;
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

/* Takes frames from the front. Returns the bytes used, or an error; *ret_done when FRAME_DONE was among them. */
static long take_frames(struct extraction *found, const uint8_t *bytes, size_t length, bool *ret_done)
{
	size_t used = 0;

	while (!found->is_done) {
		struct frame frame;
		long taken = frame_parse(bytes + used, length - used, &frame);
		int r;

		if (taken <= 0) {
			*ret_done = false;
			return taken < 0 ? taken : (long)used;
		}
		r = extraction_put(found, &frame);
		if (r < 0)
			return r;
		used += (size_t)taken;
	}
	*ret_done = true;
	return used == length ? (long)used : -EBADMSG; /* nothing comes behind DONE */
}

/* Grows only as far as the frame that is coming in says it needs, and that length is bounded. */
static int reserve(struct attempt *attempt, size_t more)
{
	size_t wanted = attempt->unread_bytes + more,
	       capacity = attempt->unread_capacity ? attempt->unread_capacity : 4096;
	uint8_t *bytes;

	if (wanted <= attempt->unread_capacity)
		return 0;
	while (capacity < wanted)
		capacity *= 2;
	bytes = realloc(attempt->unread, capacity);
	if (!bytes)
		return -ENOMEM;
	attempt->unread = bytes;
	attempt->unread_capacity = capacity;
	return 0;
}

static int keep_unread(struct attempt *attempt, const uint8_t *bytes, size_t length)
{
	int r = length > 0 ? reserve(attempt, length) : 0;

	if (r < 0 || length == 0)
		return r;
	memcpy(attempt->unread + attempt->unread_bytes, bytes, length);
	attempt->unread_bytes += length;
	return 0;
}

int attempt_take(struct attempt *attempt, const uint8_t *bytes, size_t length)
{
	bool is_done = false;
	long used;
	int r;

	if (attempt->unread_bytes == 0) {
		used = take_frames(&attempt->found, bytes, length, &is_done);
		if (used < 0 || is_done)
			return used < 0 ? (int)used : 1;
		return keep_unread(attempt, bytes + used, length - (size_t)used);
	}
	r = keep_unread(attempt, bytes, length);
	if (r < 0)
		return r;
	used = take_frames(&attempt->found, attempt->unread, attempt->unread_bytes, &is_done);
	if (used < 0 || is_done)
		return used < 0 ? (int)used : 1;
	attempt->unread_bytes -= (size_t)used;
	memmove(attempt->unread, attempt->unread + used, attempt->unread_bytes);
	return attempt->unread_bytes > UNREAD_MAX ? -EBADMSG : 0;
}

int attempt_read(struct attempt *attempt)
{
	static uint8_t bytes[READ_BYTES]; /* the supervisor's thread alone reads */

	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t got = recv(attempt->socket, bytes, sizeof(bytes), 0);
		int r;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -EPIPE;
		if (got == 0)
			return -EPIPE;
		r = attempt_take(attempt, bytes, (size_t)got);
		if (r != 0)
			return r;
	}
	return 0;
}

void attempt_kill(struct attempt *attempt, enum attempt_kill why)
{
	if (attempt->killed == KILL_NONE)
		attempt->killed = why;
	if (attempt->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, attempt->pidfd, SIGKILL, NULL, 0);
}
