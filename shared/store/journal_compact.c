/*
 * Compacting .kept: the last value of every key, nothing for a key that is gone. Beside the file that is appended to
 * meanwhile: what stands in it at the beginning is compacted into a new one, what came since is copied behind, then the
 * new one takes its name.
 *
 * In two passes over a stream of records: the first notes where each key has its last value (24 bytes a key), the
 * second writes those. A file too large for that is first dealt out by key to several, so that memory stays bounded
 * whatever the tenant's size.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/fault.h"
#include "shared/store/journal_keys.h"
#include "shared/store/journal_kept.h"
#include "shared/store/journal_state.h"

enum { PARTS_MAX = 64, RECORD_TARGET_BYTES = 64 * 1024, PART_BUFFER_BYTES = 32 * 1024 };
#define PART_BYTES	   ((uint64_t)64 << 20) /* of records that are compacted at once: some 10 MiB of keys */
#define COMPACT_IDLE_BYTES ((uint64_t)256 << 10)
#define COMPACT_BUSY_BYTES ((uint64_t)4 << 20)
#define CATCH_UP_BYTES	   ((uint64_t)1 << 20) /* copied with the lock held, at most */

/* --- writing records --- */

struct sink {
	int fd;
	uint64_t salt, end;
	size_t target_bytes; /* of a record */
	struct buf record;
};

static int sink_flush(struct sink *sink)
{
	static const char padding[FRAME_ALIGN];
	struct frame_header frame;
	uint64_t total = frame_bytes(sink->record.length);
	struct iovec parts[3] = {
		{&frame, sizeof(frame)},
		{sink->record.data, sink->record.length},
		{(void *)(uintptr_t)padding, (size_t)(total - sizeof(frame) - sink->record.length)},
	};
	int r = buf_error(&sink->record);

	if (r < 0 || sink->record.length == 0)
		return r;
	frame_make(&frame, sink->salt, 0, sink->end, 0, sink->record.data, sink->record.length);
	r = writev_all(sink->fd, parts, 3, sink->end);
	sink->end += total;
	buf_reset(&sink->record);
	return r;
}

static int sink_put(struct sink *sink, const struct change *change)
{
	record_put(&sink->record, change);
	return sink->record.length >= sink->target_bytes || buf_error(&sink->record) < 0 ? sink_flush(sink) : 0;
}

/* --- the two passes --- */

struct pass {
	struct last_table last;
	uint64_t sequence;
	struct sink *sink;
	bool has_damage;
	int (*visit)(struct pass *pass, const struct change *change);

	struct sink *parts;
	uint64_t part_count;
};

static int visit_changes(const struct frame_header *frame, uint64_t offset, void *context)
{
	struct pass *pass = context;
	struct change change;
	size_t cursor = 0;
	int r;

	(void)offset;
	while ((r = record_next(frame_record(frame), frame->length, &cursor, &change)) == 1) {
		pass->sequence++;
		r = pass->visit(pass, &change);
		if (r < 0)
			return r;
	}
	/* A valid frame whose record cannot be read was written by another version: better no compaction than a loss.
	 */
	return r == -EBADMSG ? -ENOTSUP : r;
}

static int walk(struct pass *pass, struct window *window, uint64_t from, uint64_t end,
		int (*visit)(struct pass *pass, const struct change *change))
{
	int r;

	pass->sequence = 0;
	pass->visit = visit;
	r = kept_walk(window, from, end, visit_changes, pass);
	if (r == -EBADMSG)
		pass->has_damage = true;
	return r == -EBADMSG ? 0 : r;
}

static int note_last(struct pass *pass, const struct change *change)
{
	struct key key;
	int r = 0;

	if (!key_of(pass->sink->salt, change, &key))
		return 0;
	if (change->kind == CHANGE_NODE_DELETE)
		r = last_set(&pass->last, key_wiped(pass->sink->salt, change->node.inode), pass->sequence);
	return r < 0 ? r : last_set(&pass->last, key, pass->sequence);
}

static bool is_wanted(struct pass *pass, const struct change *change)
{
	struct key key;

	switch (change->kind) {
	case CHANGE_REJECTION:
		return true;
	case CHANGE_NODE_DELETE:
	case CHANGE_ENTRY_DELETE:
	case CHANGE_OBJECT_DELETE:
	case CHANGE_ATTRIBUTE_DELETE:
	case CHANGE_EXTRACT: /* a rebuild queues what has no result */
	case CHANGE_EVENT:
	case CHANGE_KIND_COUNT:
		return false;
	case CHANGE_ATTRIBUTE_PUT:
		if (last_get(&pass->last, key_wiped(pass->sink->salt, change->attribute.inode)) > pass->sequence)
			return false;
		break;
	case CHANGE_SPOOL:
		if (change->spool.spool_name.length == 0 ||
		    last_get(&pass->last, key_wiped(pass->sink->salt, change->spool.inode)) > pass->sequence)
			return false;
		break;
	case CHANGE_NODE_PUT:
	case CHANGE_ENTRY_PUT:
	case CHANGE_OBJECT_PUT:
	case CHANGE_USAGE:
		break;
	}
	return key_of(pass->sink->salt, change, &key) && last_get(&pass->last, key) == pass->sequence;
}

static int put_wanted(struct pass *pass, const struct change *change)
{
	return is_wanted(pass, change) ? sink_put(pass->sink, change) : 0;
}

static int compact_stream(struct pass *pass, struct window *window, uint64_t from, uint64_t end)
{
	int r = walk(pass, window, from, end, note_last);

	if (r == 0)
		r = walk(pass, window, from, end, put_wanted);
	last_release(&pass->last);
	return r;
}

/* --- large files: dealt out first --- */

static int deal_out(struct pass *pass, const struct change *change)
{
	if (change->kind == CHANGE_EVENT || change->kind == CHANGE_EXTRACT)
		return 0;
	return sink_put(&pass->parts[part_of(pass->sink->salt, change) % pass->part_count], change);
}

static int open_parts(struct kept *kept, struct sink *parts, uint64_t count)
{
	char name[JOURNAL_NAME_SIZE];

	kept_name(name, kept->tenant_id, ".part");
	for (uint64_t i = 0; i < count; i++) {
		parts[i] = (struct sink){.fd = -1, .salt = kept->salt, .target_bytes = PART_BUFFER_BYTES};
		parts[i].record = BUF_INIT(RECORD_MAX_BYTES);
		parts[i].fd = openat(kept->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (parts[i].fd < 0 || unlinkat(kept->dir_fd, name, 0) < 0)
			return -errno;
	}
	return 0;
}

static int compact_part(struct pass *pass, struct sink *part)
{
	struct window window;
	int r = sink_flush(part);

	if (r == 0)
		r = window_init(&window, part->fd);
	if (r < 0)
		return r;
	window.salt = part->salt;
	r = compact_stream(pass, &window, 0, part->end);
	window_release(&window);
	return r;
}

static int compact_by_parts(struct kept *kept, struct pass *pass, struct window *window, uint64_t from, uint64_t end)
{
	struct sink parts[PARTS_MAX];
	uint64_t count = (end - from) / PART_BYTES + 1;
	int r;

	memset(parts, 0, sizeof(parts));
	count = count < PARTS_MAX ? count : PARTS_MAX;
	for (uint64_t i = 0; i < count; i++)
		parts[i].fd = -1;
	pass->parts = parts;
	pass->part_count = count;
	r = open_parts(kept, parts, count);
	if (r == 0)
		r = walk(pass, window, from, end, deal_out);
	for (uint64_t i = 0; i < count; i++) {
		if (r == 0)
			r = compact_part(pass, &parts[i]);
		if (parts[i].fd >= 0)
			close(parts[i].fd);
		buf_release(&parts[i].record);
	}
	return r;
}

/* --- the new file takes over --- */

static int open_new(struct kept *kept)
{
	char name[JOURNAL_NAME_SIZE];
	int fd;

	kept_name(name, kept->tenant_id, ".part");
	if (unlinkat(kept->dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	kept_name(name, kept->tenant_id, ".new");
	if (unlinkat(kept->dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(kept->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Of a file with damage a copy stays, so that nothing is thrown away unseen. */
static int keep_damaged(struct kept *kept)
{
	char name[JOURNAL_NAME_SIZE], aside[JOURNAL_NAME_SIZE];

	kept_name(name, kept->tenant_id, "");
	kept_name(aside, kept->tenant_id, ".damaged");
	if (unlinkat(kept->dir_fd, aside, 0) < 0 && errno != ENOENT)
		return -errno;
	return linkat(kept->dir_fd, name, kept->dir_fd, aside, 0) < 0 ? -errno : 0;
}

/* Under the lock. copied_to: how far of the old file is in the new one, which ends at *end. */
static int take_over(struct kept *kept, int *fd, uint64_t copied_to, uint64_t end, uint64_t compacted_bytes)
{
	char name[JOURNAL_NAME_SIZE], new_name[JOURNAL_NAME_SIZE];
	int old_fd = kept->fd, r;

	r = kept_copy_bytes(kept->fd, copied_to, *fd, end, kept->end - copied_to);
	end += kept->end - copied_to;
	if (r == 0)
		r = kept_write_hint(*fd, end, kept->epoch, kept->position);
	if (r < 0)
		return r;
	kept_name(name, kept->tenant_id, "");
	kept_name(new_name, kept->tenant_id, ".new");
	FAULT_POINT("journal_compact_before_rename");
	if (renameat(kept->dir_fd, new_name, kept->dir_fd, name) < 0)
		return -errno;
	FAULT_POINT("journal_compact_after_rename");
	kept->fd = take_fd(fd);
	kept->end = end;
	kept->compacted_bytes = compacted_bytes;
	close(old_fd);
	return 0;
}

/* Copies what was appended meanwhile: most of it without the lock, and synced, the rest with it. */
static int catch_up(struct kept *kept, int *fd, uint64_t copied_to, uint64_t end)
{
	uint64_t compacted_bytes = end, old_end;
	int r = kept_write_header(*fd, kept->tenant_id, kept->salt, compacted_bytes);

	for (;;) {
		pthread_mutex_lock(&kept->lock);
		old_end = kept->end;
		if (r < 0 || old_end - copied_to <= CATCH_UP_BYTES)
			break;
		pthread_mutex_unlock(&kept->lock);
		/* Only this function closes kept->fd while it is open, so it may be read without the lock. */
		r = kept_copy_bytes(kept->fd, copied_to, *fd, end, old_end - copied_to);
		end += old_end - copied_to;
		copied_to = old_end;
		if (r == 0 && fdatasync(*fd) < 0)
			r = -errno;
	}
	if (r == 0)
		r = take_over(kept, fd, copied_to, end, compacted_bytes);
	pthread_mutex_unlock(&kept->lock);
	if (r == 0 && fsync(kept->dir_fd) < 0)
		r = -errno;
	return r;
}

static int compact_into(struct kept *kept, struct window *window, uint64_t end, int *fd)
{
	struct sink sink = {
		.fd = *fd, .salt = kept->salt, .end = JOURNAL_HEADER_BYTES, .target_bytes = RECORD_TARGET_BYTES};
	struct pass pass = {.sink = &sink};
	int r;

	sink.record = BUF_INIT(RECORD_MAX_BYTES);
	if (end - JOURNAL_HEADER_BYTES <= PART_BYTES)
		r = compact_stream(&pass, window, JOURNAL_HEADER_BYTES, end);
	else
		r = compact_by_parts(kept, &pass, window, JOURNAL_HEADER_BYTES, end);
	if (r == 0)
		r = sink_flush(&sink);
	if (r == 0 && pass.has_damage)
		r = keep_damaged(kept);
	if (r == 0 && fdatasync(*fd) < 0)
		r = -errno;
	if (r == 0)
		r = catch_up(kept, fd, end, sink.end);
	buf_release(&sink.record);
	return r;
}

static int compact(struct kept *kept, uint64_t end)
{
	struct kept_header header;
	struct window window;
	int fd, r = kept_open_window(kept->dir_fd, kept->tenant_id, "", &window, &header);

	if (r < 0)
		return r;
	fd = open_new(kept);
	r = fd < 0 ? fd : compact_into(kept, &window, end, &fd);
	if (fd >= 0)
		close(fd);
	kept_close_window(&window);
	return r;
}

int kept_compact(struct kept *kept, bool is_idle)
{
	uint64_t end, before;
	int r = 0;

	pthread_mutex_lock(&kept->compaction_lock);
	pthread_mutex_lock(&kept->lock);
	end = kept->end;
	before = kept->compacted_bytes;
	pthread_mutex_unlock(&kept->lock);
	if ((is_idle && end > COMPACT_IDLE_BYTES && end > 2 * before) ||
	    (end > COMPACT_BUSY_BYTES && end > 4 * before)) {
		r = compact(kept, end);
		r = r < 0 ? r : 1;
	}
	pthread_mutex_unlock(&kept->compaction_lock);
	return r;
}
