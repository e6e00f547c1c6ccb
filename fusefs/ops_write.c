/* write, fallocate, copy_file_range, lseek; truncation, for open and setattr. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <unistd.h>
#include "fusefs/change_bytes.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "fusefs/quota.h"
#include "fusefs/truncate.h"
#include "shared/base/clock.h"

static int begin(struct request *request, struct handle *handle, int64_t *offset, int64_t length,
		 struct bytes_change *change)
{
	struct tenant *tenant = handle->open->tenant;
	int r = handle->error;

	if (r < 0)
		return r;
	if (*offset < 0 || length > INT64_MAX - *offset)
		return -EFBIG;
	quota_look_at_disk(request->mount);
	r = tenant_lock(request, tenant, TENANT_FOR_CHANGE);
	if (r != 0)
		return r;
	/* Several processes that append take turns by the claim: the end is where it is when the turn comes. */
	if (handle->is_append && request->operation == OPERATION_WRITE)
		*offset = handle->open->size;
	r = bytes_begin(request, tenant, handle->open, *offset + length, change);
	tenant_unlock(tenant);
	return r;
}

static int64_t larger(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

/* An error that is no refusal stays with the handle: its close fails too. */
static int end(struct handle *handle, struct bytes_change *change, int64_t new_size, bool has_changed, int error)
{
	bytes_end(change, new_size, has_changed, error);
	if (error < 0 && error != -EPERM && error != -EFBIG && error != -EDQUOT)
		handle->error = error;
	return error;
}

int op_write(struct request *request)
{
	struct handle *handle = handle_of(request);
	struct open_file *open = handle->open;
	struct bytes_change change;
	int64_t offset = request->offset;
	size_t written = 0;
	int r;

	if (request->size == 0)
		return reply_written(request, 0);
	r = begin(request, handle, &offset, (int64_t)request->size, &change);
	if (r != 0)
		return r;
	r = offset == 0 ? bytes_judge_head(&change, request->bytes, request->size) : 0;
	if (r == 0)
		r = content_prepare(open, CONTENT_WRITE, offset);
	if (r == 0)
		r = content_write(open, request->bytes, request->size, offset, &written);
	r = end(handle, &change, larger(open->size, written > 0 ? offset + (int64_t)written : 0), written > 0, r);
	atomic_fetch_add_explicit(&request->mount->stats.written_bytes, written, memory_order_relaxed);
	return r < 0 ? r : reply_written(request, request->size);
}

/* --- truncation --- */

int truncate_open(struct request *request, struct open_file *open, int64_t size)
{
	struct bytes_change change;
	struct tenant *tenant = open->tenant;
	int r;

	quota_look_at_disk(request->mount);
	r = tenant_lock(request, tenant, TENANT_FOR_CHANGE);
	if (r != 0)
		return r;
	/* Cut, the file begins anew: what was refused or failed before is no longer in it. */
	if (!open->is_busy && (size == 0 || (open->refusal && size < open->size)))
		refusal_clear(open);
	r = bytes_begin(request, tenant, open, size, &change);
	tenant_unlock(tenant);
	if (r != 0)
		return r;
	if (size == open->size) {
		bytes_end(&change, size, false, 0);
		return 0;
	}
	r = content_prepare(open, CONTENT_TRUNCATE, size);
	if (r == 0)
		r = content_truncate(open, size);
	bytes_end(&change, r == 0 ? size : open->size, r == 0, r);
	return r;
}

/* --- fallocate --- */

static int do_fallocate(struct open_file *open, const struct request *request)
{
	int mode = (int)request->flags;
	bool changes_bytes = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
	int r = content_prepare(open, CONTENT_WRITE,
				request->offset < open->size && !changes_bytes ? open->size : request->offset);

	if (r < 0)
		return r;
	if (changes_bytes)
		content_lost_track(open);
	if (fallocate(open->backing->spool.fd, mode, request->offset, (off_t)request->size) == 0)
		return 0;
	return -errno;
}

int op_fallocate(struct request *request)
{
	const uint32_t known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
	struct handle *handle = handle_of(request);
	bool keeps_size = (request->flags & FALLOC_FL_KEEP_SIZE) != 0;
	int64_t offset = request->offset, length = (int64_t)request->size;
	struct bytes_change change;
	int r;

	if ((request->flags & ~known) != 0)
		return -EOPNOTSUPP;
	r = begin(request, handle, &offset, keeps_size ? 0 : length, &change);
	if (r != 0)
		return r;
	r = do_fallocate(handle->open, request);
	/* A file system below that cannot is no damage to the file. */
	if (r == -EOPNOTSUPP) {
		bytes_end(&change, handle->open->size, false, 0);
		return r;
	}
	r = end(handle, &change,
		r == 0 && !keeps_size ? larger(handle->open->size, offset + length) : handle->open->size, r == 0, r);
	return r < 0 ? r : reply_error(request, 0);
}

/* --- copy_file_range --- */

static int copy_range(int from, int64_t from_offset, struct open_file *to, int64_t to_offset, size_t size,
		      size_t *ret_copied)
{
	while (*ret_copied < size) {
		off_t in = from_offset + (int64_t)*ret_copied, out = to_offset + (int64_t)*ret_copied;
		ssize_t n = copy_file_range(from, &in, to->backing->spool.fd, &out, size - *ret_copied, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*ret_copied += (size_t)n;
	}
	return 0;
}

static int copy_into(struct request *request, struct handle *to, const struct backing *backing, size_t size)
{
	struct bytes_change change;
	int64_t offset = request->other_offset;
	size_t copied = 0;
	int r = begin(request, to, &offset, (int64_t)size, &change);

	if (r != 0)
		return r;
	r = content_prepare(to->open, CONTENT_WRITE, offset);
	if (r == 0) {
		content_lost_track(to->open);
		r = copy_range(backing->spool.fd, request->offset, to->open, offset, size, &copied);
	}
	r = end(to, &change, larger(to->open->size, copied > 0 ? offset + (int64_t)copied : 0), copied > 0, r);
	return r < 0 ? r : reply_written(request, copied);
}

int op_copy_file_range(struct request *request)
{
	struct handle *from = handle_of(request), *to = (struct handle *)(uintptr_t)request->other_file.fh;
	struct backing *backing;
	int64_t size;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE || node_kind(request->other_node) != NODE_KIND_INODE)
		return -EXDEV;
	r = open_file_backing(from->open, clock_realtime_ns(), &backing, &size);
	if (r < 0)
		return r;
	if (!backing || request->offset >= size) {
		backing_unref(request->mount->store, backing);
		return reply_written(request, 0);
	}
	if (request->size < (uint64_t)(size - request->offset))
		size = request->offset + (int64_t)request->size;
	r = copy_into(request, to, backing, (size_t)(size - request->offset));
	backing_unref(request->mount->store, backing);
	return r;
}

/* --- lseek --- */

int op_lseek(struct request *request)
{
	struct handle *handle = handle_of(request);
	struct backing *backing;
	int64_t size;
	off_t found;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return -EINVAL;
	r = open_file_backing(handle->open, 0, &backing, &size);
	if (r < 0)
		return r;
	if (request->offset >= size || request->offset < 0) {
		backing_unref(request->mount->store, backing);
		return -ENXIO;
	}
	found = lseek(backing->spool.fd, request->offset, (int)request->flags);
	r = found < 0 ? -errno : 0;
	backing_unref(request->mount->store, backing);
	/* Behind the size the object may have grown already: that is a hole to this reader. */
	if (r == 0 && found >= size && request->flags == SEEK_DATA)
		r = -ENXIO;
	if (r < 0)
		return r;
	fuse_reply_lseek(request->fuse, found < size ? found : size);
	return 0;
}
