/* setattr: chmod, chown, utimens, truncate. */
#include <errno.h>
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "fusefs/truncate.h"
#include "shared/base/clock.h"

static const int size_bits = FUSE_SET_ATTR_SIZE;
static const int owner_bits = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
static const int other_bits = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID | FUSE_SET_ATTR_ATIME |
			      FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW |
			      FUSE_SET_ATTR_CTIME;

static int64_t time_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* A new owner does not inherit the privileges of the old one's program. */
static void set_owner(const struct request *request, struct attributes *attributes)
{
	if (request->to_set & FUSE_SET_ATTR_UID)
		attributes->uid = request->attributes.st_uid;
	if (request->to_set & FUSE_SET_ATTR_GID)
		attributes->gid = request->attributes.st_gid;
	if (S_ISDIR(attributes->mode))
		return;
	attributes->mode &= ~(uint32_t)S_ISUID;
	if (attributes->mode & S_IXGRP)
		attributes->mode &= ~(uint32_t)S_ISGID;
}

static void set_times(const struct request *request, struct attributes *attributes, int64_t now_ns)
{
	if (request->to_set & FUSE_SET_ATTR_ATIME)
		attributes->atime_ns =
			request->to_set & FUSE_SET_ATTR_ATIME_NOW ? now_ns : time_ns(&request->attributes.st_atim);
	if (request->to_set & FUSE_SET_ATTR_MTIME)
		attributes->mtime_ns =
			request->to_set & FUSE_SET_ATTR_MTIME_NOW ? now_ns : time_ns(&request->attributes.st_mtim);
}

static int set_attributes(struct request *request, struct tenant *tenant, struct inode *inode)
{
	struct attributes *attributes;
	struct edit edit;
	int r;

	edit_begin(&edit, tenant);
	attributes = edit_attributes(&edit, inode);
	if (request->to_set & owner_bits)
		set_owner(request, attributes);
	if (request->to_set & FUSE_SET_ATTR_MODE)
		attributes->mode = (attributes->mode & S_IFMT) | (request->attributes.st_mode & 07777U);
	set_times(request, attributes, edit.now_ns);
	attributes->ctime_ns = edit.now_ns;
	r = edit_commit(&edit);
	/* A time that was set is what the file goes back to when its new bytes are refused. */
	if (r == 0 && inode->kind == 'f' && file_of(inode)->open && (request->to_set & FUSE_SET_ATTR_MTIME))
		file_of(inode)->open->row_mtime_ns = inode->attributes.mtime_ns;
	return r;
}

/* --- truncate without a handle: opened, cut, closed, as one operation --- */

static int take_handle(struct request *request, struct open_file **ret_open)
{
	struct tenant *tenant;
	struct inode *inode;
	int r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);

	if (r != 0)
		return r;
	r = find_inode(request, tenant, request->node, &inode);
	if (r == 0 && inode->kind != 'f')
		r = inode->kind == 'd' ? -EISDIR : -EINVAL;
	if (r == 0) {
		*ret_open = open_file_get(tenant, file_of(inode));
		r = *ret_open ? 0 : -ENOMEM;
	}
	if (r == 0)
		(*ret_open)->readers++;
	tenant_unlock(tenant);
	return r;
}

/* When nobody else writes, the cut content is published here, or refused and as before. */
static int close_truncated(struct open_file *open)
{
	int r = publish(open, PUBLISH_AT_LAST_RELEASE);

	if (r < 0 && r != -EAGAIN && refuse_content(open) == -EAGAIN)
		r = -EAGAIN;
	return r == 0 ? publish_extraction(open) : r;
}

static int finish_truncated(struct request *request, struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct request *waiting;
	int r;

	pthread_mutex_lock(&tenant->lock);
	r = open->writers > 0 ? 0 : open_file_claim(request, open);
	if (r != 0 || open->writers > 0) {
		pthread_mutex_unlock(&tenant->lock);
		return r;
	}
	pthread_mutex_unlock(&tenant->lock);
	r = close_truncated(open);
	pthread_mutex_lock(&tenant->lock);
	waiting = open_file_unclaim(open);
	tenant_unlock(tenant);
	wait_list_resume(waiting, 0);
	return r;
}

static void drop_reader(void *loaded)
{
	struct open_file *open = loaded;
	struct tenant *tenant = open->tenant;

	pthread_mutex_lock(&tenant->lock);
	open->readers--;
	open_file_put(open);
	tenant_unlock(tenant);
}

/* The spool lives as long as the file is open, so the handle goes with the request, also when that waits. */
static int truncate_path(struct request *request)
{
	struct open_file *open = request->loaded;
	int r = open ? 0 : take_handle(request, &open);

	if (r != 0)
		return r;
	request->loaded = open;
	request->loaded_free = drop_reader;
	r = truncate_open(request, open, request->attributes.st_size);
	if (r == 0)
		r = finish_truncated(request, open);
	if (r == 0) {
		drop_reader(open);
		request->loaded = NULL;
	}
	return r;
}

static int set_size(struct request *request)
{
	struct handle *handle = request->has_file ? handle_of(request) : NULL;

	if (request->attributes.st_size < 0)
		return -EINVAL;
	if (!handle || !handle->is_writer)
		return truncate_path(request);
	return handle->error < 0 ? handle->error : truncate_open(request, handle->open, request->attributes.st_size);
}

static int set_others(struct request *request, struct stat *ret_stat, double *ret_seconds)
{
	struct tenant *tenant;
	struct inode *inode;
	int r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);

	if (r != 0)
		return r;
	r = find_inode(request, tenant, request->node, &inode);
	if (r == 0 && inode->number == tenant->root_inode)
		r = -EPERM;
	if (r == 0 && (request->to_set & other_bits))
		r = set_attributes(request, tenant, inode);
	if (r == 0) {
		inode_stat(tenant, inode, ret_stat);
		*ret_seconds = lifetime_s(tenant);
	}
	tenant_unlock(tenant);
	return r;
}

int op_setattr(struct request *request)
{
	struct stat stat;
	double seconds;
	int r = 0;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return node_kind(request->node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
	if (request->to_set & size_bits)
		r = set_size(request);
	if (r != 0)
		return r;
	request->to_set &= ~size_bits;
	r = set_others(request, &stat, &seconds);
	return r == 0 ? send_attributes(request, &stat, seconds) : r;
}
