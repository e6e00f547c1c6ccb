/* unlink and rmdir. */
#include <errno.h>
#include <string.h>
#include "fusefs/invalidator.h"
#include "fusefs/load.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"
#include "fusefs/remove.h"

void edit_remove(struct edit *edit, struct entry *entry)
{
	struct file *file = file_of(entry->inode);

	if (file && !file->inode.is_unborn && file->inode.attributes.nlink == 1 && file->values.status == 'p')
		edit_event_file(edit, "file.deleted", file, &file->values, entry->name, entry->name_length,
				file->open ? file->open->row_size : file->inode.attributes.size_bytes);
	edit_unlink(edit, entry);
	edit->frees_space = true;
}

int check_empty(struct request *request, struct tenant *tenant, struct folder *folder)
{
	if (folder->child_count > 0)
		return -ENOTEMPTY;
	return folder->is_complete ? 0 : load_list(request, tenant, folder, 0);
}

static void tell_kernel(struct tenant *tenant, const struct entry *entry)
{
	invalidate_entry(tenant->mount->invalidator, node_of_inode(tenant->slot, entry->parent->inode.number),
			 entry->name, entry->name_length);
}

static int remove_entry(struct tenant *tenant, struct entry *entry, bool is_dropbox)
{
	struct edit edit;

	if (is_dropbox)
		tell_kernel(tenant, entry);
	edit_begin(&edit, tenant);
	edit_remove(&edit, entry);
	return edit_commit(&edit);
}

static int unlink_in_place(struct request *request, struct tenant *tenant, const struct place *place)
{
	struct entry *entry;
	int r = find_entry(request, tenant, place->folder, place->name, place->length, &entry);

	if (r == 0 && place->is_dropbox && entry->inode->kind != 'f')
		r = -ENOENT;
	if (r == 0 && entry->inode->kind == 'd')
		r = -EISDIR;
	if (r == 0)
		r = place_may_take(request, place, entry->inode);
	return r == 0 ? remove_entry(tenant, entry, place->is_dropbox) : r;
}

/* By its id a file goes with all its names; each of their folders must allow it. */
static int unlink_by_id(struct request *request, struct tenant *tenant)
{
	struct file *file;
	int r = find_by_id(request, tenant, request->name, &file);

	for (struct entry *entry = r == 0 ? file->inode.names : NULL; entry; entry = entry->next_name) {
		struct place place = {.folder = entry->parent, .is_dropbox = true};

		r = access_check(request, &entry->parent->inode.attributes, 3);
		if (r == 0)
			r = place_may_take(request, &place, &file->inode);
		if (r < 0)
			return r;
	}
	while (r == 0 && file->inode.names)
		r = remove_entry(tenant, file->inode.names, true);
	return r;
}

int op_unlink(struct request *request)
{
	bool is_by_id = node_kind(request->node) == NODE_KIND_IDS;
	struct place place = {.is_dropbox = true};
	struct tenant *tenant;
	int r;

	if (is_by_id)
		groups_prepare(request);
	else if (node_kind(request->node) == NODE_KIND_INODE)
		place_prepare(request, request->node, request->name);
	else
		return node_kind(request->node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	if (is_by_id)
		r = unlink_by_id(request, tenant);
	else
		r = place_find(request, tenant, request->node, request->name, PLACE_TAKE, &place);
	if (r == 0 && !is_by_id)
		r = unlink_in_place(request, tenant, &place);
	tenant_unlock(tenant);
	return r == 0 ? send_change(request, place.is_dropbox, NULL) : r;
}

static int rmdir_locked(struct request *request, struct tenant *tenant)
{
	struct place place;
	struct entry *entry;
	int r = place_find(request, tenant, request->node, request->name, PLACE_TAKE, &place);

	/* In the drop box a folder is not there; what is there is no folder. */
	if (r == 0 && place.is_dropbox)
		r = -ENOENT;
	if (r == 0)
		r = find_entry(request, tenant, place.folder, place.name, place.length, &entry);
	if (r == 0 && entry->inode->kind != 'd')
		r = -ENOTDIR;
	if (r == 0)
		r = check_empty(request, tenant, folder_of(entry->inode));
	return r == 0 ? remove_entry(tenant, entry, false) : r;
}

int op_rmdir(struct request *request)
{
	struct tenant *tenant;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return node_kind(request->node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
	r = tenant_enter(request, request->node, TENANT_FOR_CHANGE, &tenant);
	if (r != 0)
		return r;
	r = rmdir_locked(request, tenant);
	tenant_unlock(tenant);
	return r == 0 ? reply_error(request, 0) : r;
}
