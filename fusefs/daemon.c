#include "fusefs/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void wait_for_child(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int daemon_start(int *ret_ready_fd)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0) {
		close(ends[1]);
		wait_for_child(ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	*ret_ready_fd = ends[1];
	return 0;
}

/*
 * The log goes on where stderr was sent, a file or the journal. A terminal is no place for it once the shell has its
 * prompt back, and whoever reads a pipe ("$(mount … 2>&1)") waits for its end.
 */
static bool keeps_log(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && (S_ISREG(stat.st_mode) || S_ISSOCK(stat.st_mode));
}

static void let_go(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	if (fd != STDERR_FILENO || !keeps_log(fd))
		dup2(null, fd);
	close(null);
}

void daemon_ready(int ready_fd)
{
	const char byte = 0;

	if (ready_fd < 0)
		return;
	let_go(STDIN_FILENO);
	let_go(STDOUT_FILENO);
	let_go(STDERR_FILENO);
	while (write(ready_fd, &byte, 1) < 0 && errno == EINTR)
		;
	close(ready_fd);
}
