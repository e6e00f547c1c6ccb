/* Redis, the storage, the mount. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "adminctl/doctor.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/cache/cache.h"
#include "shared/config/config.h"
#include "shared/store/store.h"

void doctor_cache(struct doctor *doctor)
{
	const char *url = config_redis_url(doctor->session->config);
	struct cache *cache = NULL;
	int r;

	if (url[0] == '\0') {
		doctor_say(doctor, "Redis", DOCTOR_WARNING, "Set REDIS_URL to have answers cached.",
			   "not set; everything works, slower");
		return;
	}
	r = cache_new(url, &cache);
	if (r < 0)
		doctor_say(doctor, "Redis", DOCTOR_PROBLEM,
			   "REDIS_URL is redis://host:port/db, rediss:// or unix:///path.", "%s",
			   r == -EINVAL ? "REDIS_URL is malformed" : strerror(-r));
	else if (!cache_is_up(cache))
		doctor_say(doctor, "Redis", DOCTOR_WARNING, "Start it; meanwhile everything works, slower.",
			   "does not answer");
	else
		doctor_say(doctor, "Redis", DOCTOR_OK, NULL, "answers");
	cache_free(cache);
}

/* --- storage
 * ----------------------------------------------------------------------------------------------------------- */

static void describe_store(struct doctor *doctor, struct store *store)
{
	int64_t emergency = config_int(doctor->session->config, SETTING_STORAGE_EMERGENCY_PERCENT), percent;
	uint64_t available, total;
	char size[SIZE_TEXT_SIZE];
	int r = store_free_space(store, &available, &total);

	if (r < 0) {
		doctor_say(doctor, "storage", DOCTOR_PROBLEM, NULL, "its free space is not known: %s", strerror(-r));
		return;
	}
	percent = total > 0 ? (int64_t)((total - available) * 100 / total) : 100;
	size_text((int64_t)available, size);
	if (emergency > 0 && percent >= emergency)
		doctor_say(doctor, "storage", DOCTOR_PROBLEM,
			   "Make room: writes are refused (STORAGE_EMERGENCY_PERCENT).", "%" PRId64 " %% full, %s free",
			   percent, size);
	else if (percent >= 90)
		doctor_say(doctor, "storage", DOCTOR_WARNING, "Make room before it is full.",
			   "%" PRId64 " %% full, %s free", percent, size);
	else
		doctor_say(doctor, "storage", DOCTOR_OK, NULL, "%" PRId64 " %% full, %s free", percent, size);
}

void doctor_storage(struct doctor *doctor)
{
	const char *base = config_string(doctor->session->config, SETTING_STORAGE_BASE_PATH);
	struct store *store = NULL;
	struct stat stat_base;
	int r;

	if (base == NULL) {
		doctor_say(doctor, "storage", DOCTOR_PROBLEM, "Set it to the folder that holds the bytes.",
			   "STORAGE_BASE_PATH is not set");
		return;
	}
	if (stat(base, &stat_base) < 0) {
		doctor_say(doctor, "storage", DOCTOR_PROBLEM, "Make the folder, or correct STORAGE_BASE_PATH.",
			   "%s: %s", base, strerror(errno));
		return;
	}
	r = store_local_open(base, true, &store);
	if (r == -ENOENT || r == -ENOTEMPTY)
		doctor_say(doctor, "storage", DOCTOR_WARNING, "The first mount makes it one, if the folder is empty.",
			   "%s has never been used by tenantfs", base);
	else if (r < 0)
		doctor_say(doctor, "storage", DOCTOR_PROBLEM, "The daemons' user must be able to read and write there.",
			   "%s: %s", base, strerror(-r));
	else
		describe_store(doctor, store);
	store_close(store);
	if (r == 0 && (stat_base.st_mode & 077) != 0)
		doctor_say(doctor, "storage", DOCTOR_WARNING, "chmod 0700 it: who can read it reads every tenant.",
			   "%s is open to others (%04o)", base, (unsigned)(stat_base.st_mode & 07777));
}

/* --- the mount
 * --------------------------------------------------------------------------------------------------------- */

enum { MOUNT_TIMEOUT_MS = 5000 };

/*
 * A dead or stuck mount would hold up whoever touches it, so that a child does, and is given up after a while. Opening
 * asks the daemon; stat would be answered from the kernel's memory. 0: it is tenantfs and answers; else an errno, ETIME
 * when it did not answer in time.
 */
static int ask_mount(const char *mount)
{
	char path[4096];
	int pipe_fds[2], error = ETIME;
	pid_t child;

	snprintf(path, sizeof(path), "%s/.stats", mount);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		error = open(path, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
		_exit(write(pipe_fds[1], &error, sizeof(error)) != (ssize_t)sizeof(error));
	}
	close(pipe_fds[1]);
	struct pollfd poll_fd = {.fd = pipe_fds[0], .events = POLLIN};

	if (child < 0)
		error = errno;
	else if (poll(&poll_fd, 1, MOUNT_TIMEOUT_MS) == 1 &&
		 read(pipe_fds[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = EIO;
	close(pipe_fds[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, error == ETIME ? WNOHANG : 0);
	}
	return error;
}

void doctor_mount(struct doctor *doctor)
{
	const char *mount = config_string(doctor->session->config, SETTING_TENANTFS_MOUNT);
	int error;

	if (mount == NULL) {
		doctor_say(doctor, "mount", DOCTOR_WARNING,
			   "Set TENANTFS_MOUNT where the file system is mounted on this host.",
			   "TENANTFS_MOUNT is not set");
		return;
	}
	error = ask_mount(mount);
	if (error == 0)
		doctor_say(doctor, "mount", DOCTOR_OK, NULL, "%s answers", mount);
	else if (error == ENOENT)
		doctor_say(doctor, "mount", DOCTOR_PROBLEM, "Mount it: fusefs MOUNTPOINT, or mount -t tenantfs.",
			   "nothing of tenantfs is mounted at %s", mount);
	else if (error == ENOTCONN)
		doctor_say(doctor, "mount", DOCTOR_PROBLEM,
			   "fusermount3 -u -z it and mount again; nothing that was closed is lost.",
			   "the daemon behind %s is gone", mount);
	else if (error == ETIME)
		doctor_say(doctor, "mount", DOCTOR_PROBLEM, "Look at the log of fusefs; is its storage answering?",
			   "%s does not answer within %d s", mount, MOUNT_TIMEOUT_MS / 1000);
	else
		doctor_say(doctor, "mount", DOCTOR_PROBLEM,
			   "May this user look at it? Root may, with -o allow_other or allow_root.", "%s: %s", mount,
			   strerror(error));
}
