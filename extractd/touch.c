#include "extractd/touch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum { PATH_BYTES = 4096, UNANSWERED_MAX = 2000 };

/*
 * The helper. Between fork() of a program with threads and _exit() only plain system calls are safe, so there is
 * nothing else here. It answers a byte for each path: 0, or 1 when the mount refused.
 */
__attribute__((noreturn)) static void help(int fd)
{
	static char path[PATH_BYTES];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_IGN); /* it ends with the socket */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd != 3) {
		dup2(fd, 3);
		fd = 3;
	}
	syscall(SYS_close_range, 4, ~0U, 0);
	for (;;) {
		ssize_t got = recv(fd, path, sizeof(path) - 1, 0);
		char failed;

		if (got <= 0)
			_exit(0);
		path[got] = '\0';
		failed = lsetxattr(path, "user.tenantfs.touch", "1", 1, 0) < 0;
		if (send(fd, &failed, 1, MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

void toucher_init(struct toucher *toucher, const char *mount_path)
{
	*toucher = (struct toucher){.mount_path = mount_path, .fd = -1};
}

/* Whether or not the helper can be freed from the mount: nobody waits for it. */
static void abandon(struct toucher *toucher)
{
	close(toucher->fd);
	toucher->fd = -1;
	toucher->unanswered = 0;
	kill(toucher->pid, SIGKILL);
	toucher->corpse = toucher->pid;
	toucher->pid = 0;
}

void toucher_release(struct toucher *toucher)
{
	if (toucher->pid > 0)
		abandon(toucher);
	if (toucher->corpse > 0)
		waitpid(toucher->corpse, NULL, WNOHANG);
}

static int start(struct toucher *toucher)
{
	int pair[2];
	pid_t pid;

	if (toucher->corpse > 0 && waitpid(toucher->corpse, NULL, WNOHANG) != 0)
		toucher->corpse = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		help(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -errno;
	}
	toucher->pid = pid;
	toucher->fd = pair[0];
	return 0;
}

void toucher_ask(struct toucher *toucher, const struct job_file *file, int64_t now_ns)
{
	char path[PATH_BYTES];
	int length;

	if (!toucher->mount_path || now_ns < toucher->not_before_ns || toucher->unanswered >= UNANSWERED_MAX)
		return;
	if (toucher->pid == 0 && start(toucher) < 0)
		return;
	length = snprintf(path, sizeof(path), "%s/%s/.id/%s", toucher->mount_path, file->tenant_code, file->file_id);
	if (length <= 0 || length >= (int)sizeof(path))
		return;
	if (send(toucher->fd, path, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	if (toucher->unanswered++ == 0)
		toucher->asked_ns = now_ns;
}

void toucher_check(struct toucher *toucher, int64_t now_ns)
{
	char failed;

	while (toucher->fd >= 0) {
		ssize_t got = recv(toucher->fd, &failed, 1, MSG_DONTWAIT);

		if (got > 0) {
			toucher->unanswered -= toucher->unanswered > 0;
			toucher->asked_ns = now_ns;
			continue;
		}
		if (got == 0)
			abandon(toucher);
		break;
	}
	if (toucher->unanswered > 0 && now_ns - toucher->asked_ns > TOUCH_DEADLINE_MS * NS_PER_MS) {
		log_warn("the mount does not answer; finished extractions are announced through PostgreSQL alone for a "
			 "while",
			 "mount", toucher->mount_path);
		abandon(toucher);
		toucher->not_before_ns = now_ns + TOUCH_PAUSE_MS * NS_PER_MS;
	}
}
