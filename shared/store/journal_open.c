/* A journal's beginning, rest and end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "shared/store/journal_state.h"

enum { PAGE_BYTES = 4096, ZEROS_BYTES = 64 * 1024 };

/* --- what all that writes needs --- */

int writev_all(int fd, struct iovec *parts, int count, uint64_t offset)
{
	while (count > 0) {
		ssize_t written = pwritev(fd, parts, count, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		offset += (uint64_t)written;
		while (count > 0 && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0 && written > 0) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

int write_all(int fd, const void *bytes, size_t length, uint64_t offset)
{
	struct iovec part = {(void *)(uintptr_t)bytes, length};

	return length == 0 ? 0 : writev_all(fd, &part, 1, offset);
}

int journal_allocate(struct journal *journal, int index, uint64_t bytes)
{
	uint64_t begin = (uint64_t)index * journal->area_bytes;
	uint64_t length = (JOURNAL_HEADER_BYTES + bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);

	if (length > journal->area_bytes)
		length = journal->area_bytes;
	while (fallocate(journal->fd, 0, (off_t)begin, (off_t)length) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EDQUOT)
			return -ENOSPC;
		/* NFS and others cannot: then a full disk shows when the record is written. */
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			return -errno;
		length = journal->area_bytes;
		break;
	}
	journal->areas[index].allocated = length - JOURNAL_HEADER_BYTES;
	return 0;
}

/* --- beginning --- */

static uint64_t area_bytes_of(const struct journal_options *options)
{
	uint64_t half = (options->limit_bytes / JOURNAL_AREAS) & ~(uint64_t)(JOURNAL_HEADER_BYTES - 1);
	uint64_t least = (AREA_MIN_BYTES + JOURNAL_HEADER_BYTES - 1) & ~(uint64_t)(JOURNAL_HEADER_BYTES - 1);

	return half > least ? half : least;
}

/* One salt a tenant, so that frames can go from the journal to .kept as they are. */
static int choose_salt(int journal_dir_fd, int64_t tenant_id, uint64_t *ret_salt)
{
	int r = kept_salt(journal_dir_fd, tenant_id, ret_salt);

	if (r != -ENOENT)
		return r;
	return getrandom(ret_salt, sizeof(*ret_salt), 0) == (ssize_t)sizeof(*ret_salt) ? 0 : -EIO;
}

static int fill_with_zeros(int fd, uint64_t begin, uint64_t end)
{
	autofree char *zeros = calloc(1, ZEROS_BYTES);
	int r = zeros ? 0 : -ENOMEM;

	while (r == 0 && begin < end) {
		size_t length = end - begin < ZEROS_BYTES ? (size_t)(end - begin) : ZEROS_BYTES;

		r = write_all(fd, zeros, length, begin);
		begin += length;
	}
	return r;
}

/* What a power loss left behind the last valid record must not be met by a record of the same length before it. */
static int clear_tail(struct journal *journal, uint64_t file_size)
{
	const struct area *area = &journal->areas[journal->current];
	uint64_t begin = (uint64_t)journal->current * journal->area_bytes;
	uint64_t end = begin + journal->area_bytes;

	return fill_with_zeros(journal->fd, begin + JOURNAL_HEADER_BYTES + (area->end - area->base),
			       end < file_size ? end : file_size);
}

static void take_layout(struct journal *journal, const struct journal_layout *layout, uint64_t end)
{
	struct area *current = &journal->areas[layout->newest_index];

	journal->area_bytes = layout->area_bytes;
	journal->salt = layout->salt;
	journal->current = layout->newest_index;
	*current = (struct area){.base = layout->newest.base, .end = end, .allocated = end - layout->newest.base};
	if (layout->older.is_there)
		journal->areas[1 - journal->current] =
			(struct area){.base = layout->older.base, .end = layout->newest.base};
	journal->position = end;
	journal->committed = journal->kept_to = layout->newest.released;
	journal->is_begun = true;
}

/* Writing goes on in the older area, whose last records a power loss took: the newest must not count as such any more.
 */
static int fall_back(struct journal *journal, struct journal_layout *layout)
{
	struct area_layout dropped = layout->newest;

	layout->older.released = dropped.released;
	layout->newest = layout->older;
	layout->newest_index = 1 - layout->newest_index;
	layout->older.is_there = false;
	return fill_with_zeros(journal->fd, dropped.offset, dropped.offset + JOURNAL_HEADER_BYTES);
}

static int go_on(struct journal *journal, struct window *window)
{
	struct journal_layout layout;
	uint64_t torn_at, begin, end;
	int r = layout_read(window, journal->tenant_id, journal->epoch, &layout);

	if (r == -ENODATA)
		return 0;
	if (r == 0)
		r = journal_scan(journal->dir_fd, journal->tenant_id, journal->epoch, 0, NULL, NULL, &torn_at);
	if (r == 0)
		r = journal_extent(journal->dir_fd, journal->tenant_id, journal->epoch, &begin, &end);
	if (r == 0 && end < layout.newest.base)
		r = fall_back(journal, &layout);
	if (r < 0)
		return r;
	take_layout(journal, &layout, end);
	return torn_at == UINT64_MAX ? 0 : clear_tail(journal, window->size);
}

static int open_existing(struct journal *journal)
{
	char name[JOURNAL_NAME_SIZE];
	struct window window;
	int r;

	journal_name(name, journal->tenant_id, journal->epoch);
	journal->fd = openat(journal->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (journal->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = window_init(&window, journal->fd);
	if (r < 0)
		return r;
	r = go_on(journal, &window);
	window_release(&window);
	return r;
}

int journal_open(int journal_dir_fd, int64_t tenant_id, int64_t epoch, const struct journal_options *options,
		 struct journal **ret_journal)
{
	struct journal *journal;
	int r;

	if (tenant_id <= 0 || epoch <= 0)
		return -EINVAL;
	journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	journal->dir_fd = journal_dir_fd;
	journal->tenant_id = tenant_id;
	journal->epoch = epoch;
	journal->options = *options;
	journal->area_bytes = area_bytes_of(options);
	journal->fd = -1;
	pthread_mutex_init(&journal->lock, NULL);
	pthread_mutex_init(&journal->sync_lock, NULL);
	pthread_mutex_init(&journal->kept_lock, NULL);
	r = choose_salt(journal_dir_fd, tenant_id, &journal->salt);
	if (r == 0)
		r = open_existing(journal);
	if (r < 0) {
		journal_close(journal);
		return r;
	}
	*ret_journal = journal;
	return 0;
}

/* --- .kept --- */

int journal_kept_get(struct journal *journal, struct kept **ret_kept)
{
	int r = 0;

	pthread_mutex_lock(&journal->kept_lock);
	if (!journal->kept)
		r = kept_open(journal->dir_fd, journal->tenant_id, journal->salt, &journal->kept);
	if (r == 0) {
		journal->kept_users++;
		*ret_kept = journal->kept;
	}
	pthread_mutex_unlock(&journal->kept_lock);
	return r;
}

void journal_kept_put(struct journal *journal)
{
	pthread_mutex_lock(&journal->kept_lock);
	journal->kept_users--;
	pthread_mutex_unlock(&journal->kept_lock);
}

static bool has_kept(struct journal *journal)
{
	bool is_open;

	pthread_mutex_lock(&journal->kept_lock);
	is_open = journal->kept != NULL;
	pthread_mutex_unlock(&journal->kept_lock);
	return is_open;
}

int journal_compact(struct journal *journal, bool is_idle)
{
	struct kept *kept;
	int r;

	/* Not open: nothing was added to it. */
	if (!has_kept(journal))
		return 0;
	r = journal_kept_get(journal, &kept);
	if (r < 0)
		return r;
	r = kept_compact(kept, is_idle);
	journal_kept_put(journal);
	return r;
}

int journal_kept_sync(struct journal *journal)
{
	struct kept *kept;
	int r;

	if (!has_kept(journal))
		return 0;
	r = journal_kept_get(journal, &kept);
	if (r < 0)
		return r;
	r = kept_sync(kept);
	journal_kept_put(journal);
	return r;
}

static void rest_kept(struct journal *journal)
{
	struct kept *kept = NULL;

	pthread_mutex_lock(&journal->kept_lock);
	if (journal->kept_users == 0) {
		kept = journal->kept;
		journal->kept = NULL;
	}
	pthread_mutex_unlock(&journal->kept_lock);
	kept_close(kept);
}

/* --- rest and end --- */

int journal_rest(struct journal *journal)
{
	int fd = -1, r = journal_sync(journal);

	if (r < 0)
		return r;
	pthread_mutex_lock(&journal->sync_lock);
	pthread_mutex_lock(&journal->lock);
	if (journal->error == 0 && journal_released(journal) == journal->position &&
	    journal->synced == journal->position)
		fd = take_fd(&journal->fd);
	pthread_mutex_unlock(&journal->lock);
	pthread_mutex_unlock(&journal->sync_lock);
	if (fd < 0)
		return 0;
	close(fd);
	rest_kept(journal);
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	kept_close(journal->kept);
	pthread_mutex_destroy(&journal->lock);
	pthread_mutex_destroy(&journal->sync_lock);
	pthread_mutex_destroy(&journal->kept_lock);
	free(journal);
}

int journal_retire(int journal_dir_fd, int64_t tenant_id, int64_t epoch)
{
	/* A journal that is opened is one that can be kept: all that is in it counts as committed. */
	const struct journal_options options = {0};
	struct journal *journal;
	struct kept *kept;
	int64_t kept_epoch;
	uint64_t kept_position;
	int r = journal_open(journal_dir_fd, tenant_id, epoch, &options, &journal);

	if (r < 0)
		return r;
	r = journal->position > 0 ? journal_kept_get(journal, &kept) : 0;
	if (r == 0 && journal->position > 0) {
		kept_reached(kept, &kept_epoch, &kept_position);
		if (kept_epoch > epoch)
			journal->kept_to = journal->position;
		else if (kept_epoch == epoch && kept_position > journal->kept_to)
			journal->kept_to = kept_position < journal->position ? kept_position : journal->position;
		journal_kept_put(journal);
		r = journal_committed(journal, journal->position);
		if (r == 0)
			r = journal_kept_sync(journal);
	}
	journal_close(journal);
	return r < 0 ? r : journal_remove(journal_dir_fd, tenant_id, epoch);
}

int journal_set_aside(int journal_dir_fd, int64_t tenant_id, int64_t epoch)
{
	char name[JOURNAL_NAME_SIZE], aside[JOURNAL_NAME_SIZE + 16];

	journal_name(name, tenant_id, epoch);
	snprintf(aside, sizeof(aside), "%s.damaged", name);
	return renameat(journal_dir_fd, name, journal_dir_fd, aside) < 0 ? -errno : 0;
}

int journal_remove_all(int journal_dir_fd, int64_t tenant_id)
{
	static const char *const suffixes[] = {"", ".new", ".part", ".damaged"};
	autofree int64_t *epochs = NULL;
	int count = 0, r = journal_epochs(journal_dir_fd, tenant_id, &epochs, &count);

	for (int i = 0; r == 0 && i < count; i++)
		r = journal_remove(journal_dir_fd, tenant_id, epochs[i]);
	for (size_t i = 0; r == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[JOURNAL_NAME_SIZE];

		snprintf(name, sizeof(name), "%" PRId64 ".kept%s", tenant_id, suffixes[i]);
		r = unlinkat(journal_dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	}
	return r;
}
