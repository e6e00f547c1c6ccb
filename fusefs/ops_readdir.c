/*
 * opendir, readdir, readdirplus, releasedir, fsyncdir.
 *
 * The offset of an entry is its sequence, given once and never again, so a listing neither misses nor repeats what
 * stays while other names come and go. Offsets below FIRST_OFFSET are for what has no row.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/load.h"
#include "fusefs/mirror.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "fusefs/readdir.h"
#include "shared/base/clock.h"
#include "shared/store/store.h"

enum { OFFSET_DOT = 1, OFFSET_DOTDOT, OFFSET_EXTRACT, OFFSET_CURRENT, OFFSET_STATS };

int listing_begin(struct request *request, struct listing *ret_listing)
{
	*ret_listing = (struct listing){
		.request = request,
		.is_plus = request->operation == OPERATION_READDIRPLUS,
		.size = request->size,
		.bytes = malloc(request->size),
	};
	return ret_listing->bytes ? 0 : -ENOMEM;
}

bool listing_add(struct listing *listing, const char *name, const struct fuse_entry_param *entry, int64_t offset)
{
	struct request *request = listing->request;
	char *at = listing->bytes + listing->used;
	size_t room = listing->size - listing->used, needed;

	if (listing->is_plus)
		needed = fuse_add_direntry_plus(request->fuse, at, room, name, entry, offset);
	else
		needed = fuse_add_direntry(request->fuse, at, room, name, &entry->attr, offset);
	if (needed > room)
		return false;
	listing->used += needed;
	return true;
}

/* An entry the kernel does not look up from the listing: node 0 in readdirplus means just that. */
bool listing_add_plain(struct listing *listing, const char *name, uint64_t ino, uint32_t type, int64_t offset)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = (ino_t)ino, .st_mode = type}};

	if (listing->request->offset >= offset)
		return true;
	return listing_add(listing, name, &entry, offset);
}

int listing_send(struct listing *listing)
{
	fuse_reply_buf(listing->request->fuse, listing->bytes, listing->used);
	free(listing->bytes);
	return 0;
}

bool listing_add_dots(struct listing *listing, uint64_t ino)
{
	return listing_add_plain(listing, ".", ino, S_IFDIR, OFFSET_DOT) &&
	       listing_add_plain(listing, "..", FUSE_ROOT_ID, S_IFDIR, OFFSET_DOTDOT);
}

/* --- the root: tenants --- */

static bool add_tenant(struct listing *listing, struct tenant *tenant)
{
	struct fuse_entry_param entry;
	bool is_there;

	pthread_mutex_lock(&tenant->lock);
	is_there = tenant->state != TENANT_REMOVED && !tenant->settings->row.is_deleting;
	tenant_entry(tenant, &entry);
	pthread_mutex_unlock(&tenant->lock);
	return !is_there || listing_add(listing, tenant->code, &entry, FIRST_OFFSET + (int64_t)tenant->slot);
}

static int list_root(struct request *request)
{
	struct tenants *tenants = request->mount->tenants;
	struct listing listing;
	struct tenant *tenant;
	int r = listing_begin(request, &listing);

	if (r < 0)
		return r;
	if (listing_add_dots(&listing, FUSE_ROOT_ID) &&
	    listing_add_plain(&listing, ".stats", node_virtual(NODE_KIND_STATS, 0, 0), S_IFREG, OFFSET_STATS)) {
		int64_t after = request->offset >= FIRST_OFFSET ? request->offset - FIRST_OFFSET : -1;

		while ((tenant = tenants_next(tenants, after)) && add_tenant(&listing, tenant))
			after = tenant->slot;
	}
	return listing_send(&listing);
}

/* --- folders --- */

/* How far the entries behind a sequence are known to be in memory; the sequence itself: not at all. */
static int64_t known_to(const struct request *request, const struct folder *folder, int64_t after)
{
	if (folder->is_complete || folder->inode.attributes.nlink == 0)
		return INT64_MAX;
	if (after >= folder->window_after && after < folder->window_to)
		return folder->window_to;
	if (request->listed_drops == folder->drops && after >= request->listed_after && after < request->listed_to)
		return request->listed_to;
	return after;
}

static bool add_entry(struct listing *listing, struct tenant *tenant, struct entry *entry)
{
	struct fuse_entry_param param;

	if (!listing->is_plus) {
		param.attr.st_ino = (ino_t)entry->inode->number;
		param.attr.st_mode = entry->inode->attributes.mode;
		return listing_add(listing, entry->name, &param, FIRST_OFFSET + entry->sequence);
	}
	inode_entry(tenant, entry->inode, &param);
	if (listing_add(listing, entry->name, &param, FIRST_OFFSET + entry->sequence))
		return true;
	entry->inode->lookup_count--;
	return false;
}

/* True: all known entries fitted; *after is where it goes on. */
static bool add_known(struct listing *listing, struct tenant *tenant, struct folder *folder, listing_entry_fn *add,
		      int64_t *after, int64_t to)
{
	struct entry *entry;

	while ((entry = order_after(folder, *after)) && entry->sequence <= to) {
		if (!add(listing, tenant, entry))
			return false;
		*after = entry->sequence;
	}
	*after = to;
	return true;
}

int listing_add_folder(struct listing *listing, struct tenant *tenant, struct folder *folder, listing_entry_fn *add)
{
	struct request *request = listing->request;
	int64_t after = request->offset >= FIRST_OFFSET ? request->offset - FIRST_OFFSET : 0;

	for (;;) {
		int64_t to = known_to(request, folder, after);

		if (to == after)
			return listing->used > 0 ? 0 : load_list(request, tenant, folder, after);
		if (!add_known(listing, tenant, folder, add, &after, to) || to == INT64_MAX)
			return 0;
	}
}

static bool add_specials(struct listing *listing, struct tenant *tenant, const struct folder *folder)
{
	char month[CLOCK_MONTH_SIZE];

	if (!listing_add_dots(listing, (uint64_t)folder->inode.number))
		return false;
	if (folder != tenant->tree.root)
		return true;
	month_now(month);
	return listing_add_plain(listing, ".extract", node_virtual(NODE_KIND_MIRROR, tenant->slot, 0), S_IFDIR,
				 OFFSET_EXTRACT) &&
	       listing_add_plain(listing, "current", node_virtual(NODE_KIND_CURRENT, tenant->slot, month_index(month)),
				 S_IFLNK, OFFSET_CURRENT);
}

static int fill(struct listing *listing, struct tenant *tenant, struct folder *folder)
{
	if (listing->request->offset < FIRST_OFFSET && !add_specials(listing, tenant, folder))
		return 0;
	return listing_add_folder(listing, tenant, folder, add_entry);
}

/* The current month is there for whoever looks. */
static int make_current_month(struct request *request, struct tenant *tenant, const struct folder *folder)
{
	char month[CLOCK_MONTH_SIZE];
	struct folder *made;
	int r;

	if (folder != tenant->tree.root || request->offset > 0)
		return 0;
	month_now(month);
	r = month_folder(request, tenant, month, &made);
	return r == REQUEST_PARKED || r == -EAGAIN || r == -ENOBUFS ? r : 0;
}

static int list_folder(struct request *request)
{
	struct listing listing;
	struct tenant *tenant;
	struct folder *folder;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = find_folder(request, tenant, request->node, &folder);
	if (r == 0)
		r = make_current_month(request, tenant, folder);
	if (r == 0)
		r = listing_begin(request, &listing);
	if (r != 0) {
		tenant_unlock(tenant);
		return r;
	}
	r = fill(&listing, tenant, folder);
	tenant_unlock(tenant);
	if (r == 0)
		return listing_send(&listing);
	free(listing.bytes);
	return r;
}

static int list_nothing(struct request *request)
{
	struct listing listing;
	int r = listing_begin(request, &listing);

	if (r < 0)
		return r;
	listing_add_dots(&listing, request->node);
	return listing_send(&listing);
}

int op_readdir(struct request *request)
{
	switch (node_kind(request->node)) {
	case NODE_KIND_ROOT:
		return list_root(request);
	case NODE_KIND_INODE:
		return list_folder(request);
	case NODE_KIND_IDS:
		return list_nothing(request);
	case NODE_KIND_MIRROR:
		return mirror_readdir(request);
	default:
		return -ENOTDIR;
	}
}

int op_readdirplus(struct request *request)
{
	return op_readdir(request);
}

/* --- opendir and the rest --- */

static int opendir_inode(struct request *request)
{
	struct tenant *tenant;
	struct folder *folder;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = find_folder(request, tenant, request->node, &folder);
	/* The kernel may keep a listing: every change of a folder passes through it, but for month folders that appear.
	 */
	if (r == 0 && tenant->state == TENANT_HELD && folder != tenant->tree.root)
		request->file.cache_readdir = request->file.keep_cache = 1;
	tenant_unlock(tenant);
	if (r == 0)
		fuse_reply_open(request->fuse, &request->file);
	return r;
}

int op_opendir(struct request *request)
{
	if (node_kind(request->node) == NODE_KIND_INODE)
		return opendir_inode(request);
	fuse_reply_open(request->fuse, &request->file);
	return 0;
}

int op_releasedir(struct request *request)
{
	return reply_error(request, 0);
}

int op_fsyncdir(struct request *request)
{
	struct tenant *tenant;
	int r;

	if (node_kind(request->node) != NODE_KIND_INODE)
		return reply_error(request, 0);
	r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);
	if (r != 0)
		return r;
	tenant_unlock(tenant);
	r = store_sync_all(request->mount->store);
	if (r == 0 && tenant->durable)
		r = durable_sync(tenant->durable);
	return r < 0 ? r : reply_error(request, 0);
}
