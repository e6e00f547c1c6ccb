#include "fusefs/mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/extraction.h"
#include "fusefs/load.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/ops.h"
#include "fusefs/readdir.h"
#include "fusefs/virtual.h"

enum mirror_part {
	MIRROR_FOLDER,
	MIRROR_FILE,
	MIRROR_TEXT,
	MIRROR_METADATA,
	MIRROR_DATA,
	MIRROR_SUMMARY,
	MIRROR_PAGES,
	MIRROR_PAGE
};
enum { PAGES_MAX = 10000, TEXT_MAX = 64 << 20 };

static const struct {
	const char *name;
	enum mirror_part part;
} parts[] = {
	{"text.txt", MIRROR_TEXT},  {"metadata.json", MIRROR_METADATA},
	{"data.json", MIRROR_DATA}, {"summary.md", MIRROR_SUMMARY},
	{"pages", MIRROR_PAGES},
};
enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };

struct mirror_node {
	struct table_link by_key, by_id; /* tenant.mirrors, tenant.mirrors_by_id */
	uint64_t id;
	uint64_t lookup_count;
	int64_t inode; /* of the source */
	enum mirror_part part;
	int page; /* from 1 */
};

/* What a node stands for, with its source; lock held. */
struct mirrored {
	enum mirror_part part;
	int page;
	struct inode *source;
	const struct loaded_extraction *result; /* of a file whose extraction is completed */
};

int mirrors_init(struct tenant *tenant)
{
	int r = table_init(&tenant->mirrors, 0);

	return r < 0 ? r : table_init(&tenant->mirrors_by_id, 0);
}

static void free_node(struct table_link *link, void *context)
{
	(void)context;
	free(container_of(link, struct mirror_node, by_id));
}

void mirrors_release(struct tenant *tenant)
{
	if (tenant->mirrors_by_id.buckets)
		table_each(&tenant->mirrors_by_id, free_node, NULL);
	table_release(&tenant->mirrors);
	table_release(&tenant->mirrors_by_id);
}

static uint64_t key_hash(int64_t inode, enum mirror_part part, int page)
{
	return table_hash_u64((uint64_t)inode ^ (uint64_t)part << 58 ^ (uint64_t)page << 44);
}

static struct mirror_node *find_key(const struct tenant *tenant, int64_t inode, enum mirror_part part, int page)
{
	struct table_link *link = table_find(&tenant->mirrors, key_hash(inode, part, page));

	for (; link; link = table_next(link)) {
		struct mirror_node *node = container_of(link, struct mirror_node, by_key);

		if (node->inode == inode && node->part == part && node->page == page)
			return node;
	}
	return NULL;
}

static struct mirror_node *find_id(const struct tenant *tenant, uint64_t id)
{
	struct table_link *link = table_find(&tenant->mirrors_by_id, table_hash_u64(id));

	for (; link; link = table_next(link)) {
		struct mirror_node *node = container_of(link, struct mirror_node, by_id);

		if (node->id == id)
			return node;
	}
	return NULL;
}

static struct mirror_node *get_node(struct tenant *tenant, int64_t inode, enum mirror_part part, int page)
{
	struct mirror_node *node = find_key(tenant, inode, part, page);

	if (node)
		return node;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	*node = (struct mirror_node){.id = ++tenant->next_mirror, .inode = inode, .part = part, .page = page};
	table_add(&tenant->mirrors, &node->by_key, key_hash(inode, part, page));
	table_add(&tenant->mirrors_by_id, &node->by_id, table_hash_u64(node->id));
	return node;
}

void mirror_forget(struct tenant *tenant, uint64_t node, uint64_t count)
{
	struct mirror_node *found;

	pthread_mutex_lock(&tenant->lock);
	found = find_id(tenant, node_value(node));
	if (found && found->lookup_count > count) {
		found->lookup_count -= count;
	} else if (found) {
		table_remove(&tenant->mirrors, &found->by_key);
		table_remove(&tenant->mirrors_by_id, &found->by_id);
		free(found);
	}
	pthread_mutex_unlock(&tenant->lock);
}

/* --- the source of a node --- */

static int find_result(struct request *request, struct tenant *tenant, struct file *file, bool whole_text,
		       const struct loaded_extraction **ret_result)
{
	const struct extraction *extraction = request->loaded;

	if (!extraction && !whole_text)
		extraction = file->extraction;
	if (file->values.object_id == 0)
		return -ENOENT;
	if (!extraction)
		return load_extraction(request, tenant, file, whole_text ? INT64_MAX : 0);
	if (extraction->row.status != 'd')
		return -ENOENT;
	*ret_result = &extraction->row;
	return 0;
}

/* The node of the request, its source and, below a file's folder, what was extracted. */
static int find_mirrored(struct request *request, struct tenant *tenant, bool whole_text, struct mirrored *ret)
{
	struct mirrored found = {.part = MIRROR_FOLDER};
	int64_t number = tenant->root_inode;
	int r;

	if (node_value(request->node) != 0) {
		const struct mirror_node *node = find_id(tenant, node_value(request->node));

		if (!node)
			return -ESTALE;
		number = node->inode;
		found.part = node->part;
		found.page = node->page;
	}
	r = find_inode(request, tenant, node_of_inode(tenant->slot, number), &found.source);
	if (r == 0 && found.source->attributes.nlink == 0)
		r = -ENOENT;
	if (r == 0 && found.part != MIRROR_FOLDER && found.source->kind != 'f')
		r = -ENOENT;
	if (r == 0 && found.part > MIRROR_FILE)
		r = find_result(request, tenant, file_of(found.source), whole_text, &found.result);
	if (r == 0)
		*ret = found;
	return r;
}

/* --- what a part is --- */

static bool is_folder(enum mirror_part part)
{
	return part == MIRROR_FOLDER || part == MIRROR_FILE || part == MIRROR_PAGES;
}

static struct bytes page_of(const struct loaded_extraction *result, int page)
{
	int64_t begin, end;

	if (page < 1 || page > result->page_count)
		return (struct bytes){0};
	begin = result->pages[page - 1];
	end = page < result->page_count ? result->pages[page] : result->text_bytes;
	if (begin < 0 || end < begin || end > result->text_bytes)
		return (struct bytes){0};
	return (struct bytes){.data = result->text.data ? result->text.data + begin : "",
			      .length = (size_t)(end - begin)};
}

/* data NULL: there is no such part. Without the text loaded its length alone is right. */
static struct bytes content_of(const struct loaded_extraction *result, enum mirror_part part, int page)
{
	switch (part) {
	case MIRROR_TEXT:
		return (struct bytes){.data = result->text.data ? result->text.data : "",
				      .length = (size_t)result->text_bytes};
	case MIRROR_METADATA:
		return result->metadata;
	case MIRROR_DATA:
		return result->data;
	case MIRROR_SUMMARY:
		return result->summary;
	case MIRROR_PAGE:
		return page_of(result, page);
	default:
		return (struct bytes){0};
	}
}

static bool has_part(const struct loaded_extraction *result, enum mirror_part part)
{
	return part == MIRROR_PAGES ? result->page_count > 0 : content_of(result, part, 0).data != NULL;
}

/* The source's mode, less w for all and x for files; a file's folder may be entered by whoever may read the file. */
static uint32_t mode_of(const struct tenant *tenant, const struct mirrored *mirrored)
{
	uint32_t mode = mirrored->source->attributes.mode;

	if (mirrored->source->number == tenant->root_inode)
		mode = tenant->settings->row.mode;
	if (mirrored->part == MIRROR_FOLDER)
		return S_IFDIR | (mode & 0555U);
	mode &= 0444U;
	return is_folder(mirrored->part) ? S_IFDIR | mode | mode >> 2 : S_IFREG | mode;
}

static void mirror_stat(const struct tenant *tenant, uint64_t node, const struct mirrored *mirrored,
			struct stat *ret_stat)
{
	inode_stat(tenant, mirrored->source, ret_stat);
	ret_stat->st_ino = (ino_t)node;
	ret_stat->st_mode = mode_of(tenant, mirrored);
	ret_stat->st_nlink = is_folder(mirrored->part) ? 2 : 1;
	if (is_folder(mirrored->part))
		return;
	ret_stat->st_size = (off_t)content_of(mirrored->result, mirrored->part, mirrored->page).length;
	ret_stat->st_blocks = (ret_stat->st_size + 511) / 512;
}

/* --- operations --- */

/* "0001.txt" and on; 0 when it is none. */
static int page_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (digits < 4 || digits > 5 || (digits == 5 && name[0] == '0') || strcmp(name + digits, ".txt") != 0)
		return 0;
	return (int)strtol(name, NULL, 10);
}

static int find_child_entry(struct request *request, struct tenant *tenant, struct mirrored *mirrored)
{
	struct entry *entry;
	int r = find_entry(request, tenant, folder_of(mirrored->source), request->name, strlen(request->name), &entry);

	if (r != 0)
		return r;
	if (entry->inode->kind == 'd')
		mirrored->part = MIRROR_FOLDER;
	else if (entry->inode->kind == 'f')
		mirrored->part = MIRROR_FILE;
	else
		return -ENOENT;
	mirrored->source = entry->inode;
	return 0;
}

static int find_part(struct request *request, struct tenant *tenant, struct mirrored *mirrored)
{
	int r = find_result(request, tenant, file_of(mirrored->source), false, &mirrored->result);

	for (int i = 0; r == 0 && i < PART_COUNT; i++) {
		if (strcmp(parts[i].name, request->name) != 0 || !has_part(mirrored->result, parts[i].part))
			continue;
		mirrored->part = parts[i].part;
		return 0;
	}
	return r == 0 ? -ENOENT : r;
}

static int find_child(struct request *request, struct tenant *tenant, struct mirrored *mirrored)
{
	switch (mirrored->part) {
	case MIRROR_FOLDER:
		return find_child_entry(request, tenant, mirrored);
	case MIRROR_FILE:
		return find_part(request, tenant, mirrored);
	case MIRROR_PAGES:
		mirrored->part = MIRROR_PAGE;
		mirrored->page = page_number(request->name);
		return content_of(mirrored->result, MIRROR_PAGE, mirrored->page).data ? 0 : -ENOENT;
	default:
		return -ENOTDIR;
	}
}

static int lookup_locked(struct request *request, struct tenant *tenant, struct fuse_entry_param *entry)
{
	struct mirrored mirrored;
	struct mirror_node *node;
	int r = find_mirrored(request, tenant, false, &mirrored);

	if (r == 0)
		r = find_child(request, tenant, &mirrored);
	if (r != 0)
		return r;
	node = get_node(tenant, mirrored.source->number, mirrored.part, mirrored.page);
	if (!node)
		return -ENOMEM;
	node->lookup_count++;
	*entry = (struct fuse_entry_param){.ino = node_virtual(NODE_KIND_MIRROR, tenant->slot, node->id)};
	mirror_stat(tenant, entry->ino, &mirrored, &entry->attr);
	return 0;
}

int mirror_lookup(struct request *request)
{
	struct fuse_entry_param entry;
	struct tenant *tenant;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = lookup_locked(request, tenant, &entry);
	tenant_unlock(tenant);
	return r == 0 ? send_entry(request, &entry) : r;
}

int mirror_getattr(struct request *request)
{
	struct mirrored mirrored;
	struct tenant *tenant;
	struct stat stat;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = find_mirrored(request, tenant, false, &mirrored);
	if (r == 0)
		mirror_stat(tenant, request->node, &mirrored, &stat);
	tenant_unlock(tenant);
	return r == 0 ? send_attributes(request, &stat, 0) : r;
}

static bool needs_text(const struct tenant *tenant, uint64_t node)
{
	const struct mirror_node *found = find_id(tenant, node_value(node));

	return found && (found->part == MIRROR_TEXT || found->part == MIRROR_PAGE);
}

int mirror_open(struct request *request)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct mirrored mirrored;
	struct tenant *tenant;
	struct bytes content;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = find_mirrored(request, tenant, needs_text(tenant, request->node), &mirrored);
	if (r == 0 && is_folder(mirrored.part))
		r = -EISDIR;
	if (r == 0) {
		content = content_of(mirrored.result, mirrored.part, mirrored.page);
		r = buf_append(&text, content.data ? content.data : "", content.length);
	}
	tenant_unlock(tenant);
	if (r != 0) {
		buf_release(&text);
		return r;
	}
	return text_open(request, &text, false);
}

int mirror_read(struct request *request)
{
	return text_read(request);
}

void mirror_release(struct request *request)
{
	text_release(request);
}

static bool add_entry(struct listing *listing, struct tenant *tenant, struct entry *entry)
{
	(void)tenant;
	if (entry->inode->kind != 'f' && entry->inode->kind != 'd')
		return true;
	return listing_add_plain(listing, entry->name, (uint64_t)entry->inode->number, S_IFDIR,
				 FIRST_OFFSET + entry->sequence);
}

static int list_file(struct request *request, struct tenant *tenant, struct listing *listing,
		     const struct mirrored *mirrored)
{
	const struct loaded_extraction *result = NULL;
	int r = find_result(request, tenant, file_of(mirrored->source), false, &result);

	if (r != 0)
		return r == -ENOENT ? 0 : r;
	for (int i = 0; i < PART_COUNT; i++)
		if (has_part(result, parts[i].part) &&
		    !listing_add_plain(listing, parts[i].name, request->node,
				       is_folder(parts[i].part) ? S_IFDIR : S_IFREG, FIRST_OFFSET + i))
			break;
	return 0;
}

static int list_pages(struct listing *listing, const struct mirrored *mirrored)
{
	char name[16];

	for (int page = 1; page <= mirrored->result->page_count && page <= PAGES_MAX; page++) {
		snprintf(name, sizeof(name), "%04d.txt", page);
		if (!listing_add_plain(listing, name, listing->request->node, S_IFREG, FIRST_OFFSET + page))
			break;
	}
	return 0;
}

static int fill(struct request *request, struct tenant *tenant, struct listing *listing)
{
	struct mirrored mirrored;
	int r = find_mirrored(request, tenant, false, &mirrored);

	if (r != 0 || !listing_add_dots(listing, request->node))
		return r;
	switch (mirrored.part) {
	case MIRROR_FOLDER:
		return listing_add_folder(listing, tenant, folder_of(mirrored.source), add_entry);
	case MIRROR_FILE:
		return list_file(request, tenant, listing, &mirrored);
	case MIRROR_PAGES:
		return list_pages(listing, &mirrored);
	default:
		return -ENOTDIR;
	}
}

int mirror_readdir(struct request *request)
{
	struct listing listing;
	struct tenant *tenant;
	int r = tenant_enter(request, request->node, TENANT_FOR_READ, &tenant);

	if (r != 0)
		return r;
	r = listing_begin(request, &listing);
	if (r == 0) {
		r = fill(request, tenant, &listing);
		if (r != 0)
			free(listing.bytes);
	}
	tenant_unlock(tenant);
	return r == 0 ? listing_send(&listing) : r;
}
