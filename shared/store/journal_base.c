/* The folder of the journals as a whole: who writes in it, which folder it is, what lies in it for a full disk. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/digest.h"
#include "shared/store/journal_base.h"
#include "shared/store/journal_state.h"

#define RESERVE_LEAVES_FREE_BYTES ((uint64_t)1 << 20)
static const char base_id_name[] = "id";

void boot_id_read(char ret_boot_id[JOURNAL_BOOT_ID_SIZE])
{
	autoclose int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	memset(ret_boot_id, 0, JOURNAL_BOOT_ID_SIZE);
	got = fd >= 0 ? read(fd, ret_boot_id, JOURNAL_BOOT_ID_SIZE - 1) : -1;
	if (got > 0 && ret_boot_id[got - 1] == '\n')
		ret_boot_id[got - 1] = '\0';
}

int journal_lock(int journal_dir_fd, int *ret_lock_fd)
{
	/* An open file description of its own: the lock belongs to that, not to the descriptor we were given. */
	autoclose int fd = openat(journal_dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_lock_fd = take_fd(&fd);
	return 0;
}

static int read_id(int journal_dir_fd, char ret_id[JOURNAL_BASE_ID_SIZE])
{
	autoclose int fd = openat(journal_dir_fd, base_id_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t bytes[JOURNAL_BASE_ID_SIZE / 2];
	char text[JOURNAL_BASE_ID_SIZE];

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text)) != (ssize_t)sizeof(text) || text[sizeof(text) - 1] != '\n')
		return -EBADMSG;
	text[sizeof(text) - 1] = '\0';
	if (hex_decode(text, sizeof(text) - 1, bytes, sizeof(bytes)) < 0)
		return -EBADMSG;
	memcpy(ret_id, text, sizeof(text));
	return 0;
}

static int make_id(int journal_dir_fd)
{
	static const char new_name[] = "id.new";
	autoclose int fd =
		openat(journal_dir_fd, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint8_t bytes[JOURNAL_BASE_ID_SIZE / 2];
	char text[JOURNAL_BASE_ID_SIZE];
	int r;

	if (fd < 0)
		return -errno;
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	hex_encode(bytes, sizeof(bytes), text);
	text[sizeof(text) - 1] = '\n';
	r = write_all(fd, text, sizeof(text), 0);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(journal_dir_fd, new_name, journal_dir_fd, base_id_name) < 0)
		r = -errno;
	if (r == 0 && fsync(journal_dir_fd) < 0)
		r = -errno;
	return r;
}

int journal_base_id(int journal_dir_fd, char ret_id[JOURNAL_BASE_ID_SIZE])
{
	int r = read_id(journal_dir_fd, ret_id);

	if (r != -ENOENT)
		return r;
	r = make_id(journal_dir_fd);
	return r < 0 ? r : read_id(journal_dir_fd, ret_id);
}

bool journal_base_is_local(int journal_dir_fd)
{
	/* File systems of one kernel alone: another machine has these bytes only when this one has given them up. */
	static const long local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,	      BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
				     TMPFS_MAGIC,      OVERLAYFS_SUPER_MAGIC, 0x2FC12FC1 /* ZFS */};
	struct statfs info;

	if (fstatfs(journal_dir_fd, &info) < 0)
		return false;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if ((long)info.f_type == local[i])
			return true;
	}
	return false;
}

int journal_reserve_fill(int journal_dir_fd, uint64_t bytes)
{
	struct statvfs disk;
	autoclose int fd = -1;

	if (faccessat(journal_dir_fd, JOURNAL_RESERVE_NAME, F_OK, 0) == 0)
		return 0;
	if (fstatvfs(journal_dir_fd, &disk) < 0)
		return -errno;
	if ((uint64_t)disk.f_bavail * disk.f_frsize < bytes + RESERVE_LEAVES_FREE_BYTES)
		return -ENOSPC;
	fd = openat(journal_dir_fd, JOURNAL_RESERVE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (fallocate(fd, 0, 0, (off_t)bytes) < 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
		int error = -errno;

		unlinkat(journal_dir_fd, JOURNAL_RESERVE_NAME, 0);
		return error;
	}
	return 0;
}
