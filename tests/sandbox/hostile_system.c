/* Attacks on the machine, on other processes and on other tenants. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "tests/sandbox/hostile.h"

static int open_file(struct extract_input *in, struct sink *sink, const char *path)
{
	(void)in;
	tell(sink, open(path, O_RDONLY));
	return 0;
}

static int list_folder(struct extract_input *in, struct sink *sink, const char *path)
{
	(void)in;
	tell(sink, opendir(path) ? 0 : -1);
	return 0;
}

static int write_file(struct extract_input *in, struct sink *sink, const char *path)
{
	(void)in;
	tell(sink, open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
	return 0;
}

static int remove_file(struct extract_input *in, struct sink *sink, const char *path)
{
	(void)in;
	tell(sink, unlink(path));
	return 0;
}

/* The descriptor of the file itself, opened again for writing. */
static int reopen_input(struct extract_input *in, struct sink *sink, const char *argument)
{
	char path[64];

	(void)argument;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", in->fd);
	tell(sink, open(path, O_RDWR));
	return 0;
}

static int read_parent(struct extract_input *in, struct sink *sink, const char *argument)
{
	char path[64];

	(void)in, (void)argument;
	snprintf(path, sizeof(path), "/proc/%d/environ", getppid());
	tell(sink, open(path, O_RDONLY));
	return 0;
}

static int inet_socket(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, socket(AF_INET, SOCK_STREAM, 0));
	return 0;
}

static int unix_socket(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, socket(AF_UNIX, SOCK_STREAM, 0));
	return 0;
}

static int fork_child(struct extract_input *in, struct sink *sink, const char *argument)
{
	pid_t pid = fork();

	(void)in, (void)argument;
	if (pid == 0)
		for (;;)
			pause();
	tell(sink, pid);
	return 0;
}

static void *do_nothing(void *argument)
{
	return argument;
}

static int make_thread(struct extract_input *in, struct sink *sink, const char *argument)
{
	pthread_t thread;

	(void)in, (void)argument;
	errno = pthread_create(&thread, NULL, do_nothing, NULL);
	tell(sink, errno ? -1 : 0);
	return 0;
}

static int signal_parent(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, kill(getppid(), SIGKILL));
	return 0;
}

static int signal_everyone(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, kill(-1, SIGKILL));
	return 0;
}

static int lift_limits(struct extract_input *in, struct sink *sink, const char *argument)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	(void)in, (void)argument;
	tell(sink, setrlimit(RLIMIT_AS, &limit));
	return 0;
}

static int limit_parent(struct extract_input *in, struct sink *sink, const char *argument)
{
	struct rlimit limit = {0, 0};

	(void)in, (void)argument;
	tell(sink, prlimit(getppid(), RLIMIT_CPU, &limit, NULL));
	return 0;
}

static int writable_code(struct extract_input *in, struct sink *sink, const char *argument)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)in, (void)argument;
	tell(sink, page == MAP_FAILED ? -1 : 0);
	return 0;
}

static int many_descriptors(struct extract_input *in, struct sink *sink, const char *argument)
{
	int last = 0;

	(void)argument;
	for (int i = 0; i < 1000 && last >= 0; i++)
		last = dup(in->fd);
	tell(sink, last);
	return 0;
}

/* --- what kills --- */

static int trace(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	return 0;
}

static int read_memory(struct extract_input *in, struct sink *sink, const char *argument)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	(void)in, (void)argument;
	tell(sink, process_vm_readv(getppid(), &here, 1, &there, 1, 0));
	return 0;
}

static int execute(struct extract_input *in, struct sink *sink, const char *argument)
{
	char shell[] = "/bin/sh", option[] = "-c", command[] = "id";
	char *arguments[] = {shell, option, command, NULL};

	(void)in, (void)argument;
	tell(sink, execve(shell, arguments, NULL));
	return 0;
}

static int load_bpf(struct extract_input *in, struct sink *sink, const char *argument)
{
	union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY};

	(void)in, (void)argument;
	tell(sink, syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
	return 0;
}

static int make_ring(struct extract_input *in, struct sink *sink, const char *argument)
{
	struct io_uring_params params = {0};

	(void)in, (void)argument;
	tell(sink, syscall(SYS_io_uring_setup, 8, &params));
	return 0;
}

static int new_namespace(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, unshare(CLONE_NEWUSER));
	return 0;
}

static int become_root(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)argument;
	tell(sink, setuid(0));
	return 0;
}

/* --- what wears it out --- */

static int fill_memory(struct extract_input *in, struct sink *sink, const char *argument)
{
	char *block;
	size_t bytes = 0;

	(void)in, (void)argument;
	while ((block = malloc(1 << 20))) {
		memset(block, 1, 1 << 20);
		bytes += 1 << 20;
	}
	sink_printf(sink, "refused after %zu MiB\n", bytes >> 20);
	return -ENOMEM;
}

static int fill_file(struct extract_input *in, struct sink *sink, const char *argument)
{
	static const char block[1 << 20];

	(void)in, (void)argument;
	for (;;)
		if (write(4, block, sizeof(block)) < 0) {
			tell(sink, -1);
			return 0;
		}
}

static int spin(struct extract_input *in, struct sink *sink, const char *argument)
{
	volatile unsigned turns = 0;

	(void)in, (void)sink, (void)argument;
	for (;;)
		turns++;
	return 0;
}

static int doze(struct extract_input *in, struct sink *sink, const char *argument)
{
	const struct timespec minute = {60, 0};

	(void)in, (void)sink, (void)argument;
	for (;;)
		nanosleep(&minute, NULL);
	return 0;
}

void crash_here(void)
{
	volatile uintptr_t address =
		8; /* not a constant, or the compiler would complain of the very thing that is wanted */

	*(volatile int *)address = 1;
}

static int crash(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	crash_here();
	return 0;
}

static int give_up(struct extract_input *in, struct sink *sink, const char *argument)
{
	(void)in, (void)sink, (void)argument;
	abort();
}

static int recurse_deeply(const volatile int *depth)
{
	volatile char here[4096];

	here[0] = (char)*depth;
	return *depth < 0 ? 0 : recurse_deeply(depth) + here[0];
}

static int recurse(struct extract_input *in, struct sink *sink, const char *argument)
{
	volatile int depth = 0;

	(void)in, (void)argument;
	return sink_printf(sink, "%d", recurse_deeply(&depth));
}

static int read_beyond(struct extract_input *in, struct sink *sink, const char *argument)
{
	const uint8_t *bytes = input_bytes(in);

	(void)argument;
	return sink_printf(sink, "%d", bytes[(in->size_bytes | 4095) + 4096]);
}

const struct attack attacks_on_system[] = {
	{"open", open_file},
	{"list", list_folder},
	{"write", write_file},
	{"remove", remove_file},
	{"reopen-input", reopen_input},
	{"read-parent", read_parent},
	{"inet-socket", inet_socket},
	{"unix-socket", unix_socket},
	{"fork", fork_child},
	{"thread", make_thread},
	{"kill-parent", signal_parent},
	{"kill-everyone", signal_everyone},
	{"lift-limits", lift_limits},
	{"limit-parent", limit_parent},
	{"writable-code", writable_code},
	{"descriptors", many_descriptors},
	{"ptrace", trace},
	{"read-memory", read_memory},
	{"exec", execute},
	{"bpf", load_bpf},
	{"io-uring", make_ring},
	{"unshare", new_namespace},
	{"setuid", become_root},
	{"memory", fill_memory},
	{"file", fill_file},
	{"spin", spin},
	{"sleep", doze},
	{"crash", crash},
	{"abort", give_up},
	{"recurse", recurse},
	{"overread", read_beyond},
	{NULL, NULL},
};
