#include "shared/store/journal_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/digest.h"

enum { WINDOW_BYTES = 256 * 1024 };
static const char area_magic[8] = {'t', 'f', 's', 'j', 'r', 'n', 'l', '1'};

/* --- frames --- */

void frame_make(struct frame_header *ret_frame, uint64_t salt, int64_t epoch, uint64_t position, uint64_t synced,
		const void *record, size_t length)
{
	*ret_frame = (struct frame_header){
		.magic = FRAME_MAGIC,
		.length = (uint32_t)length,
		.epoch = epoch,
		.position = position,
		.synced = synced,
		.record_checksum = checksum_xxh3(record, length),
	};
	ret_frame->checksum = checksum_xxh3(ret_frame, offsetof(struct frame_header, checksum)) ^ salt;
}

bool frame_header_is_valid(const struct frame_header *frame, uint64_t salt)
{
	return frame->magic == FRAME_MAGIC && frame->length <= RECORD_MAX_BYTES &&
	       frame->checksum == (checksum_xxh3(frame, offsetof(struct frame_header, checksum)) ^ salt);
}

bool frame_is_valid(const void *frame, uint64_t available, uint64_t salt)
{
	const struct frame_header *header = frame;

	return available >= sizeof(*header) && frame_header_is_valid(header, salt) &&
	       available >= frame_bytes(header->length) &&
	       header->record_checksum == checksum_xxh3(frame_record(header), header->length);
}

/* --- headers and names --- */

void area_header_seal(struct area_header *header)
{
	memcpy(header->magic, area_magic, sizeof(area_magic));
	boot_id_read(header->boot_id);
	header->checksum = checksum_xxh3(header, offsetof(struct area_header, checksum));
}

enum header_state area_header_check(const struct area_header *header, int64_t tenant_id, int64_t epoch)
{
	static const struct area_header none;

	if (memcmp(header, &none, sizeof(none)) == 0)
		return HEADER_NONE;
	if (memcmp(header->magic, area_magic, sizeof(area_magic)) != 0 ||
	    header->checksum != checksum_xxh3(header, offsetof(struct area_header, checksum)) ||
	    header->tenant_id != tenant_id || header->epoch != epoch || header->area_bytes < AREA_MIN_BYTES ||
	    header->area_bytes > INT64_MAX / JOURNAL_AREAS || header->area_bytes % JOURNAL_HEADER_BYTES != 0 ||
	    header->released > header->base)
		return HEADER_DAMAGED;
	return HEADER_VALID;
}

void journal_name(char ret_name[JOURNAL_NAME_SIZE], int64_t tenant_id, int64_t epoch)
{
	snprintf(ret_name, JOURNAL_NAME_SIZE, "%" PRId64 ".%" PRId64, tenant_id, epoch);
}

/* --- a window on a file --- */

int window_init(struct window *window, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return -errno;
	*window = (struct window){.fd = fd, .size = (uint64_t)size};
	return 0;
}

void window_release(struct window *window)
{
	free(window->data);
	*window = (struct window){.fd = -1};
}

static int reserve(struct window *window, size_t wanted)
{
	size_t capacity = wanted > WINDOW_BYTES ? wanted : WINDOW_BYTES;
	char *data;

	if (window->capacity >= capacity)
		return 0;
	data = realloc(window->data, capacity);
	if (!data)
		return -ENOMEM;
	window->data = data;
	window->capacity = capacity;
	return 0;
}

static int fill(struct window *window, uint64_t offset, size_t wanted)
{
	int r = reserve(window, wanted);

	if (r < 0)
		return r;
	window->offset = offset;
	window->length = 0;
	while (window->length < wanted) {
		ssize_t got = pread(window->fd, window->data + window->length, window->capacity - window->length,
				    (off_t)(offset + window->length));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		window->length += (size_t)got;
	}
	return 0;
}

int window_get(struct window *window, uint64_t offset, size_t wanted, const char **ret_bytes, size_t *ret_available)
{
	if (!window->data || offset < window->offset || offset + wanted > window->offset + window->length) {
		int r = offset < window->size ? fill(window, offset, wanted) : reserve(window, wanted);

		if (r < 0)
			return r;
		if (offset >= window->size) {
			window->offset = offset;
			window->length = 0;
		}
	}
	*ret_bytes = window->data + (offset - window->offset);
	*ret_available = (size_t)(window->offset + window->length - offset);
	return 0;
}

static bool is_zero(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

int window_frame(struct window *window, uint64_t offset, enum frame_state *ret_state,
		 const struct frame_header **ret_frame)
{
	struct frame_header header;
	const char *bytes;
	size_t available;
	int r = window_get(window, offset, sizeof(header), &bytes, &available);

	if (r < 0)
		return r;
	*ret_frame = NULL;
	*ret_state = FRAME_DAMAGED;
	if (available < sizeof(header) || is_zero(bytes, sizeof(header))) {
		*ret_state = is_zero(bytes, available < sizeof(header) ? available : sizeof(header)) ? FRAME_ABSENT
												     : FRAME_DAMAGED;
		return 0;
	}
	memcpy(&header, bytes, sizeof(header));
	if (!frame_header_is_valid(&header, window->salt))
		return 0;
	r = window_get(window, offset, frame_bytes(header.length), &bytes, &available);
	if (r < 0)
		return r;
	if (!frame_is_valid(bytes, available, window->salt))
		return 0;
	*ret_state = FRAME_VALID;
	*ret_frame = (const struct frame_header *)(const void *)bytes;
	return 0;
}

int window_find_frame(struct window *window, uint64_t from, uint64_t end, uint64_t *ret_offset,
		      const struct frame_header **ret_frame)
{
	uint64_t offset = (from + FRAME_ALIGN - 1) & ~(uint64_t)(FRAME_ALIGN - 1);

	if (end > window->size)
		end = window->size;
	for (; offset + sizeof(struct frame_header) <= end; offset += FRAME_ALIGN) {
		enum frame_state state;
		const char *bytes;
		size_t available;
		uint32_t magic;
		int r = window_get(window, offset, sizeof(struct frame_header), &bytes, &available);

		if (r < 0)
			return r;
		memcpy(&magic, bytes, sizeof(magic));
		if (available < sizeof(struct frame_header) || magic != FRAME_MAGIC)
			continue;
		r = window_frame(window, offset, &state, ret_frame);
		if (r < 0)
			return r;
		if (state != FRAME_VALID)
			continue;
		*ret_offset = offset;
		return 0;
	}
	*ret_offset = UINT64_MAX;
	*ret_frame = NULL;
	return 0;
}
