/*
 * Which folder a name really lies in. Directly in the tenant folder lie month folders and reserved names; any other
 * name there is the drop box: the same name in the current month.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"

enum { GROUPS_MAX = 65536, DROP_BINDING_S = 3600 };

static bool is_reserved(const char *name)
{
	return strcmp(name, "current") == 0 || strcmp(name, ".id") == 0 || strcmp(name, ".extract") == 0;
}

static bool is_tenant_folder(const struct request *request, uint64_t node)
{
	const struct tenant *tenant = tenants_by_slot(request->mount->tenants, node_slot(node));

	return node_kind(node) == NODE_KIND_INODE && tenant && node_inode(node) == tenant->root_inode;
}

static bool is_dropbox_name(const char *name)
{
	return !is_reserved(name) && !clock_is_month(name, strlen(name));
}

void place_prepare(struct request *request, uint64_t parent, const char *name)
{
	if (is_dropbox_name(name) && is_tenant_folder(request, parent))
		groups_prepare(request);
}

void groups_prepare(struct request *request)
{
	int count;

	if (request->uid == 0 || request->groups)
		return;
	count = fuse_req_getgroups(request->fuse, 0, NULL);
	if (count <= 0 || count > GROUPS_MAX)
		return;
	request->groups = calloc((size_t)count, sizeof(request->groups[0]));
	if (!request->groups)
		return;
	count = fuse_req_getgroups(request->fuse, count, request->groups);
	request->group_count = count > 0 ? count : 0;
}

static bool is_in_group(const struct request *request, uint32_t gid)
{
	for (int i = 0; i < request->group_count; i++)
		if (request->groups[i] == gid)
			return true;
	return request->gid == gid;
}

int access_check(const struct request *request, const struct attributes *attributes, int mask)
{
	uint32_t bits = attributes->mode & 7U;

	if (request->uid == 0)
		return 0;
	if (request->uid == attributes->uid)
		bits = attributes->mode >> 6 & 7U;
	else if (is_in_group(request, attributes->gid))
		bits = attributes->mode >> 3 & 7U;
	return ((uint32_t)mask & ~bits) == 0 ? 0 : -EACCES;
}

int place_may_take(const struct request *request, const struct place *place, const struct inode *inode)
{
	const struct attributes *folder = &place->folder->inode.attributes;

	if (!place->is_dropbox || !(folder->mode & S_ISVTX) || request->uid == 0)
		return 0;
	return request->uid == folder->uid || request->uid == inode->attributes.uid ? 0 : -EPERM;
}

static struct folder *folder_before(struct tenant *tenant, int64_t now_ns, char ret_before[CLOCK_MONTH_SIZE])
{
	char now[CLOCK_MONTH_SIZE];
	struct entry *entry;

	clock_format_month(now_ns, now);
	/* A month has at most 31 days: its last day lies no further back. */
	for (int64_t days = 1; days <= 31; days++) {
		clock_format_month(now_ns - days * 86400 * NS_PER_S, ret_before);
		if (strcmp(ret_before, now) != 0)
			break;
	}
	entry = tree_entry(&tenant->tree, tenant->tree.root, ret_before, strlen(ret_before));
	return entry ? folder_of(entry->inode) : NULL;
}

/*
 * A name that was resolved before midnight keeps its month: while its file is open, for an hour after, and a working
 * name until it is renamed. Only memory is asked: what was resolved lately is there.
 */
static struct folder *bound_folder(struct tenant *tenant, const char *name, size_t length)
{
	int64_t now_ns = clock_realtime_ns();
	char before[CLOCK_MONTH_SIZE], an_hour_ago[CLOCK_MONTH_SIZE];
	struct folder *folder = folder_before(tenant, now_ns, before);
	struct entry *entry = folder ? tree_entry(&tenant->tree, folder, name, length) : NULL;

	if (!entry || !entry->inode || !entry->inode->is_dropped || entry->inode->lookup_count == 0)
		return NULL;
	if (name_is_working(name, length) || as_file(entry->inode)->open)
		return folder;
	clock_format_month(now_ns - DROP_BINDING_S * NS_PER_S, an_hour_ago);
	return strcmp(an_hour_ago, before) == 0 ? folder : NULL;
}

static int dropbox_place(struct request *request, struct tenant *tenant, enum place_use use, struct place *place)
{
	char month[CLOCK_MONTH_SIZE];
	int r;

	if (use == PLACE_PUT_OTHER)
		return -EPERM;
	place->is_dropbox = true;
	place->folder = bound_folder(tenant, place->name, place->length);
	if (!place->folder) {
		month_now(month);
		r = month_folder(request, tenant, month, &place->folder);
		if (r != 0)
			return r == -EROFS && use == PLACE_LOOK ? -ENOENT : r;
	}
	return access_check(request, &place->folder->inode.attributes, use == PLACE_LOOK ? 1 : 3);
}

static int tenant_folder_place(struct request *request, struct tenant *tenant, enum place_use use, struct place *place)
{
	if (clock_is_month(place->name, place->length))
		return use == PLACE_LOOK ? 0 : -EPERM;
	if (is_reserved(place->name))
		return use == PLACE_LOOK ? -ENOENT : use == PLACE_TAKE ? -EPERM : -EEXIST;
	return dropbox_place(request, tenant, use, place);
}

static int virtual_error(uint64_t node, enum place_use use)
{
	if (node == NODE_ROOT)
		return -EPERM;
	return use == PLACE_LOOK ? -ENOENT : node_kind(node) == NODE_KIND_MIRROR ? -EROFS : -EPERM;
}

int place_find(struct request *request, struct tenant *tenant, uint64_t parent, const char *name, enum place_use use,
	       struct place *ret_place)
{
	struct place place = {.name = name, .length = strlen(name)};
	int r;

	if (node_kind(parent) != NODE_KIND_INODE)
		return virtual_error(parent, use);
	if (place.length > NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	r = find_folder(request, tenant, parent, &place.folder);
	if (r == 0 && place.folder->inode.attributes.nlink == 0)
		r = -ENOENT;
	if (r == 0 && place.folder == tenant->tree.root)
		r = tenant_folder_place(request, tenant, use, &place);
	if (r == 0)
		*ret_place = place;
	return r;
}
