#include "shared/store/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/base/cleanup.h"

enum { COPY_BUFFER_BYTES = 128 * 1024, COMPARE_BUFFER_BYTES = 64 * 1024 };

/* A call that cannot be had for these two files, as opposed to one that failed. */
static bool is_unsupported(int error)
{
	return error == EXDEV || error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == ENOTTY ||
	       error == EBADF;
}

static int reflink(int from_fd, int to_fd, uint64_t size_bytes, uint64_t from_size)
{
	if (ioctl(to_fd, FICLONE, from_fd) < 0)
		return -errno;
	if (from_size > size_bytes && ftruncate(to_fd, (off_t)size_bytes) < 0)
		return -errno;
	return 0;
}

static int write_at(int fd, const char *bytes, size_t length, off_t offset)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* All of length bytes unless the file ends before. */
static ssize_t read_at(int fd, char *bytes, size_t length, off_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, bytes + done, length - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int copy_through_memory(int from_fd, int to_fd, off_t offset, uint64_t length)
{
	autofree char *buffer = malloc(COPY_BUFFER_BYTES);
	int r = 0;

	if (!buffer)
		return -ENOMEM;
	while (r == 0 && length > 0) {
		size_t want = length < COPY_BUFFER_BYTES ? (size_t)length : COPY_BUFFER_BYTES;
		ssize_t n = read_at(from_fd, buffer, want, offset);

		if (n < 0)
			return (int)n;
		if ((size_t)n < want)
			return -EIO;
		r = write_at(to_fd, buffer, want, offset);
		offset += n;
		length -= want;
	}
	return r;
}

static int copy_range(int from_fd, int to_fd, off_t offset, uint64_t length)
{
	off_t to_offset = offset;

	while (length > 0) {
		ssize_t n =
			copy_file_range(from_fd, &offset, to_fd, &to_offset, length < 1 << 30 ? length : 1 << 30, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_unsupported(errno))
			return copy_through_memory(from_fd, to_fd, offset, length);
		if (n < 0)
			return -errno;
		if (n == 0) /* some file systems answer so when they cannot; it also means the file became shorter */
			return copy_through_memory(from_fd, to_fd, offset, length);
		length -= (uint64_t)n;
	}
	return 0;
}

/* The next stretch of data at or behind offset; [size, size) when there is none. Without SEEK_DATA all of it is data.
 */
static int next_data(int fd, off_t offset, off_t size, off_t *ret_begin, off_t *ret_end)
{
	off_t begin = lseek(fd, offset, SEEK_DATA), end = size;

	if (begin < 0 && errno == EINVAL)
		begin = offset;
	else if (begin < 0 && errno == ENXIO)
		begin = size;
	else if (begin < 0)
		return -errno;
	else
		end = lseek(fd, begin, SEEK_HOLE);
	if (end < 0)
		return -errno;
	if (end <= begin) /* no file system should answer so; the copy must end all the same */
		end = size;
	*ret_begin = begin < size ? begin : size;
	*ret_end = end < size ? end : size;
	return 0;
}

static int copy_data(int from_fd, int to_fd, off_t size)
{
	off_t begin = 0, end = 0;

	while (end < size) {
		int r = next_data(from_fd, end, size, &begin, &end);

		if (r == 0 && begin < end)
			r = copy_range(from_fd, to_fd, begin, (uint64_t)(end - begin));
		if (r < 0)
			return r;
	}
	return ftruncate(to_fd, size) < 0 ? -errno : 0;
}

int copy_bytes(int from_fd, int to_fd, uint64_t size_bytes, bool has_reflink)
{
	struct stat stat;
	int r = -EOPNOTSUPP;

	if (fstat(from_fd, &stat) < 0)
		return -errno;
	if ((uint64_t)stat.st_size < size_bytes)
		return -EIO;
	if (has_reflink)
		r = reflink(from_fd, to_fd, size_bytes, (uint64_t)stat.st_size);
	if (r < 0 && is_unsupported(-r))
		r = copy_data(from_fd, to_fd, (off_t)size_bytes);
	if (r < 0 && ftruncate(to_fd, 0) < 0)
		return -errno;
	return r;
}

int copy_is_equal(int first_fd, int second_fd, uint64_t size_bytes)
{
	autofree char *buffers = malloc(2 * COMPARE_BUFFER_BYTES);
	char *first = buffers, *second = buffers + COMPARE_BUFFER_BYTES;
	uint64_t offset = 0;

	if (!buffers)
		return -ENOMEM;
	while (offset < size_bytes) {
		uint64_t rest = size_bytes - offset;
		size_t want = rest < COMPARE_BUFFER_BYTES ? (size_t)rest : COMPARE_BUFFER_BYTES;
		ssize_t a = read_at(first_fd, first, want, (off_t)offset);
		ssize_t b = read_at(second_fd, second, want, (off_t)offset);

		if (a < 0 || b < 0)
			return (int)(a < 0 ? a : b);
		if ((size_t)a < want || (size_t)b < want || memcmp(first, second, want) != 0)
			return 0;
		offset += want;
	}
	return 1;
}
