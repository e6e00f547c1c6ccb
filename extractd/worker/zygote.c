#include "extractd/worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "extractd/worker/child.h"
#include "extractd/worker/protocol.h"
#include "extractd/worker/run.h"
#include "extractd/worker/sandbox.h"
#include "shared/base/cleanup.h"

enum { CHILDREN_MAX = 256 };

/* Which child is which serial, for the report of its end. */
static struct {
	pid_t pid; /* 0: free */
	uint32_t serial;
} children[CHILDREN_MAX];

static int report(const struct zygote_report *what, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t)what, sizeof(*what)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(ZYGOTE_CONTROL_FD, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void report_text(enum zygote_report_kind kind, int status, const char *text)
{
	struct zygote_report what = {.kind = kind, .status = status};

	snprintf(what.text, sizeof(what.text), "%s", text);
	report(&what, -1);
}

static void report_warning(const char *text)
{
	report_text(ZYGOTE_WARNING, 0, text);
}

static int fail(int error, const char *what)
{
	report_text(ZYGOTE_FAILED, -error, what);
	return EXIT_FAILURE;
}

/* --- becoming one ----------------------------------------------------------------------------------------------- */

/* The daemon gives no environment at all; these keep libraries from asking the machine. */
static void set_environment(void)
{
	setenv("TZ", "UTC0", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("OMP_THREAD_LIMIT", "1", 1); /* tesseract is a hundred times slower when its threads fight over cores */
	setenv("HOME", "/nonexistent", 1);
	setlocale(LC_ALL, "C.UTF-8");
}

/* Every end of the pair but ours is closed, so the end of the daemon is the end of the zygote, whatever it was doing.
 */
static int tie_to_daemon(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static void leave_network(void)
{
	/* Without the right to do so the filter of system calls alone must do. */
	if (geteuid() == 0 && unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		report_warning("no network namespace of its own: sockets are refused by the system call filter alone");
}

/* When memory is short, a parser is to die before anything else. */
static void offer_to_oom_killer(void)
{
	autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "900", 3) < 0)
		report_warning("the out-of-memory killer does not know to take workers first");
}

static int become_zygote(const struct zygote_options *options)
{
	struct sandbox_options sandbox = {.may_lack_landlock = options->may_lack_landlock};
	int r;

	set_environment();
	json_object_seed(0);
	offer_to_oom_killer();
	leave_network();
	r = run_preload(options->is_ocr, options->ocr_languages, report_warning);
	if (r < 0)
		return fail(r, "the types of files cannot be told apart (libmagic)");
	malloc_trim(0);
	if (setpriority(PRIO_PROCESS, 0, options->nice) < 0)
		report_warning("the priority of the workers could not be lowered");
	r = sandbox_drop_root(options->uid, options->gid);
	if (r < 0)
		return fail(r, "root could not be given up");
	r = sandbox_prepare(&sandbox);
	if (r == -ENOSYS)
		return fail(r, "this kernel has no Landlock; EXTRACT_SANDBOX=degraded does without");
	if (r < 0)
		return fail(r, "the sandbox could not be prepared");
	r = tie_to_daemon(); /* behind the change of user, which clears the parent-death signal */
	return r < 0 ? fail(r, "the zygote could not be tied to its daemon") : 0;
}

/* --- being one -------------------------------------------------------------------------------------------------- */

static int remember_child(pid_t pid, uint32_t serial)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid == 0) {
			children[i].pid = pid;
			children[i].serial = serial;
			return 0;
		}
	return -EAGAIN;
}

static int has_room(void)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid == 0)
			return 1;
	return 0;
}

static void spawn(uint32_t serial, int socket_fd, const sigset_t *original_mask)
{
	struct zygote_report what = {.kind = ZYGOTE_SPAWNED, .serial = serial, .pid = -EAGAIN};
	autoclose int pidfd = -1;
	pid_t self = getpid(), pid = has_room() ? fork() : -1;

	if (pid == 0) {
		sigprocmask(SIG_SETMASK, original_mask, NULL);
		child_main(socket_fd, self);
	}
	if (pid > 0) {
		remember_child(pid, serial);
		what.pid = pid;
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	}
	report(&what, pidfd);
}

/* 0: the daemon has closed its end. */
static int serve_request(const sigset_t *original_mask)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct zygote_request request;
	struct iovec part = {&request, sizeof(request)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(ZYGOTE_CONTROL_FD, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	autoclose int socket_fd = -1;
	struct cmsghdr *header;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : 0;
	if (got != sizeof(request))
		return 0;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return 1;
	memcpy(&socket_fd, CMSG_DATA(header), sizeof(socket_fd));
	spawn(request.serial, socket_fd, original_mask);
	return 1;
}

static void bury_children(void)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct zygote_report what = {
			.kind = ZYGOTE_EXITED, .pid = pid, .status = status, .max_rss_kib = usage.ru_maxrss};

		for (int i = 0; i < CHILDREN_MAX; i++)
			if (children[i].pid == pid) {
				what.serial = children[i].serial;
				children[i].pid = 0;
			}
		report(&what, -1);
	}
}

int zygote_main(const struct zygote_options *options)
{
	struct zygote_report ready = {.kind = ZYGOTE_READY};
	struct pollfd ends[2] = {{.fd = ZYGOTE_CONTROL_FD, .events = POLLIN}, {.events = POLLIN}};
	struct signalfd_siginfo child_signal;
	sigset_t mask, original_mask;
	int goes_on = 1;

	if (become_zygote(options) != 0)
		return EXIT_FAILURE;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &original_mask);
	ends[1].fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ends[1].fd < 0)
		return fail(-errno, "no signal descriptor");
	ready.status = sandbox_landlock_abi();
	report(&ready, -1);
	while (goes_on && (poll(ends, 2, -1) > 0 || errno == EINTR)) {
		if (ends[1].revents && read(ends[1].fd, &child_signal, sizeof(child_signal)) > 0)
			bury_children();
		if (ends[0].revents)
			goes_on = serve_request(&original_mask);
	}
	return EXIT_SUCCESS;
}
