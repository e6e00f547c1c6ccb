#include "extractd/worker/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int copy_fd = -1;
static const uint8_t no_bytes[1];

int input_prepare_copy(void)
{
	copy_fd = memfd_create("input", MFD_CLOEXEC);
	return copy_fd < 0 ? -errno : 0;
}

int input_copy_fd(void)
{
	return copy_fd;
}

void input_set_copy_fd(int fd)
{
	copy_fd = fd;
}

const uint8_t *input_bytes(struct extract_input *in)
{
	void *mapped;

	if (in->memory)
		return in->memory;
	if (in->size_bytes == 0)
		return no_bytes;
	mapped = mmap(NULL, in->size_bytes, PROT_READ, MAP_PRIVATE, in->fd, 0);
	if (mapped == MAP_FAILED)
		return NULL;
	in->memory = mapped;
	return in->memory;
}

void input_release(struct extract_input *in)
{
	if (in->fd >= 0 && in->memory)
		munmap((void *)(uintptr_t)in->memory, in->size_bytes);
	in->memory = NULL;
}

long input_read(struct extract_input *in, void *buffer, size_t size, uint64_t offset)
{
	ssize_t got;

	if (offset >= in->size_bytes)
		return 0;
	if (size > in->size_bytes - offset)
		size = in->size_bytes - offset;
	if (in->fd < 0) {
		memcpy(buffer, in->memory + offset, size);
		return (long)size;
	}
	do {
		got = pread(in->fd, buffer, size, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

int input_path(struct extract_input *in, char ret_path[INPUT_PATH_SIZE])
{
	uint8_t block[64 << 10];
	uint64_t offset = 0;

	if (copy_fd < 0)
		return -EBADF;
	if (ftruncate(copy_fd, 0) < 0 || lseek(copy_fd, 0, SEEK_SET) < 0)
		return -errno;
	while (offset < in->size_bytes) {
		long got = input_read(in, block, sizeof(block), offset);
		ssize_t put = got > 0 ? pwrite(copy_fd, block, (size_t)got, (off_t)offset) : got;

		if (put < 0)
			return got < 0 ? (int)got : -errno;
		if (put == 0)
			return -ENODATA;
		offset += (uint64_t)put;
	}
	snprintf(ret_path, INPUT_PATH_SIZE, "/proc/self/fd/%d", copy_fd);
	return 0;
}
