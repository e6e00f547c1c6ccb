/*
 * The records of a tenant that are in PostgreSQL already, so that the name space can be rebuilt without it. Frames are
 * copied from the journal as they are, inside the kernel; a hint behind the header says how far the file goes, so that
 * opening a large one reads only what came after the hint.
 *
 * .kept is synced with the rest of the folder every few seconds and not before its journal's room is used again: a
 * power loss may cost its last seconds, which PostgreSQL has. What is then missing or damaged is passed over by its
 * readers.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/digest.h"
#include "shared/base/fault.h"
#include "shared/store/journal_kept.h"
#include "shared/store/journal_state.h"

static const char kept_magic[8] = {'t', 'f', 's', 'k', 'e', 'p', 't', '1'};

void kept_name(char ret_name[JOURNAL_NAME_SIZE], int64_t tenant_id, const char *suffix)
{
	snprintf(ret_name, JOURNAL_NAME_SIZE, "%" PRId64 ".kept%s", tenant_id, suffix);
}

/* --- header and hint --- */

int kept_write_header(int fd, int64_t tenant_id, uint64_t salt, uint64_t compacted_bytes)
{
	struct kept_header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, kept_magic, sizeof(kept_magic));
	header.tenant_id = tenant_id;
	header.salt = salt;
	header.compacted_bytes = compacted_bytes;
	header.checksum = checksum_xxh3(&header, offsetof(struct kept_header, checksum));
	return write_all(fd, &header, sizeof(header), 0);
}

static int read_header(struct window *window, int64_t tenant_id, struct kept_header *ret_header)
{
	const char *bytes;
	size_t available;
	int r = window_get(window, 0, sizeof(*ret_header), &bytes, &available);

	if (r < 0)
		return r;
	if (available < sizeof(*ret_header))
		return -EBADMSG;
	memcpy(ret_header, bytes, sizeof(*ret_header));
	if (memcmp(ret_header->magic, kept_magic, sizeof(kept_magic)) != 0 || ret_header->tenant_id != tenant_id ||
	    ret_header->checksum != checksum_xxh3(ret_header, offsetof(struct kept_header, checksum)))
		return -EBADMSG;
	window->salt = ret_header->salt;
	return 0;
}

int kept_write_hint(int fd, uint64_t end, int64_t epoch, uint64_t position)
{
	struct kept_hint hint = {.end = end, .epoch = epoch, .position = position};

	hint.checksum = checksum_xxh3(&hint, offsetof(struct kept_hint, checksum));
	return write_all(fd, &hint, sizeof(hint), KEPT_HINT_OFFSET);
}

/* Without a good hint: from the first frame on. */
static int read_hint(struct window *window, struct kept_hint *ret_hint)
{
	const char *bytes;
	size_t available;
	int r = window_get(window, KEPT_HINT_OFFSET, sizeof(*ret_hint), &bytes, &available);

	if (r < 0)
		return r;
	memset(ret_hint, 0, sizeof(*ret_hint));
	if (available >= sizeof(*ret_hint))
		memcpy(ret_hint, bytes, sizeof(*ret_hint));
	if (ret_hint->checksum != checksum_xxh3(ret_hint, offsetof(struct kept_hint, checksum)) ||
	    ret_hint->end > window->size || ret_hint->end < JOURNAL_HEADER_BYTES)
		*ret_hint = (struct kept_hint){.end = JOURNAL_HEADER_BYTES};
	return 0;
}

static bool is_later(int64_t epoch, uint64_t position, int64_t than_epoch, uint64_t than_position)
{
	return epoch > than_epoch || (epoch == than_epoch && position > than_position);
}

int kept_open_window(int journal_dir_fd, int64_t tenant_id, const char *suffix, struct window *ret_window,
		     struct kept_header *ret_header)
{
	char name[JOURNAL_NAME_SIZE];
	autoclose int fd = -1;
	int r;

	kept_name(name, tenant_id, suffix);
	fd = openat(journal_dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	r = window_init(ret_window, fd);
	if (r == 0)
		r = read_header(ret_window, tenant_id, ret_header);
	if (r < 0) {
		window_release(ret_window);
		return r;
	}
	take_fd(&fd);
	return 0;
}

void kept_close_window(struct window *window)
{
	if (window->fd >= 0)
		close(window->fd);
	window_release(window);
}

int kept_salt(int journal_dir_fd, int64_t tenant_id, uint64_t *ret_salt)
{
	struct kept_header header;
	struct window window;
	int r = kept_open_window(journal_dir_fd, tenant_id, "", &window, &header);

	/* A damaged one is replaced when it is opened for writing. */
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	*ret_salt = header.salt;
	kept_close_window(&window);
	return 0;
}

/* --- reading --- */

int kept_walk(struct window *window, uint64_t from, uint64_t end, kept_visit_fn *visit, void *context)
{
	bool is_damaged = false;
	uint64_t offset = from;

	while (offset < end) {
		const struct frame_header *frame;
		enum frame_state state;
		int r = window_frame(window, offset, &state, &frame);

		if (r == 0 && state != FRAME_VALID) {
			is_damaged = true;
			r = window_find_frame(window, offset + FRAME_ALIGN, end, &offset, &frame);
		}
		if (r < 0)
			return r;
		if (!frame)
			break;
		r = visit(frame, offset, context);
		if (r != 0)
			return r;
		offset += frame_bytes(frame->length);
	}
	return is_damaged ? -EBADMSG : 0;
}

struct kept_reader {
	int64_t epoch;
	uint64_t position;
	int (*visit)(const void *record, size_t length, void *context);
	void *context;
};

/* What a compaction made has epoch 0; of the rest, what does not come later was copied twice. */
static int visit_in_order(const struct frame_header *frame, uint64_t offset, void *context)
{
	struct kept_reader *reader = context;

	(void)offset;
	if (frame->epoch != 0 && !is_later(frame->epoch, frame->position + 1, reader->epoch, reader->position))
		return 0;
	if (frame->epoch != 0) {
		reader->epoch = frame->epoch;
		reader->position = frame->position + frame_bytes(frame->length);
	}
	return reader->visit(frame_record(frame), frame->length, reader->context);
}

int journal_kept_scan(int journal_dir_fd, int64_t tenant_id,
		      int (*visit)(const void *record, size_t length, void *context), void *context)
{
	struct kept_reader reader = {.visit = visit, .context = context};
	struct kept_header header;
	struct window window;
	int r = kept_open_window(journal_dir_fd, tenant_id, "", &window, &header);

	if (r < 0)
		return r;
	r = kept_walk(&window, JOURNAL_HEADER_BYTES, window.size, visit_in_order, &reader);
	kept_close_window(&window);
	return r;
}

/* --- opening --- */

static int find_end(const struct frame_header *frame, uint64_t offset, void *context)
{
	struct kept *kept = context;

	kept->end = offset + frame_bytes(frame->length);
	if (frame->epoch != 0) {
		kept->epoch = frame->epoch;
		kept->position = frame->position + frame_bytes(frame->length);
	}
	return 0;
}

/* Where the last valid frame ends; what is behind it was being written in a crash and goes. */
static int find_reached(struct kept *kept, struct window *window)
{
	struct kept_hint hint;
	int r = read_hint(window, &hint);

	if (r < 0)
		return r;
	kept->end = hint.end;
	kept->epoch = hint.epoch;
	kept->position = hint.position;
	r = kept_walk(window, hint.end, window->size, find_end, kept);
	if (r < 0 && r != -EBADMSG)
		return r;
	return kept->end < window->size && ftruncate(kept->fd, (off_t)kept->end) < 0 ? -errno : 0;
}

static int begin_file(struct kept *kept, uint64_t salt)
{
	int r = ftruncate(kept->fd, JOURNAL_HEADER_BYTES) < 0 ? -errno : 0;

	if (r == 0)
		r = kept_write_hint(kept->fd, JOURNAL_HEADER_BYTES, 0, 0);
	if (r == 0)
		r = kept_write_header(kept->fd, kept->tenant_id, salt, 0);
	kept->salt = salt;
	kept->end = JOURNAL_HEADER_BYTES;
	return r;
}

/* A file whose header cannot be read is set aside under another name, for whoever wants to look into it. */
static int set_aside(struct kept *kept)
{
	char name[JOURNAL_NAME_SIZE], aside[JOURNAL_NAME_SIZE];

	close(take_fd(&kept->fd));
	kept_name(name, kept->tenant_id, "");
	kept_name(aside, kept->tenant_id, ".damaged");
	if (renameat(kept->dir_fd, name, kept->dir_fd, aside) < 0)
		return -errno;
	kept->fd = openat(kept->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return kept->fd < 0 ? -errno : 0;
}

static int open_file(struct kept *kept, uint64_t salt)
{
	char name[JOURNAL_NAME_SIZE];
	struct kept_header header;
	struct window window;
	int r;

	kept_name(name, kept->tenant_id, "");
	kept->fd = openat(kept->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (kept->fd < 0)
		return -errno;
	r = window_init(&window, kept->fd);
	if (r < 0)
		return r;
	r = read_header(&window, kept->tenant_id, &header);
	if (r == 0) {
		kept->salt = header.salt;
		kept->compacted_bytes = header.compacted_bytes;
		r = find_reached(kept, &window);
	} else if (r == -EBADMSG) {
		r = window.size > JOURNAL_HEADER_BYTES ? set_aside(kept) : 0;
		r = r < 0 ? r : begin_file(kept, salt);
	}
	window_release(&window);
	return r;
}

int kept_open(int journal_dir_fd, int64_t tenant_id, uint64_t salt, struct kept **ret_kept)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	int r;

	if (!kept)
		return -ENOMEM;
	kept->dir_fd = journal_dir_fd;
	kept->tenant_id = tenant_id;
	kept->fd = -1;
	pthread_mutex_init(&kept->lock, NULL);
	pthread_mutex_init(&kept->compaction_lock, NULL);
	r = open_file(kept, salt);
	if (r < 0) {
		kept_close(kept);
		return r;
	}
	*ret_kept = kept;
	return 0;
}

void kept_close(struct kept *kept)
{
	if (!kept)
		return;
	if (kept->fd >= 0)
		close(kept->fd);
	pthread_mutex_destroy(&kept->lock);
	pthread_mutex_destroy(&kept->compaction_lock);
	free(kept);
}

void kept_reached(struct kept *kept, int64_t *ret_epoch, uint64_t *ret_position)
{
	pthread_mutex_lock(&kept->lock);
	*ret_epoch = kept->epoch;
	*ret_position = kept->position;
	pthread_mutex_unlock(&kept->lock);
}

/* --- appending --- */

int kept_copy_bytes(int from_fd, uint64_t from, int to_fd, uint64_t to, uint64_t length)
{
	autofree char *buffer = NULL;

	while (length > 0) {
		off_t in = (off_t)from, out = (off_t)to;
		ssize_t copied = copy_file_range(from_fd, &in, to_fd, &out, length, 0);

		if (copied < 0 && errno == EINTR)
			continue;
		if (copied < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
			return errno == EDQUOT ? -ENOSPC : -errno;
		if (copied <= 0) { /* not between these two: by hand */
			int r;

			buffer = buffer ? buffer : malloc(KEPT_COPY_BYTES);
			if (!buffer)
				return -ENOMEM;
			copied = pread(from_fd, buffer, length < KEPT_COPY_BYTES ? length : KEPT_COPY_BYTES,
				       (off_t)from);
			if (copied <= 0)
				return copied < 0 ? -errno : -EBADMSG;
			r = write_all(to_fd, buffer, (size_t)copied, to);
			if (r < 0)
				return r;
		}
		from += (uint64_t)copied;
		to += (uint64_t)copied;
		length -= (uint64_t)copied;
	}
	return 0;
}

struct resalting {
	int fd;
	uint64_t salt, end;
};

static int copy_resalted(const struct frame_header *frame, uint64_t offset, void *context)
{
	struct resalting *resalting = context;
	uint64_t total = frame_bytes(frame->length);
	struct frame_header header;
	int r;

	(void)offset;
	frame_make(&header, resalting->salt, frame->epoch, frame->position, frame->synced, frame_record(frame),
		   frame->length);
	r = write_all(resalting->fd, &header, sizeof(header), resalting->end);
	if (r == 0)
		r = write_all(resalting->fd, frame_record(frame), total - sizeof(header),
			      resalting->end + sizeof(header));
	resalting->end += total;
	return r;
}

/* A .kept that was begun under another salt: seldom, after one was lost or set aside. */
static int append_resalted(struct kept *kept, int fd, uint64_t salt, uint64_t offset, uint64_t length)
{
	struct resalting resalting = {.fd = kept->fd, .salt = kept->salt, .end = kept->end};
	struct window window;
	int r = window_init(&window, fd);

	if (r < 0)
		return r;
	window.salt = salt;
	r = kept_walk(&window, offset, offset + length, copy_resalted, &resalting);
	window_release(&window);
	return r;
}

int kept_append(struct kept *kept, int fd, uint64_t salt, uint64_t offset, uint64_t length, int64_t epoch,
		uint64_t position)
{
	int r;

	pthread_mutex_lock(&kept->lock);
	if (salt == kept->salt)
		r = kept_copy_bytes(fd, offset, kept->fd, kept->end, length);
	else
		r = append_resalted(kept, fd, salt, offset, length);
	FAULT_POINT("journal_keep_copied");
	if (r == 0)
		r = kept_write_hint(kept->fd, kept->end + length, epoch, position);
	/* On an error what was written lies behind the end, and the next try writes over it. */
	if (r == 0) {
		kept->end += length;
		kept->epoch = epoch;
		kept->position = position;
	}
	pthread_mutex_unlock(&kept->lock);
	return r;
}

int kept_sync(struct kept *kept)
{
	autoclose int fd = -1;

	/* A duplicate, so that no append waits for the disk. */
	pthread_mutex_lock(&kept->lock);
	fd = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&kept->lock);
	if (fd < 0)
		return -errno;
	return fdatasync(fd) < 0 ? -errno : 0;
}
