/* The bytes of an open file: making them changeable, changing them, and their digest. The file is claimed, no lock is
 * held. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "shared/base/digest.h"

enum { ZEROES_MAX = 1 << 20, ZEROES_CHUNK = 4096 };

static struct store *store_of(const struct open_file *open)
{
	return open->tenant->mount->store;
}

static void reset_digest(struct open_file *open, bool is_empty)
{
	if (!open->digest)
		open->digest = digest_new();
	if (open->digest)
		digest_reset(open->digest);
	open->digested = is_empty && open->digest ? 0 : -1;
}

/* A new backing takes the place of the old one for every reader at once. */
static void replace_backing(struct open_file *open, struct backing *backing, enum content_state state)
{
	struct backing *before;

	pthread_mutex_lock(&open->tenant->lock);
	before = open->backing;
	open->backing = backing;
	open->state = state;
	open->is_dirty = true;
	open->is_linked = false;
	list_remove(&open->appending);
	if (state == CONTENT_APPENDING)
		list_append(&open->tenant->appending, &open->appending);
	pthread_mutex_unlock(&open->tenant->lock);
	backing_unref(store_of(open), before);
}

/* A spool with the first clone_bytes of the published object. */
static int begin_spool(struct open_file *open, int64_t clone_bytes)
{
	struct store *store = store_of(open);
	char path[OBJECT_PATH_SIZE];
	struct backing *backing;
	struct spool spool;
	int r = spool_create(store, &spool);

	if (r < 0)
		return r;
	if (clone_bytes > 0) {
		object_path(open->file, &open->file->values, path);
		r = spool_clone(store, &spool, open->tenant->code, path, (uint64_t)clone_bytes);
	}
	backing = r < 0 ? NULL : backing_new(&spool, true, true);
	if (!backing) {
		spool_discard(store, &spool);
		return r < 0 ? r : -ENOMEM;
	}
	reset_digest(open, clone_bytes == 0);
	replace_backing(open, backing, CONTENT_SPOOL);
	return 0;
}

static int writable_object(struct open_file *open, int *ret_fd)
{
	char path[OBJECT_PATH_SIZE];

	object_path(open->file, &open->file->values, path);
	return store_open(store_of(open), open->tenant->code, path, O_RDWR, ret_fd);
}

/* An object with another name would grow for that one too; and one that is longer than its row was cut off by a crash.
 */
static bool may_grow(int fd, int64_t row_size)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0 || stat.st_nlink != 1 || stat.st_size < row_size)
		return false;
	return stat.st_size == row_size || ftruncate(fd, row_size) == 0;
}

/* 1: the object itself grows from now on; 0: it cannot. */
static int begin_append(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct spool object = {.fd = -1};
	struct backing *backing;

	pthread_mutex_lock(&tenant->lock);
	if (tenant->shares_in_progress > 0) {
		pthread_mutex_unlock(&tenant->lock);
		return 0;
	}
	/* From here on no sharing of this object begins. */
	list_append(&tenant->appending, &open->appending);
	backing = open->backing && open->backing->is_writable ? backing_ref(open->backing) : NULL;
	pthread_mutex_unlock(&tenant->lock);
	if (!backing && writable_object(open, &object.fd) == 0)
		backing = backing_new(&object, false, true);
	if (backing && may_grow(backing->spool.fd, open->row_size)) {
		replace_backing(open, backing, CONTENT_APPENDING);
		return 1;
	}
	if (backing)
		backing_unref(store_of(open), backing);
	else if (object.fd >= 0)
		close(object.fd);
	pthread_mutex_lock(&tenant->lock);
	list_remove(&open->appending);
	pthread_mutex_unlock(&tenant->lock);
	return 0;
}

/* The object has grown, but now a byte that is published shall change: all goes into a spool, the object back to its
 * length. */
static int leave_append(struct open_file *open, int64_t keep_bytes)
{
	struct backing *grown = backing_ref(open->backing);
	int r = begin_spool(open, keep_bytes);

	if (r == 0 && ftruncate(grown->spool.fd, open->row_size) < 0)
		r = -errno;
	backing_unref(store_of(open), grown);
	return r;
}

int content_leave_append(struct open_file *open)
{
	return leave_append(open, open->size);
}

int content_prepare(struct open_file *open, enum content_change change, int64_t offset)
{
	int64_t size = open->size, keep = change == CONTENT_TRUNCATE && offset < size ? offset : size;
	int r;

	switch (open->state) {
	case CONTENT_SPOOL:
		return 0;
	case CONTENT_APPENDING:
		return offset >= open->row_size ? 0 : leave_append(open, keep);
	case CONTENT_PUBLISHED:
		break;
	}
	if (keep > 0 && offset >= size) {
		r = begin_append(open);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return begin_spool(open, keep);
}

static void digest_zeroes(struct open_file *open, int64_t count)
{
	static const char zeroes[ZEROES_CHUNK];

	for (; count > 0; count -= ZEROES_CHUNK)
		digest_update(open->digest, zeroes, (size_t)(count < ZEROES_CHUNK ? count : ZEROES_CHUNK));
}

/* A hole that an append leaves is zeroes; anything else out of order is read again at the end. */
static void follow(struct open_file *open, const void *bytes, size_t size, int64_t offset, int64_t size_before)
{
	if (open->digested < 0)
		return;
	if (offset > open->digested && open->digested == size_before && offset - open->digested <= ZEROES_MAX) {
		digest_zeroes(open, offset - open->digested);
		open->digested = offset;
	}
	if (offset != open->digested) {
		open->digested = -1;
		return;
	}
	digest_update(open->digest, bytes, size);
	open->digested += (int64_t)size;
}

int content_write(struct open_file *open, const void *bytes, size_t size, int64_t offset, size_t *ret_written)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(open->backing->spool.fd, (const char *)bytes + done, size - done,
				   offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			*ret_written = done;
			content_lost_track(open);
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	follow(open, bytes, size, offset, open->size);
	*ret_written = done;
	return 0;
}

int content_truncate(struct open_file *open, int64_t size)
{
	if (ftruncate(open->backing->spool.fd, size) < 0)
		return -errno;
	if (size == 0)
		reset_digest(open, true);
	else if (size < open->digested)
		content_lost_track(open);
	return 0;
}

void content_lost_track(struct open_file *open)
{
	open->digested = -1;
}

/* Bytes behind what the digest has seen are a hole that a truncate made: zeroes as well. */
int content_sha256(struct open_file *open, int64_t size, uint8_t ret_sha256[DIGEST_SIZE])
{
	if (open->digested >= 0 && size - open->digested <= ZEROES_MAX && size >= open->digested) {
		digest_zeroes(open, size - open->digested);
		open->digested = size;
		return digest_peek(open->digest, ret_sha256);
	}
	if (!open->backing)
		return -EIO;
	return digest_fd(open->backing->spool.fd, (uint64_t)size, ret_sha256);
}
