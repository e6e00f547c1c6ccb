/* New names: create, mknod, mkdir, symlink, link. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/invalidator.h"
#include "fusefs/judge.h"
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "fusefs/quota.h"
#include "fusefs/words.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"

enum { LINKS_MAX = 65000 };

static int init_file(struct request *request, struct file *file)
{
	char id[FILE_ID_SIZE], uid[16];
	int r = file_id_make(id);

	if (r < 0)
		return r;
	memcpy(file->id, id + 3, sizeof(file->id));
	snprintf(uid, sizeof(uid), "%u", request->uid);
	file->values.uploaded_by = words_keep(request->mount->words, uid, strlen(uid));
	file->values.status = 'u';
	file->values.validation = 'p';
	file->values.visibility = 'r';
	return 0;
}

int new_inode(struct request *request, struct tenant *tenant, const struct folder *folder, uint32_t mode,
	      struct inode **ret_inode)
{
	const struct attributes *above = &folder->inode.attributes;
	struct inode *inode;
	int64_t number, now_ns = clock_realtime_ns();
	int r = durable_inode(tenant->mount->durable, &number);

	if (r < 0)
		return r == -EAGAIN ? -ENOBUFS : r;
	inode = inode_new(kind_of_mode(mode), number);
	if (!inode)
		return -ENOMEM;
	inode->attributes = (struct attributes){
		.mode = mode,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.uid = request->uid,
		.gid = above->mode & S_ISGID ? above->gid : request->gid,
		.atime_ns = now_ns,
		.mtime_ns = now_ns,
		.ctime_ns = now_ns,
	};
	inode->btime_ns = now_ns;
	if (S_ISDIR(mode)) {
		inode->attributes.mode |= above->mode & S_ISGID;
		as_folder(inode)->is_complete = true;
	}
	r = inode->kind == 'f' ? init_file(request, as_file(inode)) : 0;
	if (r < 0) {
		inode_free(inode);
		return r;
	}
	*ret_inode = inode;
	return 0;
}

static int check_name_rules(struct request *request, struct tenant *tenant, const struct place *place)
{
	struct verdict verdict = {0};
	struct refused refused = {
		.name = place->name, .name_length = place->length, .file_id = "", .uid = request->uid};

	validate_name(tenant->settings->rules, place->name, place->length, &verdict);
	if (!verdict.error)
		return 0;
	refused.rule = verdict.rule;
	refused.reason = verdict.reason;
	return refuse_request(request, tenant, &refused, verdict.error);
}

static int check_quota(struct request *request, struct tenant *tenant, const struct place *place)
{
	struct refused refused = {.name = place->name,
				  .name_length = place->length,
				  .file_id = "",
				  .uid = request->uid,
				  .rule = "quota",
				  .reason = "the tenant has as many files as it may have"};
	int r = quota_check(tenant, 0, 1);

	return r == -EDQUOT ? refuse_request(request, tenant, &refused, r) : r;
}

int check_new_name(struct request *request, struct tenant *tenant, const struct place *place, bool is_file)
{
	struct entry *entry;
	int r = find_entry(request, tenant, place->folder, place->name, place->length, &entry);

	if (r == 0)
		return -EEXIST;
	if (r != -ENOENT)
		return r;
	if (!is_file)
		return 0;
	r = check_name_rules(request, tenant, place);
	return r == 0 ? check_quota(request, tenant, place) : r;
}

/* The kernel may know by the real name that nothing is there. */
static void drop_negative(struct tenant *tenant, const struct place *place)
{
	if (place->is_dropbox)
		invalidate_entry(tenant->mount->invalidator, node_of_inode(tenant->slot, place->folder->inode.number),
				 place->name, place->length);
}

/* --- create --- */

static int create_locked(struct request *request, struct tenant *tenant, struct place *place,
			 struct fuse_entry_param *entry)
{
	struct inode *inode;
	struct handle *handle;
	struct edit edit;
	int r = place_find(request, tenant, request->node, request->name, PLACE_PUT_FILE, place);

	if (r == 0)
		r = check_new_name(request, tenant, place, true);
	if (r == -EEXIST && !(request->flags & O_EXCL))
		r = -ESTALE; /* made since the kernel looked: it looks again and opens what is there */
	if (r == 0)
		r = new_inode(request, tenant, place->folder, request->mode, &inode);
	if (r != 0)
		return r;
	handle = handle_new(tenant, file_of(inode), true, (request->flags & O_APPEND) != 0);
	if (!handle) {
		inode_free(inode);
		return -ENOMEM;
	}
	edit_begin(&edit, tenant);
	edit_new(&edit, inode, true);
	edit_put_name(&edit, place->folder, place->name, place->length, inode);
	if (edit.error < 0)
		handle_drop(handle);
	r = edit_commit(&edit);
	if (r < 0)
		return r;
	inode->is_dropped = place->is_dropbox;
	handle->open->is_new = true;
	inode_entry(tenant, inode, entry);
	request->file.fh = (uint64_t)(uintptr_t)handle;
	request->file.keep_cache = 1;
	drop_negative(tenant, place);
	return 0;
}

int op_create(struct request *request)
{
	struct fuse_entry_param entry;
	struct tenant *tenant;
	struct place place;
	int r;

	place_prepare(request, request->node, request->name);
	quota_look_at_disk(request->mount);
	if (node_kind(request->node) != NODE_KIND_INODE)
		return node_kind(request->node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	r = create_locked(request, tenant, &place, &entry);
	tenant_unlock(tenant);
	return r == 0 ? send_change(request, place.is_dropbox, &entry) : r;
}

/* --- mknod, mkdir, symlink --- */

static int init_special(struct request *request, struct inode *inode)
{
	struct special *special = special_of(inode);

	if (inode->kind == 'f') {
		/* An empty file, there at once. */
		as_file(inode)->values.status = 'p';
		as_file(inode)->values.validation = 'o';
		as_file(inode)->values.uploaded_at_ns = inode->btime_ns;
		return 0;
	}
	if (!special)
		return 0;
	special->rdev = (int64_t)request->rdev;
	if (inode->kind != 'l')
		return 0;
	special->target = strdup(request->other_name);
	inode->attributes.size_bytes = (int64_t)strlen(request->other_name);
	return special->target ? 0 : -ENOMEM;
}

static int make_in_place(struct request *request, struct tenant *tenant, const struct place *place, uint32_t mode,
			 struct fuse_entry_param *entry)
{
	struct inode *inode;
	struct edit edit;
	int r = check_new_name(request, tenant, place, S_ISREG(mode));

	if (r == 0)
		r = new_inode(request, tenant, place->folder, mode, &inode);
	if (r != 0)
		return r;
	r = init_special(request, inode);
	if (r < 0) {
		inode_free(inode);
		return r;
	}
	edit_begin(&edit, tenant);
	edit_new(&edit, inode, false);
	edit_put_name(&edit, place->folder, place->name, place->length, inode);
	if (inode->kind == 'd')
		edit_attributes(&edit, &place->folder->inode)->nlink++;
	r = edit_commit(&edit);
	if (r < 0)
		return r;
	inode_entry(tenant, inode, entry);
	drop_negative(tenant, place);
	return 0;
}

static int make(struct request *request, uint32_t mode)
{
	enum place_use use = S_ISREG(mode) ? PLACE_PUT_FILE : PLACE_PUT_OTHER;
	struct fuse_entry_param entry;
	struct tenant *tenant;
	struct place place;
	int r;

	place_prepare(request, request->node, request->name);
	quota_look_at_disk(request->mount);
	if (node_kind(request->node) != NODE_KIND_INODE)
		return node_kind(request->node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	r = place_find(request, tenant, request->node, request->name, use, &place);
	if (r == 0)
		r = make_in_place(request, tenant, &place, mode, &entry);
	tenant_unlock(tenant);
	return r == 0 ? send_change(request, place.is_dropbox, &entry) : r;
}

int op_mknod(struct request *request)
{
	return make(request, request->mode);
}

int op_symlink(struct request *request)
{
	return strlen(request->other_name) >= PATH_MAX ? -ENAMETOOLONG : make(request, S_IFLNK | 0777);
}

/* A past month may be made, as when a backup is restored; one that is not here yet may not. */
static int make_month(struct request *request, struct tenant *tenant, struct fuse_entry_param *entry)
{
	char now[CLOCK_MONTH_SIZE];
	struct folder *folder;
	struct entry *existing;
	int r = find_entry(request, tenant, tenant->tree.root, request->name, strlen(request->name), &existing);

	month_now(now);
	if (r == 0)
		return -EEXIST;
	if (r != -ENOENT)
		return r;
	if (strcmp(request->name, now) > 0)
		return -EPERM;
	r = month_make(tenant, request->name, &folder);
	if (r == 0)
		inode_entry(tenant, &folder->inode, entry);
	return r;
}

static bool is_month_of_tenant(const struct request *request)
{
	const struct tenant *tenant = tenants_by_slot(request->mount->tenants, node_slot(request->node));

	return node_kind(request->node) == NODE_KIND_INODE && tenant &&
	       node_inode(request->node) == tenant->root_inode && clock_is_month(request->name, strlen(request->name));
}

int op_mkdir(struct request *request)
{
	struct fuse_entry_param entry;
	struct tenant *tenant;
	int r;

	if (!is_month_of_tenant(request))
		return make(request, S_IFDIR | (request->mode & 07777U));
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	r = make_month(request, tenant, &entry);
	tenant_unlock(tenant);
	return r == 0 ? send_entry(request, &entry) : r;
}

/* --- link --- */

static int link_in_place(struct request *request, struct tenant *tenant, const struct place *place, struct inode *inode,
			 struct fuse_entry_param *entry)
{
	struct file *file = file_of(inode);
	struct edit edit;
	int r = file && file->open && file->open->is_busy ? request_park(request, &file->open->waiting) : 0;

	if (r == 0)
		r = check_new_name(request, tenant, place, false);
	if (r == 0 && file)
		r = judge_new_name(request, tenant, file, place->name, place->length);
	if (r != 0)
		return r;
	edit_begin(&edit, tenant);
	edit_put_name(&edit, place->folder, place->name, place->length, inode);
	edit_attributes(&edit, inode)->nlink++;
	edit_attributes(&edit, inode)->ctime_ns = edit.now_ns;
	r = edit_commit(&edit);
	if (r < 0)
		return r;
	inode_entry(tenant, inode, entry);
	drop_negative(tenant, place);
	return 0;
}

static int link_locked(struct request *request, struct tenant *tenant, struct place *place,
		       struct fuse_entry_param *entry)
{
	struct inode *inode;
	int r = find_inode(request, tenant, request->node, &inode);

	if (r != 0)
		return r;
	if (inode->attributes.nlink == 0)
		return -ENOENT;
	if (inode->attributes.nlink >= LINKS_MAX)
		return -EMLINK;
	if (inode->kind == 'd')
		return -EPERM;
	r = place_find(request, tenant, request->other_node, request->name,
		       inode->kind == 'f' ? PLACE_PUT_FILE : PLACE_PUT_OTHER, place);
	return r == 0 ? link_in_place(request, tenant, place, inode, entry) : r;
}

int op_link(struct request *request)
{
	struct fuse_entry_param entry;
	struct tenant *tenant;
	struct place place;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE || node_kind(request->other_node) != NODE_KIND_INODE)
		return -EPERM;
	if (node_slot(request->node) != node_slot(request->other_node))
		return -EXDEV;
	place_prepare(request, request->other_node, request->name);
	do {
		r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
		if (r != 0)
			return r;
		r = link_locked(request, tenant, &place, &entry);
		tenant_unlock(tenant);
	} while (r == JUDGE_FIRST && (r = judge_now(request)) == 0);
	return r == 0 ? send_change(request, place.is_dropbox, &entry) : r;
}
