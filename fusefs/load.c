#include "fusefs/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/extraction.h"
#include "fusefs/load_rows.h"
#include "fusefs/loader.h"
#include "fusefs/mount.h"
#include "fusefs/user_attributes.h"
#include "shared/base/log.h"

enum load_kind { LOAD_NAME, LOAD_PREFETCHED, LOAD_LIST, LOAD_INODE, LOAD_FILE, LOAD_USER_ATTRIBUTES, LOAD_EXTRACTION };

/* Compared as bytes, so made of zeroes first. */
struct load_key {
	enum load_kind kind;
	int32_t text_length;
	int64_t number; /* an inode */
	int64_t value;	/* a sequence, a limit */
	char text[NAME_MAX_BYTES + 1];
};

enum { CLIMB_MAX = 4096, EXTRACTION_KEPT_BYTES = 8192 };

struct load {
	struct table_link by_key; /* tenant.loads */
	struct list_link by_age;  /* tenant.loads_by_age */
	struct tenant *tenant;
	struct load_key key;
	uint64_t committed; /* the committed position when it began */
	struct wait_list waiters;
	int64_t *climb; /* inodes still to load, the one asked for first: each waits for the folder above it */
	size_t climb_count, climb_capacity;
};

static uint64_t key_hash(const struct load_key *key)
{
	return table_hash_bytes(key, sizeof(*key), 0);
}

static struct load *find_load(const struct tenant *tenant, const struct load_key *key)
{
	struct table_link *link = table_find(&tenant->loads, key_hash(key));

	for (; link; link = table_next(link)) {
		struct load *load = container_of(link, struct load, by_key);

		if (memcmp(&load->key, key, sizeof(*key)) == 0)
			return load;
	}
	return NULL;
}

uint64_t load_oldest_position(const struct tenant *tenant, uint64_t committed)
{
	const struct load *oldest = container_of(tenant->loads_by_age.next, struct load, by_age);

	return list_is_empty(&tenant->loads_by_age) || oldest->committed > committed ? committed : oldest->committed;
}

/* Lock held; unlocks. Everybody who waited runs again. */
static void complete(struct load *load, int error)
{
	struct tenant *tenant = load->tenant;
	struct request *first = wait_list_take(&load->waiters);

	table_remove(&tenant->loads, &load->by_key);
	list_remove(&load->by_age);
	tenant_unlock(tenant);
	if (error == -EIO)
		atomic_fetch_add(&tenant->mount->stats.load_failures, 1);
	wait_list_resume(first, error);
	free(load->climb);
	free(load);
}

static struct folder *load_folder(const struct load *load)
{
	return folder_of(tree_find(&load->tenant->tree, load->key.number));
}

static void name_loaded(void *context, int error, const struct loaded_entry *entries, int count, bool is_complete)
{
	struct load *load = context;
	struct folder *folder;
	const char *name = load->key.text;
	size_t length = (size_t)load->key.text_length;

	(void)is_complete;
	pthread_mutex_lock(&load->tenant->lock);
	folder = load_folder(load);
	if (error == 0 && folder && !tree_entry(&load->tenant->tree, folder, name, length)) {
		if (count == 0)
			tree_name_absent(&load->tenant->tree, folder, name, length);
		else
			error = tree_insert_loaded(load->tenant, folder, &entries[0]);
	}
	complete(load, error);
}

static void extend_window(struct folder *folder, int64_t after, int64_t to)
{
	if (after >= folder->window_after && after <= folder->window_to) {
		folder->window_to = to > folder->window_to ? to : folder->window_to;
	} else {
		folder->window_after = after;
		folder->window_to = to;
	}
	if (folder->window_after == 0 && folder->window_to == INT64_MAX)
		folder->is_complete = true;
}

static int insert_all(struct tenant *tenant, struct folder *folder, const struct loaded_entry *entries, int count)
{
	for (int i = 0; i < count; i++) {
		int r = tree_insert_loaded(tenant, folder, &entries[i]);

		if (r < 0 && r != -ESTALE)
			return r;
	}
	return 0;
}

static void list_loaded(void *context, int error, const struct loaded_entry *entries, int count, bool is_complete)
{
	struct load *load = context;
	int64_t after = load->key.value, to = is_complete ? INT64_MAX : after;
	struct folder *folder;

	pthread_mutex_lock(&load->tenant->lock);
	folder = load_folder(load);
	if (error == 0 && folder)
		error = insert_all(load->tenant, folder, entries, count);
	if (error == 0 && folder) {
		folder->was_prefetched = true;
		if (!is_complete && count > 0)
			to = entries[count - 1].entry.sequence;
		extend_window(folder, after, to);
		for (struct request *waiter = load->waiters.first; waiter; waiter = waiter->next) {
			waiter->listed_after = after;
			waiter->listed_to = to;
			waiter->listed_drops = folder->drops;
		}
	}
	complete(load, error);
}

static void inode_loaded(void *context, int error, const struct loaded_entry *entries, int count, bool is_complete);

static int climb_push(struct load *load, int64_t number)
{
	if (load->climb_count == load->climb_capacity) {
		size_t capacity = load->climb_capacity ? load->climb_capacity * 2 : 8;
		int64_t *larger = realloc(load->climb, capacity * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		load->climb = larger;
		load->climb_capacity = capacity;
	}
	if (load->climb_count == CLIMB_MAX)
		return -ELOOP;
	load->climb[load->climb_count++] = number;
	return 0;
}

/*
 * One step: an entry whose folder is in memory goes in, and what waited for it is asked for next; one whose folder is
 * not there waits for that. Returns the inode to ask for next, 0 when all is there, negative errno.
 */
static int64_t climb_step(struct load *load, const struct loaded_entry *loaded)
{
	struct tree *tree = &load->tenant->tree;
	struct folder *folder;
	int r;

	if (loaded->entry.parent_inode == 0)
		return -ESTALE;
	folder = folder_of(tree_find(tree, loaded->entry.parent_inode));
	if (!folder) {
		r = climb_push(load, loaded->node.inode);
		return r < 0 ? r : loaded->entry.parent_inode;
	}
	r = tree_insert_loaded(load->tenant, folder, loaded);
	if (r < 0)
		return r;
	return load->climb_count > 0 ? load->climb[--load->climb_count] : 0;
}

static void inode_loaded(void *context, int error, const struct loaded_entry *entries, int count, bool is_complete)
{
	struct load *load = context;
	int64_t next = error;

	(void)is_complete;
	pthread_mutex_lock(&load->tenant->lock);
	if (next == 0 && count == 0)
		next = -ENOENT;
	if (next == 0)
		next = climb_step(load, &entries[0]);
	if (next > 0) {
		pthread_mutex_unlock(&load->tenant->lock);
		loader_node(load->tenant->mount->loader, load->tenant->tenant_id, next, inode_loaded, load);
		return;
	}
	if (next == -ENOENT && load->key.kind == LOAD_INODE)
		next = -ESTALE;
	complete(load, (int)next);
}

static void user_attributes_loaded(void *context, int error, const struct attribute_row *rows, int count)
{
	struct load *load = context;
	struct user_attributes *set = error == 0 ? user_attributes_new() : NULL;
	struct inode *inode;

	for (int i = 0; set && i < count; i++) {
		struct user_attribute *attribute = user_attribute_new(rows[i].name.data, rows[i].name.length,
								      rows[i].value.data, rows[i].value.length);

		if (attribute) {
			user_attribute_put(set, attribute);
			continue;
		}
		user_attributes_free(set);
		set = NULL;
	}
	if (error == 0 && !set)
		error = -ENOMEM;
	pthread_mutex_lock(&load->tenant->lock);
	inode = tree_find(&load->tenant->tree, load->key.number);
	if (inode && set && !inode->user_attributes_known) {
		inode->user_attributes = set;
		inode->user_attributes_known = true;
		set = NULL;
	}
	complete(load, error);
	user_attributes_free(set);
}

static void unref_loaded(void *loaded)
{
	extraction_unref(loaded);
}

static void give_extraction(struct request *waiter, struct extraction *extraction)
{
	if (waiter->loaded)
		waiter->loaded_free(waiter->loaded);
	waiter->loaded = extraction_ref(extraction);
	waiter->loaded_free = unref_loaded;
}

static void extraction_loaded(void *context, int error, const struct loaded_extraction *row)
{
	static const struct loaded_extraction no_job = {0};
	struct load *load = context;
	struct extraction *extraction = NULL;
	struct file *file;

	if (error == 0 || error == -ENOENT) {
		extraction = extraction_new(error == 0 && row ? row : &no_job);
		error = extraction ? 0 : -ENOMEM;
	}
	pthread_mutex_lock(&load->tenant->lock);
	file = file_of(tree_find(&load->tenant->tree, load->key.number));
	if (extraction && file && memcmp(file->values.sha256, load->key.text, DIGEST_SIZE) == 0 &&
	    file->touches == (uint8_t)load->key.text[DIGEST_SIZE] && extraction_is_final(extraction) &&
	    extraction->bytes <= EXTRACTION_KEPT_BYTES) {
		extraction_unref(file->extraction);
		file->extraction = extraction_ref(extraction);
	}
	for (struct request *waiter = load->waiters.first; extraction && waiter; waiter = waiter->next)
		give_extraction(waiter, extraction);
	complete(load, error);
	extraction_unref(extraction);
}

static void start(struct load *load)
{
	struct loader *loader = load->tenant->mount->loader;
	const struct load_key *key = &load->key;
	int64_t tenant_id = load->tenant->tenant_id;

	switch (key->kind) {
	case LOAD_NAME:
		loader_entry(loader, tenant_id, key->number, key->text, (size_t)key->text_length, name_loaded, load);
		break;
	case LOAD_PREFETCHED:
		loader_list(loader, tenant_id, key->number, 0, LOAD_PREFETCH, list_loaded, load);
		break;
	case LOAD_LIST:
		loader_list(loader, tenant_id, key->number, key->value, LOAD_RANGE, list_loaded, load);
		break;
	case LOAD_INODE:
		loader_node(loader, tenant_id, key->number, inode_loaded, load);
		break;
	case LOAD_FILE:
		loader_file(loader, tenant_id, key->text, inode_loaded, load);
		break;
	case LOAD_USER_ATTRIBUTES:
		loader_attributes(loader, tenant_id, key->number, user_attributes_loaded, load);
		break;
	case LOAD_EXTRACTION:
		loader_extraction(loader, tenant_id, (const uint8_t *)key->text, key->value, extraction_loaded, load);
		break;
	}
}

/* Joins the load of that key, or begins it. */
static int wait_for(struct request *request, struct tenant *tenant, const struct load_key *key)
{
	struct load *load = find_load(tenant, key);
	bool is_new = !load;
	int r;

	if (is_new) {
		load = calloc(1, sizeof(*load));
		if (!load)
			return -ENOMEM;
		load->tenant = tenant;
		load->key = *key;
		load->committed = tenant->durable ? durable_committed_position(tenant->durable) : UINT64_MAX;
	}
	r = request_park(request, &load->waiters);
	if (r < 0) {
		if (is_new)
			free(load);
		return r;
	}
	if (is_new) {
		table_add(&tenant->loads, &load->by_key, key_hash(key));
		list_append(&tenant->loads_by_age, &load->by_age);
		atomic_fetch_add(&tenant->mount->stats.loads, 1);
		start(load);
	}
	return r;
}

static struct load_key make_key(enum load_kind kind, int64_t number, int64_t value, const void *text, size_t length)
{
	struct load_key key;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	key.number = number;
	key.value = value;
	key.text_length = (int32_t)length;
	if (length > 0)
		memcpy(key.text, text, length);
	return key;
}

int load_name(struct request *request, struct tenant *tenant, struct folder *folder, const char *name, size_t length)
{
	struct load_key key = folder->was_prefetched ? make_key(LOAD_NAME, folder->inode.number, 0, name, length)
						     : make_key(LOAD_PREFETCHED, folder->inode.number, 0, NULL, 0);

	return wait_for(request, tenant, &key);
}

int load_list(struct request *request, struct tenant *tenant, struct folder *folder, int64_t after_sequence)
{
	struct load_key key = make_key(LOAD_LIST, folder->inode.number, after_sequence, NULL, 0);

	return wait_for(request, tenant, &key);
}

int load_inode(struct request *request, struct tenant *tenant, int64_t number)
{
	struct load_key key = make_key(LOAD_INODE, number, 0, NULL, 0);

	return wait_for(request, tenant, &key);
}

int load_file(struct request *request, struct tenant *tenant, const char *file_id)
{
	struct load_key key = make_key(LOAD_FILE, 0, 0, file_id, strlen(file_id));

	return wait_for(request, tenant, &key);
}

int load_user_attributes(struct request *request, struct tenant *tenant, struct inode *inode)
{
	struct load_key key = make_key(LOAD_USER_ATTRIBUTES, inode->number, 0, NULL, 0);

	return wait_for(request, tenant, &key);
}

int load_extraction(struct request *request, struct tenant *tenant, struct file *file, int64_t text_limit_bytes)
{
	char version[DIGEST_SIZE + 1];
	struct load_key key;

	memcpy(version, file->values.sha256, DIGEST_SIZE);
	version[DIGEST_SIZE] = (char)file->touches;
	key = make_key(LOAD_EXTRACTION, file->inode.number, text_limit_bytes, version, sizeof(version));
	return wait_for(request, tenant, &key);
}
