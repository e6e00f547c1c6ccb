#include "extractd/zygote_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"

enum { RESTART_FIRST_MS = 100, RESTART_LAST_MS = 30000, STOP_STEP_MS = 5, STOP_STEPS = 100 };

void zygote_link_init(struct zygote_link *link)
{
	*link = (struct zygote_link){.fd = -1};
}

static int set_up_spawn(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int child_fd)
{
	sigset_t none, all;
	int r = 0;

	sigemptyset(&none);
	sigfillset(&all);
	r = r ?: posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);
	r = r ?: posix_spawn_file_actions_adddup2(actions, 0, 1);
	r = r ?: posix_spawn_file_actions_adddup2(actions, 0, 2);
	r = r ?: posix_spawn_file_actions_adddup2(actions, child_fd, ZYGOTE_CONTROL_FD);
	r = r ?: posix_spawn_file_actions_addclosefrom_np(actions, ZYGOTE_CONTROL_FD + 1);
	r = r ?: posix_spawnattr_setsigmask(attributes, &none);
	r = r ?: posix_spawnattr_setsigdefault(attributes, &all);
	r = r ?: posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -r;
}

static int spawn_zygote(const struct extract_settings *settings, enum crew_kind kind, int child_fd, pid_t *ret_pid)
{
	char uid[16], gid[16], nice_by[16], path[sizeof(settings->worker_path)], languages[256];
	char zygote[] = "--zygote", ocr[] = "--ocr", degraded[] = "--degraded", uid_option[] = "--uid",
	     gid_option[] = "--gid", nice_option[] = "--nice", languages_option[] = "--languages";
	char *arguments[16] = {path,	    zygote,  uid_option,       uid,	 gid_option, gid,
			       nice_option, nice_by, languages_option, languages};
	/* Nothing of ours, but what libgomp and the dynamic linker read before main(): no threads, and no looking up of
	 * symbols in each child again. */
	char threads[] = "OMP_THREAD_LIMIT=1", binding[] = "LD_BIND_NOW=1";
	char *environment[] = {threads, binding, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r, count = 10;

	snprintf(path, sizeof(path), "%s", kind == CREW_TEXT ? settings->text_worker_path : settings->worker_path);
	snprintf(uid, sizeof(uid), "%u", settings->worker_uid);
	snprintf(gid, sizeof(gid), "%u", settings->worker_gid);
	snprintf(nice_by, sizeof(nice_by), "%d", settings->worker_nice);
	snprintf(languages, sizeof(languages), "%s", settings->ocr_languages);
	if (kind == CREW_OCR)
		arguments[count++] = ocr;
	if (settings->may_lack_landlock)
		arguments[count++] = degraded;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = set_up_spawn(&actions, &attributes, child_fd);
	r = r ?: -posix_spawn(ret_pid, path, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return r;
}

static void postpone(struct zygote_link *link, int64_t now_ns)
{
	int64_t wait_ms = RESTART_FIRST_MS << (link->failed_starts < 9 ? link->failed_starts : 9);

	link->not_before_ns = now_ns + (wait_ms < RESTART_LAST_MS ? wait_ms : RESTART_LAST_MS) * NS_PER_MS;
	link->failed_starts++;
}

int zygote_link_start(struct zygote_link *link, const struct extract_settings *settings, enum crew_kind kind)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	/* The zygote has nothing else to do, so its end waits. */
	fcntl(pair[1], F_SETFL, fcntl(pair[1], F_GETFL) & ~O_NONBLOCK);
	r = spawn_zygote(settings, kind, pair[1], &link->pid);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		link->pid = 0;
		postpone(link, clock_monotonic_ns());
		return r;
	}
	link->fd = pair[0];
	link->is_ready = false;
	link->failure[0] = '\0';
	return 0;
}

void zygote_link_stop(struct zygote_link *link, int64_t now_ns)
{
	const struct timespec step = {0, STOP_STEP_MS * NS_PER_MS};
	pid_t gone = 0;

	if (link->pid == 0)
		return;
	close(link->fd);
	link->fd = -1;
	for (int i = 0; i < STOP_STEPS && gone == 0; i++) {
		gone = waitpid(link->pid, NULL, WNOHANG);
		if (gone == 0)
			nanosleep(&step, NULL);
	}
	if (gone == 0) {
		kill(link->pid, SIGKILL);
		waitpid(link->pid, NULL, 0);
	}
	link->pid = 0;
	if (link->is_ready)
		link->failed_starts = 0;
	link->is_ready = false;
	postpone(link, now_ns);
}

int zygote_link_ask(struct zygote_link *link, uint32_t serial, int child_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct zygote_request request = {.serial = serial};
	struct iovec part = {&request, sizeof(request)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &child_fd, sizeof(child_fd));
	if (sendmsg(link->fd, &message, MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? -EAGAIN : -EPIPE;
}

int zygote_link_read(struct zygote_link *link, struct zygote_report *ret_report, int *ret_pidfd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {ret_report, sizeof(*ret_report)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t got = recvmsg(link->fd, &message, MSG_CMSG_CLOEXEC);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	*ret_pidfd = -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_pidfd, CMSG_DATA(header), sizeof(*ret_pidfd));
	if (got != (ssize_t)sizeof(*ret_report)) {
		if (*ret_pidfd >= 0)
			close(*ret_pidfd);
		return -EPIPE;
	}
	ret_report->text[sizeof(ret_report->text) - 1] = '\0';
	return 1;
}
