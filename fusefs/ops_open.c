/* open, read, flush, release, fsync. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/load_rows.h"
#include "fusefs/mirror.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "fusefs/truncate.h"
#include "fusefs/virtual.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

static bool wants_to_write(const struct request *request)
{
	return (request->flags & O_ACCMODE) != O_RDONLY || (request->flags & O_TRUNC) != 0;
}

/* Lock held. The last handle of a file without a name: its row goes. handle is freed, so only this part may be
 * repeated. */
static int remove_nameless(struct tenant *tenant, struct inode *inode)
{
	struct edit edit;

	if (!inode || inode->attributes.nlink > 0 || inode->is_gone || as_file(inode)->open)
		return 0;
	edit_begin(&edit, tenant);
	edit.frees_space = true;
	edit_inode(&edit, inode);
	return edit_commit(&edit);
}

/* --- open --- */

static int open_locked(struct request *request, struct tenant *tenant, struct handle **ret_handle)
{
	struct inode *inode;
	int r = find_inode(request, tenant, request->node, &inode);

	if (r != 0)
		return r;
	if (inode->kind != 'f')
		return -EOPNOTSUPP;
	/* Its bytes were lost with the machine's power: unreadable, never silently short. A rewrite heals it. */
	if (file_of(inode)->values.status == 'e' && !(request->flags & O_TRUNC))
		return -EIO;
	request->file.keep_cache = tenant->state != TENANT_FOLLOWING;
	*ret_handle = handle_new(tenant, file_of(inode), wants_to_write(request), (request->flags & O_APPEND) != 0);
	return *ret_handle ? 0 : -ENOMEM;
}

static void give_back(struct tenant *tenant, struct handle *handle)
{
	pthread_mutex_lock(&tenant->lock);
	handle_drop(handle);
	tenant_unlock(tenant);
}

static int open_inode(struct request *request)
{
	struct handle *handle;
	struct tenant *tenant;
	int r = tenant_enter(request, request->node, wants_to_write(request) ? TENANT_FOR_CHANGE : TENANT_FOR_READ,
			     &tenant);

	if (r != 0)
		return r;
	r = open_locked(request, tenant, &handle);
	tenant_unlock(tenant);
	if (r != 0)
		return r;
	if (request->flags & O_TRUNC)
		r = truncate_open(request, handle->open, 0);
	if (r != 0) {
		give_back(tenant, handle);
		return r;
	}
	request->file.fh = (uint64_t)(uintptr_t)handle;
	request->file.noflush = !handle->is_writer;
	if (fuse_reply_open(request->fuse, &request->file) < 0)
		give_back(tenant, handle);
	return 0;
}

int op_open(struct request *request)
{
	switch (node_kind(request->node)) {
	case NODE_KIND_INODE:
		return open_inode(request);
	case NODE_KIND_STATS:
		return wants_to_write(request) ? -EACCES : stats_open(request);
	case NODE_KIND_MIRROR:
		return wants_to_write(request) ? -EROFS : mirror_open(request);
	default:
		return -EISDIR;
	}
}

void release_unsent(struct request *request)
{
	struct handle *handle = handle_of(request);
	struct tenant *tenant = handle->open->tenant;
	struct inode *inode = &handle->open->file->inode;
	struct edit edit;

	pthread_mutex_lock(&tenant->lock);
	/* Nobody knows of this file but the tree: unless somebody has found it there, it goes. */
	if (inode->is_unborn && inode->names && handle->open->writers == 1 && handle->open->readers == 0) {
		edit_begin(&edit, tenant);
		edit_unlink(&edit, inode->names);
		if (edit_commit(&edit) < 0)
			log_warn("a file nobody waited for stays", "tenant", tenant->code);
	}
	handle_drop(handle);
	if (remove_nameless(tenant, inode) < 0)
		log_warn("a file nobody waited for stays", "tenant", tenant->code);
	tenant_unlock(tenant);
}

/* --- read --- */

static int read_inode(struct request *request)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(0);
	struct handle *handle = handle_of(request);
	struct backing *backing;
	int64_t size;
	int r = open_file_backing(handle->open, clock_realtime_ns(), &backing, &size);

	if (r < 0)
		return r;
	if (!backing || request->offset >= size) {
		backing_unref(request->mount->store, backing);
		return reply_bytes(request, NULL, 0);
	}
	size -= request->offset;
	bytes.buf[0] = (struct fuse_buf){
		.size = request->size < (uint64_t)size ? request->size : (size_t)size,
		.flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK,
		.fd = backing->spool.fd,
		.pos = request->offset,
	};
	atomic_fetch_add_explicit(&request->mount->stats.read_bytes, bytes.buf[0].size, memory_order_relaxed);
	fuse_reply_data(request->fuse, &bytes, 0);
	backing_unref(request->mount->store, backing);
	return 0;
}

int op_read(struct request *request)
{
	switch (node_kind(request->node)) {
	case NODE_KIND_INODE:
		return read_inode(request);
	case NODE_KIND_STATS:
		return stats_read(request);
	case NODE_KIND_MIRROR:
		return mirror_read(request);
	default:
		return -EISDIR;
	}
}

/* --- flush --- */

static int claim(struct request *request, struct open_file *open)
{
	int r;

	pthread_mutex_lock(&open->tenant->lock);
	request->tenant = open->tenant;
	r = open_file_claim(request, open);
	pthread_mutex_unlock(&open->tenant->lock);
	return r;
}

static void unclaim(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct request *waiting;

	pthread_mutex_lock(&tenant->lock);
	waiting = open_file_unclaim(open);
	tenant_unlock(tenant);
	wait_list_resume(waiting, 0);
}

int op_flush(struct request *request)
{
	struct handle *handle = handle_of(request);
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE || !handle->is_writer)
		return reply_error(request, 0);
	r = claim(request, handle->open);
	if (r != 0)
		return r;
	r = publish(handle->open, PUBLISH_AT_FLUSH);
	unclaim(handle->open);
	if (r == 0)
		r = handle->error;
	return r < 0 ? r : reply_error(request, 0);
}

/* --- release --- */

/* The last writer decides for good. -EAGAIN: the journal has no room, do it again. */
static int finish_writing(struct open_file *open)
{
	int r = publish(open, PUBLISH_AT_LAST_RELEASE);

	if (r < 0 && r != -EAGAIN) {
		if (!open->refusal)
			log_error("a file could not be published", "tenant", open->tenant->code, "errno", log_errno(r));
		r = refuse_content(open);
	}
	if (r == 0)
		r = publish_extraction(open);
	return r;
}

static bool is_last_writer(const struct handle *handle)
{
	return handle->is_writer && handle->open->writers == 1;
}

/* Lock held. A new file that could not be recorded goes; it was only in memory. */
static void abandon(struct open_file *open)
{
	struct inode *inode = &open->file->inode;

	while (inode->is_unborn && inode->names) {
		struct edit edit;

		edit_begin(&edit, open->tenant);
		edit_unlink(&edit, inode->names);
		if (edit_commit(&edit) < 0)
			break;
	}
}

/* Lock held on entry and on return. */
static int release_writer(struct request *request, struct handle *handle)
{
	struct open_file *open = handle->open;
	struct tenant *tenant = open->tenant;
	struct request *waiting;
	int r = open_file_claim(request, open);

	if (r != 0)
		return r;
	pthread_mutex_unlock(&tenant->lock);
	r = finish_writing(open);
	pthread_mutex_lock(&tenant->lock);
	waiting = open_file_unclaim(open);
	if (r < 0 && r != -EAGAIN) {
		abandon(open);
		r = 0;
	}
	if (waiting) {
		pthread_mutex_unlock(&tenant->lock);
		wait_list_resume(waiting, 0);
		pthread_mutex_lock(&tenant->lock);
	}
	return r;
}

static int release_inode(struct request *request)
{
	struct handle *handle = handle_of(request);
	struct tenant *tenant = tenants_by_slot(request->mount->tenants, node_slot(request->node));
	int r = 0;

	request->deadline_ns = INT64_MAX;
	request->tenant = tenant;
	pthread_mutex_lock(&tenant->lock);
	if (handle && is_last_writer(handle))
		r = release_writer(request, handle);
	if (r == 0 && handle) {
		handle_drop(handle);
		request->file.fh = 0;
	}
	if (r == 0)
		r = remove_nameless(tenant, tree_find(&tenant->tree, node_inode(request->node)));
	tenant_unlock(tenant);
	if (r == -EAGAIN || r == REQUEST_PARKED)
		return r;
	return reply_error(request, 0);
}

int op_release(struct request *request)
{
	switch (node_kind(request->node)) {
	case NODE_KIND_INODE:
		return release_inode(request);
	case NODE_KIND_STATS:
		stats_release(request);
		break;
	case NODE_KIND_MIRROR:
		mirror_release(request);
		break;
	default:
		break;
	}
	return reply_error(request, 0);
}

/* --- fsync --- */

static int sync_published(struct open_file *open)
{
	char path[OBJECT_PATH_SIZE];
	bool has_object;

	pthread_mutex_lock(&open->tenant->lock);
	has_object = open->file->values.object_id != 0;
	if (has_object)
		object_path(open->file, &open->file->values, path);
	pthread_mutex_unlock(&open->tenant->lock);
	return has_object ? store_sync(open->tenant->mount->store, open->tenant->code, path) : 0;
}

/* The file is claimed. What cannot be published yet stays in a spool with a name. */
static int sync_bytes(struct open_file *open)
{
	int r = open->error;

	if (r == 0 && open->state != CONTENT_SPOOL) {
		r = publish(open, PUBLISH_AT_FLUSH);
		if (r == 0)
			return sync_published(open);
		if (open->state == CONTENT_APPENDING && open->refusal && !open->refusal->is_lasting)
			r = content_leave_append(open);
	}
	return r == 0 ? publish_later(open) : r;
}

int op_fsync(struct request *request)
{
	struct handle *handle = handle_of(request);
	int r = 0;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return reply_error(request, 0);
	if (handle->is_writer) {
		r = claim(request, handle->open);
		if (r != 0)
			return r;
		r = sync_bytes(handle->open);
		unclaim(handle->open);
	} else {
		r = sync_published(handle->open);
	}
	if (r == 0 && handle->open->tenant->durable)
		r = durable_sync(handle->open->tenant->durable);
	if (r == 0)
		r = handle->error;
	return r < 0 ? r : reply_error(request, 0);
}
