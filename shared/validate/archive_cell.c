/*
 * Reading a hostile archive may go wrong in ways that nobody has found yet. It happens in a process that has an open
 * file, a pipe and 1 GiB of address space, and that may neither open, connect, fork nor trace: a list of system calls
 * is allowed, all others do not exist (ENOSYS, so that a library that asks for more goes on without).
 */
#include "shared/validate/archive_cell.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "shared/base/clock.h"

/* The sanitizers' shadows take terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADDRESS_SPACE_BYTES RLIM_INFINITY
#else
#define ADDRESS_SPACE_BYTES (1ULL << 30)
#endif

enum { NOBODY = 65534, DESCRIPTORS_MAX = 16, PROCESSOR_SPARE_S = 2, WALL_FACTOR = 10, WALL_SPARE_S = 30 };

#if defined(__x86_64__)
#define CELL_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CELL_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static int become_nobody(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

int cell_prepare(int keep_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(null_fd, fd) < 0)
			return -errno;
	}
	if (dup3(keep_fd, STDERR_FILENO + 1, O_CLOEXEC) < 0 && keep_fd != STDERR_FILENO + 1)
		return -errno;
	if (close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return become_nobody();
}

static int limit(int resource, uint64_t value)
{
	struct rlimit rlimit = {value, value};

	/* The libraries name the resources by an enumeration of their own. */
	return setrlimit((__rlimit_resource_t)resource, &rlimit) < 0 ? -errno : 0;
}

static int limit_resources(const struct archive_limits *limits)
{
	uint64_t seconds = (uint64_t)(limits->processor_max_ns / NS_PER_S) + PROCESSOR_SPARE_S;
	int r = limit(RLIMIT_AS, ADDRESS_SPACE_BYTES);

	if (r == 0)
		r = limit(RLIMIT_CPU, seconds);
	if (r == 0)
		r = limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = limit(RLIMIT_FSIZE, limits->buffered_max);
	if (r == 0)
		r = limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	/* Also when the storage below hangs. */
	alarm((unsigned)(seconds * WALL_FACTOR + WALL_SPARE_S));
	return r;
}

#ifdef CELL_ARCHITECTURE
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int limit_calls(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CELL_ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(pread64),
		ALLOW(read),
		ALLOW(write),
		ALLOW(close),
		ALLOW(lseek),
		ALLOW(fstat),
		ALLOW(newfstatat),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(mprotect),
		ALLOW(madvise),
		ALLOW(brk),
		ALLOW(futex),
		ALLOW(clock_gettime),
		ALLOW(getrandom),
		ALLOW(memfd_create),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(exit),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	static struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}
#else
static int limit_calls(void)
{
	return 0; /* the other walls stand */
}
#endif

int cell_enter(const struct archive_limits *limits)
{
	int r = limit_resources(limits);

	return r < 0 ? r : limit_calls();
}
