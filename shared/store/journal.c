/* Writing a journal: appending, syncing, and using its room again. journal_format.h has the layout. */
#include "shared/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "shared/base/fault.h"
#include "shared/store/journal_state.h"

/* --- preallocation --- */

/*
 * Makes sure that used_bytes of frames (and the reserve behind them, for records that free nothing) can be written
 * without asking the disk for room. Grows by doubling, in small steps when the disk is nearly full.
 */
static int allocate(struct journal *journal, int index, uint64_t used_bytes, bool frees_space)
{
	struct area *area = &journal->areas[index];
	uint64_t capacity = area_capacity(journal);
	uint64_t wanted = used_bytes + (frees_space ? 0 : journal->options.reserve_bytes), generous;
	int r;

	wanted = wanted < capacity ? wanted : capacity;
	if (wanted <= area->allocated)
		return 0;
	generous = area->allocated > 0 ? area->allocated * 2 : JOURNAL_FIRST_BYTES;
	generous = generous > wanted ? generous : wanted;
	generous = generous < capacity ? generous : capacity;
	r = journal_allocate(journal, index, generous);
	if (r == -ENOSPC)
		r = journal_allocate(journal, index, wanted);
	if (r == -ENOSPC && frees_space && unlinkat(journal->dir_fd, JOURNAL_RESERVE_NAME, 0) == 0)
		r = journal_allocate(journal, index, wanted);
	return r;
}

/* --- areas --- */

/* From now on frames go to the beginning of this area. Under the lock. */
static int begin_area(struct journal *journal, int index)
{
	struct area_header header;
	int r;

	memset(&header, 0, sizeof(header));
	header.tenant_id = journal->tenant_id;
	header.epoch = journal->epoch;
	header.area_bytes = journal->area_bytes;
	header.base = journal->position;
	header.released = journal_released(journal);
	header.salt = journal->salt;
	area_header_seal(&header);
	r = write_all(journal->fd, &header, sizeof(header), (uint64_t)index * journal->area_bytes);
	if (r < 0)
		return r;
	FAULT_POINT("journal_area_begun");
	journal->areas[index].base = journal->areas[index].end = journal->position;
	journal->current = index;
	return 0;
}

/* Finds the place for a frame: in this area, or in the other one when all of that is released. */
static int make_room(struct journal *journal, uint64_t need, bool frees_space)
{
	int other = 1 - journal->current, r;

	if (fits(journal, need))
		return allocate(journal, journal->current,
				journal->position - journal->areas[journal->current].base + need, frees_space);
	if (journal->areas[other].end > journal_released(journal)) {
		journal->refused_bytes = need;
		return -EAGAIN;
	}
	r = allocate(journal, other, need, frees_space);
	return r < 0 ? r : begin_area(journal, other);
}

/* --- the file --- */

/* The first append makes the file; after a rest it is only opened again. */
static int open_file(struct journal *journal)
{
	char name[JOURNAL_NAME_SIZE];
	int r;

	if (journal->fd >= 0)
		return 0;
	journal_name(name, journal->tenant_id, journal->epoch);
	journal->fd = openat(journal->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return -errno;
	if (journal->is_begun)
		return 0;
	FAULT_POINT("journal_file_created");
	r = allocate(journal, 0, 1, true);
	if (r == 0)
		r = begin_area(journal, 0);
	if (r < 0) {
		close(take_fd(&journal->fd));
		return r;
	}
	journal->is_begun = true;
	return 0;
}

/* Errors that say nothing about the file. */
static bool is_passing(int error)
{
	return error == -EAGAIN || error == -ENOSPC || error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static int write_frame(struct journal *journal, const struct buf *record)
{
	static const char padding[FRAME_ALIGN];
	const struct area *area = &journal->areas[journal->current];
	uint64_t need = frame_bytes(record->length);
	struct frame_header frame;
	struct iovec parts[3] = {
		{&frame, sizeof(frame)},
		{record->data, record->length},
		{(void *)(uintptr_t)padding, (size_t)(need - sizeof(frame) - record->length)},
	};

	frame_make(&frame, journal->salt, journal->epoch, journal->position, journal->synced, record->data,
		   record->length);
	return writev_all(journal->fd, parts, 3,
			  (uint64_t)journal->current * journal->area_bytes + JOURNAL_HEADER_BYTES +
				  (journal->position - area->base));
}

static int append(struct journal *journal, const struct buf *record, bool frees_space)
{
	uint64_t need = frame_bytes(record->length);
	int r = journal->error;

	if (r == 0)
		r = open_file(journal);
	if (r == 0)
		r = make_room(journal, need, frees_space);
	FAULT_POINT("journal_append_before");
	/* What a failed write leaves behind is written over by the next record, and is no frame until it is whole. */
	if (r == 0)
		r = write_frame(journal, record);
	if (r < 0)
		return r;
	FAULT_POINT("journal_append_after");
	atomic_store_explicit(&journal->position, journal->position + need, memory_order_release);
	journal->areas[journal->current].end = journal->position;
	return 0;
}

int journal_append(struct journal *journal, const struct buf *record, int frees_space, uint64_t *ret_position)
{
	int r = buf_error(record);

	if (r < 0)
		return r;
	if (record->length == 0 || record->length > RECORD_MAX_BYTES)
		return -EINVAL;
	pthread_mutex_lock(&journal->lock);
	r = append(journal, record, frees_space != 0);
	if (r < 0 && !is_passing(r))
		journal->error = r;
	if (r == 0)
		*ret_position = journal->position;
	pthread_mutex_unlock(&journal->lock);
	return r;
}

bool journal_has_room(struct journal *journal)
{
	bool has_room;

	pthread_mutex_lock(&journal->lock);
	has_room = fits(journal, journal->refused_bytes) ||
		   journal->areas[1 - journal->current].end <= journal_released(journal);
	if (has_room)
		journal->refused_bytes = 0;
	pthread_mutex_unlock(&journal->lock);
	return has_room;
}

/* --- syncing --- */

static int sync_once(struct journal *journal, int fd)
{
	if (!journal->is_dir_synced && fsync(journal->dir_fd) < 0)
		return -errno;
	journal->is_dir_synced = true;
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* Called with sync_lock, which keeps the descriptor open. */
static int sync_to_now(struct journal *journal)
{
	uint64_t position;
	int fd, r;

	pthread_mutex_lock(&journal->lock);
	position = journal->position;
	fd = journal->fd;
	r = journal->error;
	pthread_mutex_unlock(&journal->lock);
	/* At rest it was synced before. */
	if (r < 0 || fd < 0)
		return r;
	FAULT_POINT("journal_sync_before");
	r = sync_once(journal, fd);
	FAULT_POINT("journal_sync_after");
	pthread_mutex_lock(&journal->lock);
	if (r < 0)
		journal->error = r;
	else
		journal->synced = position;
	pthread_mutex_unlock(&journal->lock);
	return r;
}

int journal_sync(struct journal *journal)
{
	uint64_t wanted = journal_position(journal);
	int r = 0;

	/* Whoever waited for another's sync often finds its own records on disk already. */
	pthread_mutex_lock(&journal->sync_lock);
	pthread_mutex_lock(&journal->lock);
	if (journal->synced < wanted)
		r = 1;
	else
		r = journal->error;
	pthread_mutex_unlock(&journal->lock);
	if (r == 1)
		r = sync_to_now(journal);
	pthread_mutex_unlock(&journal->sync_lock);
	return r;
}

/* --- what was committed --- */

/* The part of [kept, committed) that lies in one area: 1 and where; 0: nothing is left. */
static int next_to_keep(struct journal *journal, uint64_t *ret_offset, uint64_t *ret_length, int *ret_fd)
{
	int r = 0;

	pthread_mutex_lock(&journal->lock);
	for (int i = 0; i < JOURNAL_AREAS && journal->kept_to < journal->committed; i++) {
		const struct area *area = &journal->areas[i];
		uint64_t end = area->end < journal->committed ? area->end : journal->committed;

		if (journal->kept_to < area->base || journal->kept_to >= end)
			continue;
		*ret_offset =
			(uint64_t)i * journal->area_bytes + JOURNAL_HEADER_BYTES + (journal->kept_to - area->base);
		*ret_length = end - journal->kept_to;
		r = 1;
		break;
	}
	if (r == 1)
		r = open_file(journal) < 0 ? -EMFILE : 1;
	*ret_fd = journal->fd;
	pthread_mutex_unlock(&journal->lock);
	return r;
}

static int keep(struct journal *journal, struct kept *kept)
{
	uint64_t offset, length;
	int fd, r;

	while ((r = next_to_keep(journal, &offset, &length, &fd)) == 1) {
		FAULT_POINT("journal_keep_before");
		r = kept_append(kept, fd, journal->salt, offset, length, journal->epoch, journal->kept_to + length);
		FAULT_POINT("journal_keep_after");
		if (r < 0)
			return r;
		pthread_mutex_lock(&journal->lock);
		journal->kept_to += length;
		pthread_mutex_unlock(&journal->lock);
	}
	return r;
}

/* All is in PostgreSQL and in .kept: begins again at the start of the file rather than letting it grow. */
static int rewind_if_all_released(struct journal *journal)
{
	const struct area *area = &journal->areas[journal->current];
	int r = 0;

	pthread_mutex_lock(&journal->lock);
	if (journal->fd >= 0 && journal_released(journal) == journal->position &&
	    (journal->current != 0 || journal->position - area->base > JOURNAL_FIRST_BYTES / 2))
		r = begin_area(journal, 0);
	if (r < 0)
		journal->error = r;
	pthread_mutex_unlock(&journal->lock);
	return r;
}

int journal_committed(struct journal *journal, uint64_t position)
{
	struct kept *kept;
	int r;

	pthread_mutex_lock(&journal->lock);
	if (position > journal->committed)
		atomic_store_explicit(&journal->committed, position, memory_order_release);
	pthread_mutex_unlock(&journal->lock);
	r = journal_kept_get(journal, &kept);
	if (r < 0)
		return r;
	r = keep(journal, kept);
	journal_kept_put(journal);
	return r < 0 ? r : rewind_if_all_released(journal);
}

uint64_t journal_position(const struct journal *journal)
{
	return atomic_load_explicit(&journal->position, memory_order_acquire);
}

uint64_t journal_pending_bytes(const struct journal *journal)
{
	uint64_t committed = atomic_load_explicit(&journal->committed, memory_order_acquire);

	return atomic_load_explicit(&journal->position, memory_order_acquire) - committed;
}
