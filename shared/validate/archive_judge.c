/*
 * Archives are examined in processes of their own, a child each, so that neither a crash nor the memory of a reader is
 * the caller's. The judge is forked while the program has one thread and little memory, since its children are copies
 * of it; it knows nothing but the socket it takes work from, and ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/validate/archive_cell.h"
#include "shared/validate/validate.h"

enum { DESCRIPTOR_PATH_SIZE = 40, HANDED_OVER = 2 };

struct judge_request {
	uint64_t size_bytes;
	struct archive_limits limits;
	enum archive_kind kind;
};

union handed_over {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(HANDED_OVER * sizeof(int))];
};

static atomic_int judge_fd = -1;

/* --- the judge ------------------------------------------------------------------------------------------------------
 */

static void examine_and_exit(const struct judge_request *request, int content_fd, int report_fd)
{
	struct archive_report report;

	if (cell_enter(&request->limits) < 0)
		_exit(1);
	archive_examine(content_fd, request->size_bytes, request->kind, &request->limits, &report);
	_exit(write(report_fd, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1);
}

/* False: the socket was closed. */
static bool take_request(int fd, struct judge_request *ret_request, int ret_fds[HANDED_OVER])
{
	union handed_over control;
	struct iovec part = {ret_request, sizeof(*ret_request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *header;
	ssize_t n;

	do {
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	header = n == (ssize_t)sizeof(*ret_request) ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_len != CMSG_LEN(HANDED_OVER * sizeof(int)))
		return false;
	memcpy(ret_fds, CMSG_DATA(header), HANDED_OVER * sizeof(int));
	return true;
}

static void judge_run(int fd)
{
	struct judge_request request;
	int fds[HANDED_OVER];

	signal(SIGCHLD, SIG_IGN); /* children leave no trace */
	signal(SIGINT, SIG_IGN);  /* a terminal's ^C is for the program, which then closes the socket */
	signal(SIGTERM, SIG_DFL);
	while (take_request(fd, &request, fds)) {
		if (fork() == 0) {
			close(fd);
			examine_and_exit(&request, fds[0], fds[1]);
		}
		close(fds[0]);
		close(fds[1]);
	}
	_exit(0);
}

int validate_start_judge(void)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		if (cell_prepare(pair[1]) == 0)
			judge_run(STDERR_FILENO + 1);
		_exit(1);
	}
	close(pair[1]);
	if (child < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	atomic_store(&judge_fd, pair[0]);
	return 0;
}

void validate_stop_judge(void)
{
	int fd = atomic_exchange(&judge_fd, -1);

	if (fd >= 0)
		close(fd);
}

/* --- who asks it ----------------------------------------------------------------------------------------------------
 */

/* The content is handed over for reading only: whoever takes over the reader must not write what will be published. */
static int open_read_only(int fd)
{
	char path[DESCRIPTOR_PATH_SIZE];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

static int hand_over(int socket_fd, const struct judge_request *request, int content_fd, int report_fd)
{
	struct judge_request copy = *request;
	union handed_over control = {0};
	struct iovec part = {&copy, sizeof(copy)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	int fds[HANDED_OVER] = {content_fd, report_fd};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t n;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	do {
		n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* What a child says is believed no further than its form. */
static bool is_report(const struct archive_report *report)
{
	return report->finding >= ARCHIVE_FINE && report->finding <= ARCHIVE_UNREADABLE &&
	       memchr(report->words, '\0', sizeof(report->words)) &&
	       (report->finding != ARCHIVE_UNREADABLE || (report->error < 0 && report->error > -4096));
}

static int ask(int socket_fd, const struct judge_request *request, int fd, struct archive_report *ret_report)
{
	autoclose int content_fd = open_read_only(fd), report_fd = -1;
	int pipe_fds[2], r;
	ssize_t n;

	if (content_fd < 0)
		return content_fd;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	report_fd = pipe_fds[0];
	r = hand_over(socket_fd, request, content_fd, pipe_fds[1]);
	close(pipe_fds[1]);
	if (r < 0) {
		log_error("the judge of archives is gone; they are examined in this process", "error", log_errno(r));
		return r;
	}
	do {
		n = read(report_fd, ret_report, sizeof(*ret_report));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret_report) || !is_report(ret_report)) {
		*ret_report = (struct archive_report){.finding = ARCHIVE_TOO_HUNGRY};
		snprintf(ret_report->words, sizeof(ret_report->words), "its reader had to be stopped");
	}
	return 0;
}

void archive_judge(int fd, uint64_t size_bytes, enum archive_kind kind, const struct archive_limits *limits,
		   struct archive_report *ret_report)
{
	struct judge_request request = {size_bytes, *limits, kind};
	int socket_fd = atomic_load(&judge_fd), r = -EAGAIN;

	if (kind == ARCHIVE_OPAQUE || size_bytes == 0) {
		*ret_report = (struct archive_report){0};
		return;
	}
	if (socket_fd >= 0)
		r = ask(socket_fd, &request, fd, ret_report);
	if (r < 0)
		archive_examine(fd, size_bytes, kind, limits, ret_report);
}
