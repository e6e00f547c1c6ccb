/* lookup, forget, getattr, readlink, statfs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fusefs/load.h"
#include "fusefs/loader.h"
#include "fusefs/mirror.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/store/store.h"

enum { STATFS_BLOCK = 4096 };

static int send_virtual(struct request *request, uint64_t node, uint32_t mode, double seconds)
{
	struct fuse_entry_param entry = {.ino = node, .attr_timeout = seconds, .entry_timeout = seconds};

	virtual_stat(request->mount, node, mode, &entry.attr);
	return send_entry(request, &entry);
}

/* --- the root: tenants --- */

static void tenant_row_loaded(void *context, int error, const struct tenant_row *rows, int count)
{
	struct request *request = context;
	struct tenant *tenant;

	if (error == 0)
		error = count == 0 ? -ENOENT : tenants_put(request->mount->tenants, &rows[0], &tenant);
	request_resume(request, error);
}

/* A tenant made a moment ago, whose NOTIFY has not come yet, is there all the same. */
static int load_tenant(struct request *request)
{
	const char *only = request->mount->options.tenant_code;
	struct request *kept;
	int r;

	if (!tenant_code_is_valid(request->name) || (only[0] && strcmp(only, request->name) != 0) ||
	    request->runs++ > 0)
		return -ENOENT;
	r = request_keep(request, &kept);
	if (r < 0)
		return r;
	loader_tenant(kept->mount->loader, kept->name, tenant_row_loaded, kept);
	return REQUEST_PARKED;
}

static int lookup_in_root(struct request *request)
{
	struct fuse_entry_param entry;
	struct tenant *tenant;
	int r;

	if (strcmp(request->name, ".stats") == 0)
		/* Not remembered, so that a stat of it tells whether the mount answers. */
		return send_virtual(request, node_virtual(NODE_KIND_STATS, 0, 0), S_IFREG | 0444, 0);
	tenant = tenants_by_code(request->mount->tenants, request->name);
	if (!tenant)
		return load_tenant(request);
	r = tenant_lock(request, tenant, TENANT_FOR_STAT);
	if (r != 0)
		return r == -ESTALE ? -ENOENT : r;
	tenant_entry(tenant, &entry);
	tenant_unlock(tenant);
	return send_entry(request, &entry);
}

/* --- a tenant's folder: what no row stands behind --- */

static uint32_t folder_mode(const struct tenant *tenant)
{
	return S_IFDIR | (tenant->settings->row.mode & 0777U);
}

static uint64_t current_node(const struct tenant *tenant)
{
	char month[CLOCK_MONTH_SIZE];

	month_now(month);
	return node_virtual(NODE_KIND_CURRENT, tenant->slot, month_index(month));
}

/* 1: it was one of these names, answered or failed in *ret_result. */
static bool lookup_reserved(struct request *request, struct tenant *tenant, int *ret_result)
{
	struct fuse_entry_param entry = {.attr_timeout = LIFETIME_HELD_S};
	uint32_t mode;

	if (strcmp(request->name, "current") == 0) {
		entry.ino = current_node(tenant);
		mode = S_IFLNK | 0777;
	} else if (strcmp(request->name, ".id") == 0) {
		entry.ino = node_virtual(NODE_KIND_IDS, tenant->slot, 0);
		mode = folder_mode(tenant);
	} else if (strcmp(request->name, ".extract") == 0) {
		entry.ino = node_virtual(NODE_KIND_MIRROR, tenant->slot, 0);
		mode = folder_mode(tenant) & ~0222U;
	} else {
		return false;
	}
	virtual_stat(request->mount, entry.ino, mode, &entry.attr);
	entry.attr.st_uid = (uid_t)tenant->settings->row.owner_uid;
	entry.attr.st_gid = (gid_t)tenant->settings->row.owner_gid;
	entry.attr_timeout = 1;
	tenant_unlock(tenant);
	*ret_result = send_entry(request, &entry);
	return true;
}

/* --- names --- */

/* A name of the drop box stands for a regular file and nothing else, and is asked for anew each time. */
static int answer_found(struct request *request, struct tenant *tenant, const struct place *place, struct inode *inode)
{
	struct fuse_entry_param entry;

	if (place->is_dropbox && inode->kind != 'f') {
		tenant_unlock(tenant);
		return -ENOENT;
	}
	if (place->is_dropbox)
		inode->is_dropped = true;
	inode_entry(tenant, inode, &entry);
	if (place->is_dropbox)
		entry.entry_timeout = 0;
	tenant_unlock(tenant);
	return send_entry(request, &entry);
}

static int find_or_make_month(struct request *request, struct tenant *tenant, const struct place *place,
			      struct inode **ret_inode)
{
	struct folder *folder;
	int r = month_folder(request, tenant, place->name, &folder);

	if (r == 0)
		*ret_inode = &folder->inode;
	return r == -EROFS ? -ENOENT : r;
}

static int lookup_in_folder(struct request *request, struct tenant *tenant)
{
	struct entry *entry = NULL;
	struct inode *inode = NULL;
	struct place place;
	double negative_s;
	bool is_root;
	int r = place_find(request, tenant, request->node, request->name, PLACE_LOOK, &place);

	if (r != 0) {
		tenant_unlock(tenant);
		return r;
	}
	is_root = place.folder == tenant->tree.root;
	if (is_root)
		r = find_or_make_month(request, tenant, &place, &inode);
	else
		r = find_entry(request, tenant, place.folder, place.name, place.length, &entry);
	if (r == 0)
		return answer_found(request, tenant, &place, is_root ? inode : entry->inode);
	negative_s = is_root || place.is_dropbox || tenant->state == TENANT_FOLLOWING ? 0 : lifetime_s(tenant);
	tenant_unlock(tenant);
	return r == -ENOENT && negative_s > 0 ? send_negative(request, negative_s) : r;
}

static bool is_tenant_root(const struct request *request, const struct tenant *tenant)
{
	return node_inode(request->node) == tenant->root_inode;
}

/* --- .id --- */

static int may_search_above(struct request *request, struct tenant *tenant, const struct inode *inode)
{
	const struct entry *entry = inode->names;

	for (; entry && entry->parent != tenant->tree.root; entry = entry->parent->inode.names) {
		int r = access_check(request, &entry->parent->inode.attributes, 1);

		if (r < 0)
			return r;
	}
	return 0;
}

int find_by_id(struct request *request, struct tenant *tenant, const char *name, struct file **ret_file)
{
	struct file *file;

	if (!file_id_is_valid(name, strlen(name)))
		return -ENOENT;
	file = tree_find_file(&tenant->tree, name);
	if (!file)
		return load_file(request, tenant, name);
	if (file->inode.attributes.nlink == 0)
		return -ENOENT;
	*ret_file = file;
	return may_search_above(request, tenant, &file->inode);
}

static int lookup_by_id(struct request *request, struct tenant *tenant)
{
	struct fuse_entry_param entry;
	struct file *file;
	int r = find_by_id(request, tenant, request->name, &file);

	if (r == 0) {
		inode_entry(tenant, &file->inode, &entry);
		entry.entry_timeout = 0;
	}
	tenant_unlock(tenant);
	return r == 0 ? send_entry(request, &entry) : r;
}

int op_lookup(struct request *request)
{
	struct tenant *tenant;
	int r;

	switch (node_kind(request->node)) {
	case NODE_KIND_ROOT:
		return lookup_in_root(request);
	case NODE_KIND_MIRROR:
		return mirror_lookup(request);
	case NODE_KIND_STATS:
	case NODE_KIND_CURRENT:
		return -ENOTDIR;
	case NODE_KIND_IDS:
		groups_prepare(request);
		break;
	case NODE_KIND_INODE:
		place_prepare(request, request->node, request->name);
		break;
	}
	r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
	if (r != 0)
		return r;
	if (node_kind(request->node) == NODE_KIND_IDS)
		return lookup_by_id(request, tenant);
	if (is_tenant_root(request, tenant) && lookup_reserved(request, tenant, &r))
		return r;
	return lookup_in_folder(request, tenant);
}

/* --- forget --- */

void forget_node(struct mount *mount, uint64_t node, uint64_t count)
{
	struct tenant *tenant = tenants_by_slot(mount->tenants, node_slot(node));
	struct inode *inode;

	if (!tenant || node == NODE_ROOT)
		return;
	if (node_kind(node) == NODE_KIND_MIRROR)
		mirror_forget(tenant, node, count);
	if (node_kind(node) != NODE_KIND_INODE)
		return;
	pthread_mutex_lock(&tenant->lock);
	inode = tree_find(&tenant->tree, node_inode(node));
	if (inode) {
		inode->lookup_count -= count < inode->lookup_count ? count : inode->lookup_count;
		if (inode->is_gone && inode->lookup_count == 0 && !list_has(&inode->used))
			list_append(&tenant->tree.gone, &inode->used);
	}
	tenant_unlock(tenant);
}

/* --- getattr --- */

static int getattr_tenant_root(struct request *request, struct tenant *tenant)
{
	struct fuse_entry_param entry;
	double seconds;
	int r = tenant_lock(request, tenant, TENANT_FOR_STAT);

	if (r != 0)
		return r;
	tenant_entry(tenant, &entry);
	seconds = entry.attr_timeout;
	tenant_unlock(tenant);
	return send_attributes(request, &entry.attr, seconds);
}

static int getattr_inode(struct request *request)
{
	struct tenant *tenant = tenants_by_slot(request->mount->tenants, node_slot(request->node));
	struct inode *inode;
	struct stat stat;
	double seconds = 0;
	int r;

	if (tenant && is_tenant_root(request, tenant))
		return getattr_tenant_root(request, tenant);
	r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
	if (r != 0)
		return r;
	r = find_inode(request, tenant, request->node, &inode);
	if (r == 0) {
		inode_stat(tenant, inode, &stat);
		seconds = lifetime_s(tenant);
	}
	tenant_unlock(tenant);
	return r == 0 ? send_attributes(request, &stat, seconds) : r;
}

static int getattr_virtual(struct request *request, uint32_t mode)
{
	struct tenant *tenant = NULL;
	struct stat stat;
	int r;

	virtual_stat(request->mount, request->node, mode, &stat);
	if (node_kind(request->node) == NODE_KIND_ROOT || node_kind(request->node) == NODE_KIND_STATS)
		return send_attributes(request, &stat, node_kind(request->node) == NODE_KIND_ROOT ? 1 : 0);
	r = tenant_enter(request, request->node, TENANT_FOR_STAT, &tenant);
	if (r != 0)
		return r;
	if (S_ISDIR(mode))
		stat.st_mode = folder_mode(tenant);
	else
		stat.st_size = CLOCK_MONTH_SIZE - 1;
	stat.st_uid = (uid_t)tenant->settings->row.owner_uid;
	stat.st_gid = (gid_t)tenant->settings->row.owner_gid;
	tenant_unlock(tenant);
	return send_attributes(request, &stat, 1);
}

int op_getattr(struct request *request)
{
	switch (node_kind(request->node)) {
	case NODE_KIND_ROOT:
	case NODE_KIND_IDS:
		return getattr_virtual(request, S_IFDIR | 0755);
	case NODE_KIND_STATS:
		return getattr_virtual(request, S_IFREG | 0444);
	case NODE_KIND_CURRENT:
		return getattr_virtual(request, S_IFLNK | 0777);
	case NODE_KIND_MIRROR:
		return mirror_getattr(request);
	case NODE_KIND_INODE:
		break;
	}
	return getattr_inode(request);
}

/* --- readlink --- */

static int readlink_current(struct request *request)
{
	char month[CLOCK_MONTH_SIZE];

	month_of_index((uint32_t)node_value(request->node), month);
	fuse_reply_readlink(request->fuse, month);
	return 0;
}

int op_readlink(struct request *request)
{
	struct tenant *tenant;
	struct inode *inode;
	char target[PATH_MAX];
	int r;

	if (node_kind(request->node) == NODE_KIND_CURRENT)
		return readlink_current(request);
	r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
	if (r != 0)
		return r;
	r = find_inode(request, tenant, request->node, &inode);
	if (r == 0 && inode->kind != 'l')
		r = -EINVAL;
	if (r == 0)
		snprintf(target, sizeof(target), "%s", as_special(inode)->target);
	tenant_unlock(tenant);
	if (r != 0)
		return r;
	fuse_reply_readlink(request->fuse, target);
	return 0;
}

/* --- statfs --- */

static void apply_quota(const struct tenant *tenant, struct statvfs *stat)
{
	const struct tenant_row *row = &tenant->settings->row;
	int64_t used = tenant->usage.used_bytes + tenant->usage.provisional_bytes;
	int64_t files = tenant->usage.file_count + tenant->usage.provisional_files;

	if (row->storage_quota_bytes >= 0) {
		int64_t left = row->storage_quota_bytes > used ? row->storage_quota_bytes - used : 0;
		fsblkcnt_t left_blocks = (fsblkcnt_t)left / STATFS_BLOCK;

		stat->f_blocks = (fsblkcnt_t)row->storage_quota_bytes / STATFS_BLOCK;
		stat->f_bfree = stat->f_bavail = left_blocks < stat->f_bavail ? left_blocks : stat->f_bavail;
	}
	if (row->file_count_limit >= 0) {
		stat->f_files = (fsfilcnt_t)row->file_count_limit;
		stat->f_ffree = stat->f_favail =
			row->file_count_limit > files ? (fsfilcnt_t)(row->file_count_limit - files) : 0;
	}
}

int op_statfs(struct request *request)
{
	struct statvfs stat = {.f_bsize = STATFS_BLOCK, .f_frsize = STATFS_BLOCK, .f_namemax = NAME_MAX_BYTES};
	uint64_t free_bytes, total_bytes;
	struct tenant *tenant;
	int r = store_free_space(request->mount->store, &free_bytes, &total_bytes);

	if (r < 0)
		return r;
	stat.f_blocks = total_bytes / STATFS_BLOCK;
	stat.f_bfree = stat.f_bavail = free_bytes / STATFS_BLOCK;
	stat.f_files = stat.f_ffree = stat.f_favail = UINT32_MAX;
	if (node_kind(request->node) != NODE_KIND_ROOT && node_kind(request->node) != NODE_KIND_STATS) {
		r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
		if (r != 0)
			return r;
		apply_quota(tenant, &stat);
		tenant_unlock(tenant);
	}
	fuse_reply_statfs(request->fuse, &stat);
	return 0;
}
