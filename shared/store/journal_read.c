/* The committer's side of a journal: what is pending, straight from the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/store/journal_state.h"

/* The descriptor and the stretch of the file that holds [from, *ret_end): one area, and no more than was appended. */
static int locate(struct journal *journal, uint64_t from, int *ret_fd, uint64_t *ret_offset, uint64_t *ret_length)
{
	int r = -EINVAL;

	pthread_mutex_lock(&journal->lock);
	for (int i = 0; i < JOURNAL_AREAS; i++) {
		const struct area *area = &journal->areas[i];

		if (from < area->base || from >= area->end)
			continue;
		*ret_offset = (uint64_t)i * journal->area_bytes + JOURNAL_HEADER_BYTES + (from - area->base);
		*ret_length = area->end - from;
		r = 1;
	}
	if (from == journal->position)
		r = 0;
	*ret_fd = journal->fd;
	pthread_mutex_unlock(&journal->lock);
	return r;
}

static int reserve(struct journal_chunk *chunk, size_t wanted)
{
	char *data;

	if (wanted <= chunk->capacity)
		return 0;
	data = realloc(chunk->data, wanted);
	if (!data)
		return -ENOMEM;
	chunk->data = data;
	chunk->capacity = wanted;
	return 0;
}

static int read_exactly(int fd, char *to, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t got = pread(fd, to, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EBADMSG;
		to += got;
		length -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

/* Checks every frame and cuts the chunk behind the last whole one. */
static int check(struct journal_chunk *chunk, int64_t epoch, bool is_all)
{
	uint64_t position = chunk->position;
	size_t at = 0;

	while (at < chunk->length) {
		const struct frame_header *frame = (const void *)(chunk->data + at);
		size_t left = chunk->length - at;

		if (left < sizeof(*frame) ||
		    (frame_header_is_valid(frame, chunk->salt) && frame_bytes(frame->length) > left))
			break;
		if (!frame_is_valid(frame, left, chunk->salt) || frame->epoch != epoch || frame->position != position)
			return -EBADMSG;
		at += frame_bytes(frame->length);
		position += frame_bytes(frame->length);
	}
	if (is_all && at != chunk->length)
		return -EBADMSG;
	chunk->length = at;
	return 0;
}

int journal_read(struct journal *journal, uint64_t from_position, size_t max_bytes, struct journal_chunk *chunk)
{
	uint64_t offset = 0, length = 0;
	int fd, r = locate(journal, from_position, &fd, &offset, &length);
	bool is_all;

	chunk->length = chunk->cursor = 0;
	chunk->position = from_position;
	chunk->salt = journal->salt;
	if (r <= 0)
		return r;
	if (max_bytes < FRAME_MAX_BYTES)
		max_bytes = FRAME_MAX_BYTES;
	is_all = length <= max_bytes;
	chunk->length = is_all ? (size_t)length : max_bytes;
	r = reserve(chunk, chunk->length);
	if (r == 0)
		r = read_exactly(fd, chunk->data, chunk->length, offset);
	if (r == 0)
		r = check(chunk, journal->epoch, is_all);
	if (r < 0)
		chunk->length = 0;
	return r;
}

bool journal_next(struct journal_chunk *chunk, const void **ret_record, size_t *ret_length, uint64_t *ret_position)
{
	const struct frame_header *frame = (const void *)(chunk->data + chunk->cursor);

	if (chunk->cursor >= chunk->length)
		return false;
	chunk->cursor += frame_bytes(frame->length);
	chunk->position += frame_bytes(frame->length);
	*ret_record = frame_record(frame);
	*ret_length = frame->length;
	*ret_position = chunk->position;
	return true;
}

void journal_chunk_release(struct journal_chunk *chunk)
{
	free(chunk->data);
	*chunk = (struct journal_chunk){0};
}
