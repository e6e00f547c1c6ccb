#include "shared/meta/apply_collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/table.h"

enum { ITEMS_FIRST = 256, SLOTS_FIRST = 1024, HASH_SEED = 11 };

/* --- keys --- */

/* Which rows a change is about. A wipe is what the deletion of a node does to its attributes and its spool. */
enum key_space { KEY_NONE, KEY_NODE, KEY_ENTRY, KEY_OBJECT, KEY_ATTRIBUTE, KEY_SPOOL, KEY_EXTRACT, KEY_WIPE };

struct key {
	enum key_space space;
	int64_t number;
	struct bytes name;
};

static struct key key_of(const struct change *change)
{
	const struct bytes none = {0};

	switch (change->kind) {
	case CHANGE_NODE_PUT:
	case CHANGE_NODE_DELETE:
		return (struct key){KEY_NODE, change->node.inode, none};
	case CHANGE_ENTRY_PUT:
	case CHANGE_ENTRY_DELETE:
		return (struct key){KEY_ENTRY, change->entry.parent_inode, change->entry.name};
	case CHANGE_OBJECT_PUT:
	case CHANGE_OBJECT_DELETE:
		return (struct key){KEY_OBJECT, change->object.object_id, none};
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		return (struct key){KEY_ATTRIBUTE, change->attribute.inode, change->attribute.name};
	case CHANGE_SPOOL:
		return (struct key){KEY_SPOOL, change->spool.inode, none};
	case CHANGE_EXTRACT:
		return (struct key){KEY_EXTRACT, 0, {(const char *)change->extract.sha256, DIGEST_SIZE}};
	case CHANGE_REJECTION:
	case CHANGE_USAGE:
	case CHANGE_EVENT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return (struct key){0};
}

static bool is_equal(const struct key *a, const struct key *b)
{
	return a->space == b->space && a->number == b->number && a->name.length == b->name.length &&
	       (a->name.length == 0 || memcmp(a->name.data, b->name.data, a->name.length) == 0);
}

static uint64_t hash_of(const struct key *key)
{
	uint64_t seed = table_hash_u64((uint64_t)key->number * 8 + key->space);

	return (key->name.length > 0 ? table_hash_bytes(key->name.data, key->name.length, seed) : seed) | 1;
}

/* A wipe is an item of its own, whose change is that of the deletion: it must not be found as the node. */
static struct key key_of_item(const struct collected *item)
{
	struct key key = key_of(&item->change);

	if (item->is_wipe)
		key.space = KEY_WIPE;
	return key;
}

static struct collected_slot *find(const struct collection *collection, const struct key *key, uint64_t hash)
{
	size_t at = (hash >> 1) & (collection->slot_count - 1);

	for (;; at = (at + 1) & (collection->slot_count - 1)) {
		struct collected_slot *slot = &collection->slots[at];

		if (slot->hash == 0)
			return slot;
		if (slot->hash == hash) {
			struct key found = key_of_item(&collection->items[slot->index]);

			if (is_equal(&found, key))
				return slot;
		}
	}
}

static const struct collected *find_wipe(const struct collection *collection, int64_t inode)
{
	struct key key = {KEY_WIPE, inode, {0}};
	const struct collected_slot *slot;

	if (collection->slot_count == 0)
		return NULL;
	slot = find(collection, &key, hash_of(&key));
	return slot->hash == 0 ? NULL : &collection->items[slot->index];
}

/* --- growing --- */

static int grow_slots(struct collection *collection)
{
	size_t old_count = collection->slot_count;
	struct collected_slot *old = collection->slots;

	collection->slot_count = old_count > 0 ? old_count * 2 : SLOTS_FIRST;
	collection->slots = calloc(collection->slot_count, sizeof(*collection->slots));
	if (!collection->slots) {
		collection->slots = old;
		collection->slot_count = old_count;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old_count; i++) {
		size_t at = (old[i].hash >> 1) & (collection->slot_count - 1);

		if (old[i].hash == 0)
			continue;
		while (collection->slots[at].hash != 0)
			at = (at + 1) & (collection->slot_count - 1);
		collection->slots[at] = old[i];
	}
	free(old);
	return 0;
}

static int grow(void **array, uint32_t *capacity, uint32_t count, size_t size)
{
	uint32_t wanted = *capacity > 0 ? *capacity * 2 : ITEMS_FIRST;
	void *larger;

	if (count < *capacity)
		return 0;
	if (wanted < *capacity)
		return -ENOMEM;
	larger = reallocarray(*array, wanted, size);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*capacity = wanted;
	return 0;
}

/* --- removed objects --- */

static int add_removed(struct collection *collection, const char *path)
{
	struct apply_removed *removed = &collection->removed;
	char(*larger)[OBJECT_PATH_SIZE];

	/* Doubling: grown when the count is a power of two. */
	if ((removed->count & (removed->count - 1)) == 0) {
		larger = reallocarray(removed->paths, removed->count > 0 ? (size_t)removed->count * 2 : 1,
				      sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		removed->paths = larger;
	}
	memcpy(removed->paths[removed->count++], path, OBJECT_PATH_SIZE);
	return 0;
}

/* An object that was deleted comes back under another path: the old bytes go all the same. */
static int replace(struct collection *collection, struct collected *item, const struct change *change)
{
	bool is_back = item->change.kind == CHANGE_OBJECT_DELETE && change->kind == CHANGE_OBJECT_PUT &&
		       strcmp(item->change.object.path, change->object.path) != 0;
	int r = is_back ? add_removed(collection, item->change.object.path) : 0;

	item->change = *change;
	item->sequence = collection->sequence;
	return r;
}

/* --- adding --- */

static int put(struct collection *collection, const struct key *key, const struct change *change, bool is_wipe)
{
	uint64_t hash = hash_of(key);
	struct collected_slot *slot;
	int r;

	if (collection->count * (size_t)2 >= collection->slot_count) {
		r = grow_slots(collection);
		if (r < 0)
			return r;
	}
	slot = find(collection, key, hash);
	if (slot->hash != 0)
		return replace(collection, &collection->items[slot->index], change);
	r = grow((void **)&collection->items, &collection->capacity, collection->count, sizeof(*collection->items));
	if (r < 0)
		return r;
	*slot = (struct collected_slot){hash, collection->count};
	collection->items[collection->count++] =
		(struct collected){.change = *change, .sequence = collection->sequence, .is_wipe = is_wipe};
	return 0;
}

static int put_wipe(struct collection *collection, const struct change *change)
{
	struct key key = {KEY_WIPE, change->node.inode, {0}};

	return put(collection, &key, change, true);
}

static int add_event(struct collection *collection, const struct change *change)
{
	int r = grow((void **)&collection->events, &collection->event_capacity, collection->event_count,
		     sizeof(*collection->events));

	if (r == 0)
		collection->events[collection->event_count++] = *change;
	return r;
}

/* Also of what does not last: a number that was given once is not given again. */
static void note_numbers(struct collection *collection, const struct change *change)
{
	if (change->kind == CHANGE_ENTRY_PUT && change->entry.sequence >= collection->next_sequence)
		collection->next_sequence = change->entry.sequence + 1;
	if (change->kind == CHANGE_OBJECT_PUT && change->object.object_id >= collection->next_object_id)
		collection->next_object_id = change->object.object_id + 1;
}

static int add(struct collection *collection, const struct change *change)
{
	struct key key = key_of(change);
	int r = 0;

	collection->sequence++;
	note_numbers(collection, change);
	if (change->kind == CHANGE_USAGE) {
		collection->has_usage = true;
		collection->used_bytes = change->usage.used_bytes;
		collection->file_count = change->usage.file_count;
		return 0;
	}
	if (key.space == KEY_NONE)
		return add_event(collection, change);
	if (change->kind == CHANGE_NODE_DELETE)
		r = put_wipe(collection, change);
	return r < 0 ? r : put(collection, &key, change, false);
}

int collection_add(struct collection *collection, const void *record, size_t length)
{
	struct change change;
	size_t cursor = 0;
	int r;

	if (collection->next_sequence == 0)
		collection->next_sequence = collection->next_object_id = 1;
	while ((r = record_next(record, length, &cursor, &change)) == 1) {
		r = add(collection, &change);
		if (r < 0)
			return r;
	}
	return r;
}

int collection_finish(struct collection *collection)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < collection->count; i++) {
		const struct change *change = &collection->items[i].change;

		if (change->kind == CHANGE_OBJECT_DELETE)
			r = add_removed(collection, change->object.path);
	}
	return r;
}

bool collected_has_wipe(const struct collection *collection, int64_t inode)
{
	return find_wipe(collection, inode) != NULL;
}

bool collected_is_wiped(const struct collection *collection, const struct collected *item)
{
	int64_t inode = item->change.kind == CHANGE_SPOOL ? item->change.spool.inode : item->change.attribute.inode;
	const struct collected *wipe = find_wipe(collection, inode);

	return wipe && wipe->sequence > item->sequence;
}

void collection_release(struct collection *collection)
{
	free(collection->items);
	free(collection->slots);
	free(collection->events);
	apply_removed_release(&collection->removed);
	*collection = (struct collection){0};
}
