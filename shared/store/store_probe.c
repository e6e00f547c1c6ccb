/* What the file system below can do, found by trying; and what is said of it in the log. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/store/store_local.h"

enum { PROBE_BYTES = 65536 /* a multiple of every block size in use */, PROBE_MODE = 0600 };

static bool probe_tmpfile(const struct store_local *local)
{
	autoclose int fd = openat(local->spool_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, PROBE_MODE);

	return fd >= 0;
}

/* A named pair of files of this process' numbers, which a sweep would find. */
struct probe_pair {
	char first[SPOOL_NAME_SIZE], second[SPOOL_NAME_SIZE];
	int first_fd, second_fd;
};

static bool probe_open(struct store_local *local, struct probe_pair *pair)
{
	spool_format_name(local, atomic_fetch_add(&local->next_number, 1), pair->first);
	spool_format_name(local, atomic_fetch_add(&local->next_number, 1), pair->second);
	pair->first_fd = openat(local->spool_fd, pair->first, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, PROBE_MODE);
	pair->second_fd = openat(local->spool_fd, pair->second, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, PROBE_MODE);
	return pair->first_fd >= 0 && pair->second_fd >= 0;
}

static void probe_close(struct store_local *local, struct probe_pair *pair)
{
	if (pair->first_fd >= 0)
		close(pair->first_fd);
	if (pair->second_fd >= 0)
		close(pair->second_fd);
	unlinkat(local->spool_fd, pair->first, 0);
	unlinkat(local->spool_fd, pair->second, 0);
}

static bool probe_reflink(const struct probe_pair *pair)
{
	autofree char *bytes = calloc(1, PROBE_BYTES);

	if (!bytes || write(pair->first_fd, bytes, PROBE_BYTES) != PROBE_BYTES)
		return false;
	return ioctl(pair->second_fd, FICLONE, pair->first_fd) == 0;
}

static bool probe_hard_link(const struct store_local *local, const struct probe_pair *pair)
{
	if (unlinkat(local->spool_fd, pair->second, 0) < 0)
		return false;
	return linkat(local->spool_fd, pair->first, local->spool_fd, pair->second, 0) == 0;
}

static bool probe_empty_path(const struct store_local *local, const struct probe_pair *pair)
{
	unlinkat(local->spool_fd, pair->second, 0);
	return linkat(pair->first_fd, "", local->spool_fd, pair->second, AT_EMPTY_PATH) == 0;
}

/* O_TMPFILE is of use only where such a file can be given a name afterwards. */
void store_probe(struct store_local *local)
{
	struct store_abilities *found = &local->abilities;
	struct probe_pair pair;

	if (probe_open(local, &pair)) {
		found->has_reflink = probe_reflink(&pair);
		found->has_hard_links = probe_hard_link(local, &pair);
		local->has_empty_path_link = found->has_hard_links && probe_empty_path(local, &pair);
	}
	probe_close(local, &pair);
	found->has_tmpfile = found->has_hard_links && probe_tmpfile(local);
}

static const char *file_system_name(const struct store_local *local, char unknown[24])
{
	static const struct {
		long type;
		const char *name;
	} known[] = {
		{EXT4_SUPER_MAGIC, "ext4"}, {0x58465342, "xfs"},      {BTRFS_SUPER_MAGIC, "btrfs"},
		{TMPFS_MAGIC, "tmpfs"},	    {NFS_SUPER_MAGIC, "nfs"}, {0x00c36400, "ceph"},
		{0x0bd00bd0, "lustre"},	    {0x2fc12fc1, "zfs"},      {OVERLAYFS_SUPER_MAGIC, "overlay"},
		{FUSE_SUPER_MAGIC, "fuse"},
	};
	struct statfs statfs;

	if (fstatfs(local->base_fd, &statfs) < 0)
		return "unknown";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (statfs.f_type == known[i].type)
			return known[i].name;
	}
	snprintf(unknown, 24, "0x%lx", (unsigned long)statfs.f_type);
	return unknown;
}

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

void store_tell(const struct store_local *local)
{
	const struct store_abilities *found = &local->abilities;
	char unknown[24];

	if (local->is_read_only) {
		log_info("store opened for reading", "path", local->base_path, "file_system",
			 file_system_name(local, unknown));
		return;
	}
	log_info("store opened", "path", local->base_path, "file_system", file_system_name(local, unknown), "tmpfile",
		 yes_no(found->has_tmpfile), "reflink", yes_no(found->has_reflink), "hard_links",
		 yes_no(found->has_hard_links), "link_by", local->has_empty_path_link ? "descriptor" : "/proc",
		 "free_bytes", log_number((long long)found->free_bytes));
}

/* Answers that belong to the game; anything else means that the storage is broken, full, or tampered with. */
static bool is_ordinary(int error)
{
	return error == ENOENT || error == EEXIST || error == EMLINK || error == EINVAL || error == EROFS ||
	       error == EFBIG;
}

int store_report(struct store_local *local, const char *operation, const struct object_place *place, int r)
{
	int64_t now, before;

	if (r >= 0 || is_ordinary(-r))
		return r;
	now = clock_monotonic_ns();
	before = atomic_load(&local->reported_ns);
	if ((before != 0 && now - before < NS_PER_S) ||
	    !atomic_compare_exchange_strong(&local->reported_ns, &before, now)) {
		atomic_fetch_add(&local->unreported, 1);
		return r;
	}
	log_error("storage failed", "operation", operation, "error", log_errno(r), "tenant",
		  place ? place->tenant_code : "", "object", place ? place->path : "", "more_since_last",
		  log_number((long long)atomic_exchange(&local->unreported, 0)));
	return r;
}
