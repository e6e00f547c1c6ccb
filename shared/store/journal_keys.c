#include "shared/store/journal_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/table.h"

enum key_space { KEY_NODE = 1, KEY_WIPED, KEY_ENTRY, KEY_OBJECT, KEY_ATTRIBUTE, KEY_USAGE, KEY_SPOOL };

static struct key key_make(uint64_t salt, enum key_space space, int64_t number, struct bytes name)
{
	char room[16 + NAME_MAX_BYTES];
	size_t length = 16 + name.length;

	memset(room, 0, 16);
	room[0] = (char)space;
	memcpy(room + 8, &number, sizeof(number));
	if (name.length > 0)
		memcpy(room + 16, name.data, name.length);
	return (struct key){table_hash_bytes(room, length, salt) | 1, table_hash_bytes(room, length, ~salt)};
}

struct key key_wiped(uint64_t salt, int64_t inode)
{
	return key_make(salt, KEY_WIPED, inode, (struct bytes){0});
}

bool key_of(uint64_t salt, const struct change *change, struct key *ret_key)
{
	const struct bytes none = {0};

	switch (change->kind) {
	case CHANGE_NODE_PUT:
	case CHANGE_NODE_DELETE:
		*ret_key = key_make(salt, KEY_NODE, change->node.inode, none);
		return true;
	case CHANGE_ENTRY_PUT:
	case CHANGE_ENTRY_DELETE:
		*ret_key = key_make(salt, KEY_ENTRY, change->entry.parent_inode, change->entry.name);
		return true;
	case CHANGE_OBJECT_PUT:
	case CHANGE_OBJECT_DELETE:
		*ret_key = key_make(salt, KEY_OBJECT, change->object.object_id, none);
		return true;
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		*ret_key = key_make(salt, KEY_ATTRIBUTE, change->attribute.inode, change->attribute.name);
		return true;
	case CHANGE_USAGE:
		*ret_key = key_make(salt, KEY_USAGE, 0, none);
		return true;
	case CHANGE_SPOOL:
		*ret_key = key_make(salt, KEY_SPOOL, change->spool.inode, none);
		return true;
	case CHANGE_REJECTION:
	case CHANGE_EXTRACT:
	case CHANGE_EVENT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return false;
}

uint64_t part_of(uint64_t salt, const struct change *change)
{
	struct key key;

	switch (change->kind) {
	case CHANGE_NODE_PUT:
	case CHANGE_NODE_DELETE:
		return table_hash_u64((uint64_t)change->node.inode);
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		return table_hash_u64((uint64_t)change->attribute.inode);
	case CHANGE_SPOOL:
		return table_hash_u64((uint64_t)change->spool.inode);
	case CHANGE_ENTRY_PUT:
	case CHANGE_ENTRY_DELETE:
	case CHANGE_OBJECT_PUT:
	case CHANGE_OBJECT_DELETE:
	case CHANGE_REJECTION:
	case CHANGE_USAGE:
	case CHANGE_EXTRACT:
	case CHANGE_EVENT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return key_of(salt, change, &key) ? key.second : 0;
}

/* --- where each key has its last value --- */

static struct last *last_find(const struct last_table *table, struct key key)
{
	size_t at = (key.first >> 1) & (table->capacity - 1); /* parts were chosen by second */

	while (table->slots[at].key.first != 0 &&
	       (table->slots[at].key.first != key.first || table->slots[at].key.second != key.second))
		at = (at + 1) & (table->capacity - 1);
	return &table->slots[at];
}

static int last_grow(struct last_table *table)
{
	struct last_table larger = {.capacity = table->capacity > 0 ? table->capacity * 2 : 1024,
				    .count = table->count};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].key.first != 0)
			*last_find(&larger, table->slots[i].key) = table->slots[i];
	}
	free(table->slots);
	*table = larger;
	return 0;
}

int last_set(struct last_table *table, struct key key, uint64_t sequence)
{
	struct last *last;

	if (table->count * 4 >= table->capacity * 3 && last_grow(table) < 0)
		return -ENOMEM;
	last = last_find(table, key);
	table->count += last->key.first == 0;
	*last = (struct last){key, sequence};
	return 0;
}

uint64_t last_get(const struct last_table *table, struct key key)
{
	return table->capacity > 0 ? last_find(table, key)->sequence : 0;
}

void last_release(struct last_table *table)
{
	free(table->slots);
	*table = (struct last_table){0};
}
