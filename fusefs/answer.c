/* What the kernel is told about an inode. */
#include <errno.h>
#include <string.h>
#include "fusefs/invalidator.h"
#include "fusefs/load.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"

enum { BLOCK_BYTES = 4096, STAT_BLOCK_BYTES = 512 };

static struct timespec timespec_of(int64_t time_ns)
{
	int64_t seconds = time_ns / NS_PER_S, rest = time_ns % NS_PER_S;

	/* Before 1970 the remainder is negative, a timespec's never is. */
	if (rest < 0) {
		rest += NS_PER_S;
		seconds--;
	}
	return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)rest};
}

static void root_stat(const struct tenant *tenant, struct stat *stat)
{
	const struct tenant_row *row = &tenant->settings->row;

	stat->st_mode = S_IFDIR | (row->mode & 07777U);
	stat->st_uid = (uid_t)row->owner_uid;
	stat->st_gid = (gid_t)row->owner_gid;
	stat->st_mtim = stat->st_ctim = stat->st_atim = timespec_of(tenant->root_changed_ns);
}

void inode_stat(const struct tenant *tenant, const struct inode *inode, struct stat *ret_stat)
{
	const struct attributes *attributes = &inode->attributes;

	*ret_stat = (struct stat){
		.st_ino = (ino_t)inode->number,
		.st_mode = attributes->mode,
		.st_nlink = (nlink_t)attributes->nlink,
		.st_uid = attributes->uid,
		.st_gid = attributes->gid,
		.st_size = attributes->size_bytes,
		.st_blksize = BLOCK_BYTES,
		.st_blocks = (attributes->size_bytes + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES,
		.st_atim = timespec_of(attributes->atime_ns),
		.st_mtim = timespec_of(attributes->mtime_ns),
		.st_ctim = timespec_of(attributes->ctime_ns),
	};
	if (inode->kind == 'c' || inode->kind == 'b')
		ret_stat->st_rdev = (dev_t)container_of(inode, struct special, inode)->rdev;
	if (inode->kind == 'd')
		ret_stat->st_size = BLOCK_BYTES;
	if (inode->number == tenant->root_inode)
		root_stat(tenant, ret_stat);
}

void virtual_stat(const struct mount *mount, uint64_t node, uint32_t mode, struct stat *ret_stat)
{
	*ret_stat = (struct stat){
		.st_ino = (ino_t)node,
		.st_mode = mode,
		.st_nlink = S_ISDIR(mode) ? 2 : 1,
		.st_uid = mount->own_uid,
		.st_gid = mount->own_gid,
		.st_blksize = BLOCK_BYTES,
		.st_mtim = timespec_of(mount->started_ns),
		.st_ctim = timespec_of(mount->started_ns),
		.st_atim = timespec_of(mount->started_ns),
	};
}

void tenant_entry(struct tenant *tenant, struct fuse_entry_param *ret_entry)
{
	*ret_entry = (struct fuse_entry_param){
		.ino = node_of_inode(tenant->slot, tenant->root_inode),
		.attr_timeout = lifetime_s(tenant),
		.entry_timeout = lifetime_s(tenant),
	};
	ret_entry->attr = (struct stat){
		.st_ino = (ino_t)tenant->root_inode,
		.st_nlink = tenant->tree.root ? (nlink_t)tenant->tree.root->inode.attributes.nlink : 2,
		.st_size = BLOCK_BYTES,
		.st_blocks = BLOCK_BYTES / STAT_BLOCK_BYTES,
		.st_blksize = BLOCK_BYTES,
	};
	root_stat(tenant, &ret_entry->attr);
}

double lifetime_s(const struct tenant *tenant)
{
	return tenant->state == TENANT_FOLLOWING ? LIFETIME_FOLLOWING_S : LIFETIME_HELD_S;
}

void inode_entry(struct tenant *tenant, struct inode *inode, struct fuse_entry_param *ret_entry)
{
	*ret_entry = (struct fuse_entry_param){
		.ino = node_of_inode(tenant->slot, inode->number),
		.attr_timeout = lifetime_s(tenant),
		.entry_timeout = lifetime_s(tenant),
	};
	inode_stat(tenant, inode, &ret_entry->attr);
	inode->lookup_count++;
	tree_used(&tenant->tree, inode);
}

int send_entry(struct request *request, const struct fuse_entry_param *entry)
{
	int r;

	if (request->operation == OPERATION_CREATE)
		r = fuse_reply_create(request->fuse, entry, &request->file);
	else
		r = fuse_reply_entry(request->fuse, entry);
	if (r == 0)
		return 0;
	/* The caller was killed meanwhile: the kernel threw the answer away and will neither forget nor release. */
	if (request->operation == OPERATION_CREATE)
		release_unsent(request);
	forget_node(request->mount, entry->ino, 1);
	return 0;
}

int send_attributes(struct request *request, const struct stat *stat, double seconds)
{
	fuse_reply_attr(request->fuse, stat, seconds);
	return 0;
}

int send_negative(struct request *request, double seconds)
{
	struct fuse_entry_param entry = {.entry_timeout = seconds};

	fuse_reply_entry(request->fuse, &entry);
	return 0;
}

int send_change(struct request *request, bool is_dropbox, const struct fuse_entry_param *entry)
{
	struct fuse_entry_param short_lived;
	struct request *kept;
	int r;

	if (!is_dropbox)
		return entry ? send_entry(request, entry) : reply_error(request, 0);
	if (entry) {
		short_lived = *entry;
		short_lived.entry_timeout = 0;
	}
	/* The change is made: not even a deadline or a cap may turn it into an error now. */
	request->deadline_ns = INT64_MAX;
	r = request_keep(request, &kept);
	if (r < 0)
		return entry ? send_entry(request, &short_lived) : reply_error(request, 0);
	reply_after_invalidation(kept, entry ? &short_lived : NULL);
	return REQUEST_PARKED;
}

int find_inode(struct request *request, struct tenant *tenant, uint64_t node, struct inode **ret_inode)
{
	struct inode *inode;

	if (node_kind(node) != NODE_KIND_INODE)
		return -EPERM;
	inode = tree_find(&tenant->tree, node_inode(node));
	if (!inode)
		return load_inode(request, tenant, node_inode(node));
	tree_used(&tenant->tree, inode);
	*ret_inode = inode;
	return 0;
}

int find_folder(struct request *request, struct tenant *tenant, uint64_t node, struct folder **ret_folder)
{
	struct inode *inode = NULL;
	int r = find_inode(request, tenant, node, &inode);

	if (r != 0 || !inode)
		return r;
	if (inode->kind != 'd')
		return -ENOTDIR;
	*ret_folder = as_folder(inode);
	return 0;
}

int find_entry(struct request *request, struct tenant *tenant, struct folder *folder, const char *name, size_t length,
	       struct entry **ret_entry)
{
	struct entry *entry;

	if (length > NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	entry = tree_entry(&tenant->tree, folder, name, length);
	if (!entry && !folder->is_complete && folder->inode.attributes.nlink > 0) {
		atomic_fetch_add_explicit(&tenant->mount->stats.lookup_misses, 1, memory_order_relaxed);
		return load_name(request, tenant, folder, name, length);
	}
	atomic_fetch_add_explicit(&tenant->mount->stats.lookup_hits, 1, memory_order_relaxed);
	if (!entry || !entry->inode)
		return -ENOENT;
	*ret_entry = entry;
	return 0;
}
