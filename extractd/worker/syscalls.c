/*
 * What is not named here is answered ENOSYS, as by an old kernel, so that libraries fall back. What belongs to sockets
 * and processes is EPERM. What no parser has any use for and an intruder has kills the child.
 */
#include "extractd/worker/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "extractd/worker/sandbox.h"
#include "shared/base/cleanup.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const int allowed[] = {
	/* bytes, on descriptors that are held already */
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(preadv),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(close),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fadvise64),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	SCMP_SYS(msync),
	/* time, chance, waiting */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getrandom),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getitimer),
	/* itself */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getrusage),
	SCMP_SYS(getrlimit),
	SCMP_SYS(setrlimit),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getcpu),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Landlock decides which files; looking at a name tells no content. */
static const int opening[] = {
	SCMP_SYS(open),	    SCMP_SYS(openat),	  SCMP_SYS(stat),	SCMP_SYS(lstat),     SCMP_SYS(newfstatat),
	SCMP_SYS(statx),    SCMP_SYS(statfs),	  SCMP_SYS(access),	SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
};

static const int refused[] = {
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(clone),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(memfd_create),
};

static const int deadly[] = {
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(fsopen),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(capset),
	SCMP_SYS(personality),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
};

/* A call that this architecture does not have needs no rule. */
static int add_all(scmp_filter_ctx context, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add(context, action, calls[i], 0);

		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

static int add_conditional(scmp_filter_ctx context)
{
	const uint32_t allow = SCMP_ACT_ALLOW, deny = SCMP_ACT_ERRNO(EPERM);
	int r = 0;

	/* Never writable and executable; glibc maps its character sets read-only and executable. */
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	r = r
		    ?: seccomp_rule_add(context, allow, SCMP_SYS(mmap), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC));
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	r = r
		    ?: seccomp_rule_add(context, deny, SCMP_SYS(mprotect), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	/* The job comes once, with the descriptor of the file. */
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(recvmsg), 1, SCMP_A0(SCMP_CMP_EQ, SANDBOX_JOB_FD));
	r = r ?: seccomp_rule_add(context, deny, SCMP_SYS(recvmsg), 1, SCMP_A0(SCMP_CMP_NE, SANDBOX_JOB_FD));
	/* Its own limits, downwards; nobody else's. */
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0));
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_LE, F_SETFL));
	r = r ?: seccomp_rule_add(context, allow, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC));
	/* isatty() of stdio */
	r = r ?: seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0);
	return r;
}

static int add_rules(scmp_filter_ctx context, bool may_open)
{
	int r = add_all(context, SCMP_ACT_ALLOW, allowed, COUNT(allowed));

	r = r ?: add_all(context, may_open ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), opening, COUNT(opening));
	r = r ?: add_all(context, SCMP_ACT_ERRNO(EPERM), refused, COUNT(refused));
	r = r ?: add_all(context, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
	r = r ?: add_conditional(context);
	/* A tree of comparisons instead of a list: each call of a child walks it. */
	return r ?: seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

/* libseccomp writes programs to descriptors only. */
static int read_program(int fd, struct syscall_filter *ret_filter)
{
	struct stat stat;
	void *bytes;

	if (fstat(fd, &stat) < 0)
		return -errno;
	bytes = malloc((size_t)stat.st_size);
	if (!bytes)
		return -ENOMEM;
	if (pread(fd, bytes, (size_t)stat.st_size, 0) != stat.st_size) {
		free(bytes);
		return -EIO;
	}
	ret_filter->program.len = (unsigned short)((size_t)stat.st_size / sizeof(struct sock_filter));
	ret_filter->program.filter = bytes;
	return 0;
}

int syscall_filter_build(bool may_open, struct syscall_filter *ret_filter)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (!context)
		return -ENOMEM;
	r = r ?: add_rules(context, may_open);
	r = r ?: seccomp_export_bpf(context, fd);
	r = r ?: read_program(fd, ret_filter);
	seccomp_release(context);
	return r;
}

int syscall_filter_apply(const struct syscall_filter *filter)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter->program) < 0 ? -errno : 0;
}
