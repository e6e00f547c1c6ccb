#include "extractd/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "extractd/worker/syscalls.h"
#include "shared/base/cleanup.h"

enum { COPY_MAX_BYTES = 256 << 20, STACK_MAX_BYTES = 8 << 20 };

/*
 * Data that libraries open while they work: character sets (glibc loads them as needed), poppler's CMaps, fonts for
 * pages that embed none, OCR models, language profiles, the magic database. What is not installed is passed over.
 */
static const char *const readable[] = {
	"/usr/lib/x86_64-linux-gnu/gconv",
	"/usr/lib/aarch64-linux-gnu/gconv",
	"/usr/lib/gconv",
	"/usr/share/poppler",
	"/usr/share/fonts",
	"/usr/local/share/fonts",
	"/usr/share/fontconfig",
	"/etc/fonts",
	"/var/cache/fontconfig",
	"/usr/share/tesseract-ocr",
	"/usr/share/tessdata",
	"/usr/share/libexttextcat",
	"/usr/share/misc/magic.mgc",
	"/usr/lib/file/magic.mgc",
};

static struct sandbox_options options;
static int ruleset_fd = -1, landlock_abi;
static uint64_t own_bytes; /* of addresses: libraries and what was preloaded */
static struct syscall_filter filter;

/* The rights of every version of Landlock are denied; a kernel that knows fewer is asked for those. */
static uint64_t file_rights(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* version 1: execute … make symbolic links */

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= 1ULL << 14; /* truncate */
	if (abi >= 5)
		rights |= 1ULL << 15; /* ioctl of devices */
	return rights;
}

/* As the kernel's version 6 has it; the headers of Debian 12 know the first field alone. */
struct ruleset_attributes {
	uint64_t handled_fs, handled_net, scoped;
};

static int create_ruleset(int abi)
{
	struct ruleset_attributes attributes = {.handled_fs = file_rights(abi)};
	size_t size = sizeof(attributes.handled_fs);

	if (abi >= 4) {
		attributes.handled_net = 3; /* bind and connect TCP */
		size = offsetof(struct ruleset_attributes, scoped);
	}
	if (abi >= 6) {
		attributes.scoped = 3; /* abstract sockets and signals to the outside */
		size = sizeof(attributes);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

static int allow_reading(int ruleset, const char *path)
{
	autoclose int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	autoclose int folder = -1;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
	folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

static int prepare_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	autoclose int fd = -1;

	if (abi <= 0)
		return options.may_lack_landlock ? 0 : -ENOSYS;
	fd = create_ruleset((int)abi);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(readable) / sizeof(*readable); i++) {
		int r = allow_reading(fd, readable[i]);

		if (r < 0)
			return r;
	}
	landlock_abi = (int)abi;
	ruleset_fd =
		fcntl(fd, F_DUPFD_CLOEXEC, SANDBOX_COPY_FD + 1); /* above those that a child puts in their places */
	return ruleset_fd < 0 ? -errno : 0;
}

static uint64_t measure_addresses(void)
{
	autoclose int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (got <= 0)
		return 0;
	text[got] = '\0';
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

int sandbox_prepare(const struct sandbox_options *given)
{
	int r;

	options = *given;
	own_bytes = measure_addresses();
	r = prepare_landlock();
	if (r < 0)
		return r;
	return syscall_filter_build(landlock_abi > 0, &filter);
}

int sandbox_landlock_abi(void)
{
	return landlock_abi;
}

int sandbox_drop_root(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return setuid(0) == 0 ? -EPERM : 0; /* there is no way back, or it was no way out */
}

/* With a second, higher bound the first may be answered by a signal of its own (SIGXCPU) before the last one kills. */
static int set_limits(int resource, uint64_t value, uint64_t last)
{
	struct rlimit limit = {value, last}, now;

	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 && now.rlim_max < last)
		limit = (struct rlimit){now.rlim_max < value ? now.rlim_max : value, now.rlim_max};
	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

static int set_limit(int resource, uint64_t value)
{
	return set_limits(resource, value, value);
}

static int set_fixed_limits(void)
{
	static const struct {
		int resource;
		uint64_t value;
	} limits[] = {{RLIMIT_NOFILE, SANDBOX_FD_MAX},
		      {RLIMIT_CORE, 0},
		      {RLIMIT_FSIZE, COPY_MAX_BYTES},
		      {RLIMIT_NPROC, 0},
		      {RLIMIT_STACK, STACK_MAX_BYTES},
		      {RLIMIT_MEMLOCK, 0},
		      {RLIMIT_MSGQUEUE, 0},
		      {RLIMIT_SIGPENDING, 16}};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		int r = set_limit(limits[i].resource, limits[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

static int die_with_parent(pid_t parent)
{
	if (options.is_orphan)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH; /* it died before the signal was asked for */
}

int sandbox_enter(pid_t parent)
{
	int r = die_with_parent(parent);

	if (r == 0)
		r = set_fixed_limits();
	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (landlock_abi > 0 && syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
		return -errno;
	if (syscall(SYS_close_range, SANDBOX_COPY_FD + 1, ~0U, 0) < 0)
		return -errno;
	return syscall_filter_apply(&filter);
}

int sandbox_limit(uint64_t memory_bytes, uint64_t mapped_bytes, uint32_t time_ms)
{
	uint64_t seconds = time_ms / 1000 + 2;
	int r = set_limits(RLIMIT_CPU, seconds, seconds + 2);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return own_bytes + memory_bytes + mapped_bytes > 0
		       ? r
		       : -EINVAL; /* the shadow alone takes terabytes of addresses */
#else
	return r < 0 ? r : set_limit(RLIMIT_AS, own_bytes + memory_bytes + mapped_bytes);
#endif
}
