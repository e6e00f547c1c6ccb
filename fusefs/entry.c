#include <stdlib.h>
#include <string.h>
#include "fusefs/tree.h"

static uint64_t name_hash(const struct tree *tree, const struct folder *folder, const char *name, size_t length)
{
	return table_hash_bytes(name, length, tree->seed ^ (uint64_t)folder->inode.number);
}

static int64_t entry_bytes(const struct entry *entry)
{
	return (int64_t)(sizeof(*entry) + entry->name_length + 16);
}

struct entry *tree_entry(const struct tree *tree, const struct folder *folder, const char *name, size_t length)
{
	struct table_link *link = table_find(&tree->entries, name_hash(tree, folder, name, length));

	for (; link; link = table_next(link)) {
		struct entry *entry = container_of(link, struct entry, by_name);

		if (entry->parent == folder && entry->name_length == length && memcmp(entry->name, name, length) == 0)
			return entry;
	}
	return NULL;
}

struct entry *entry_new(const char *name, size_t length)
{
	struct entry *entry = calloc(1, sizeof(*entry) + length + 1);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, length);
	entry->name_length = (uint8_t)length;
	return entry;
}

static void add_to_table(struct tree *tree, struct folder *folder, struct entry *entry)
{
	entry->parent = folder;
	table_add(&tree->entries, &entry->by_name, name_hash(tree, folder, entry->name, entry->name_length));
	tree->bytes += entry_bytes(entry);
}

static void link_to_inode(struct entry *entry, struct inode *inode)
{
	entry->inode = inode;
	entry->next_name = inode->names;
	entry->name_at = &inode->names;
	if (inode->names)
		inode->names->name_at = &entry->next_name;
	inode->names = entry;
}

static void unlink_from_inode(struct entry *entry)
{
	*entry->name_at = entry->next_name;
	if (entry->next_name)
		entry->next_name->name_at = entry->name_at;
	entry->next_name = NULL;
	entry->name_at = NULL;
	entry->inode = NULL;
}

void tree_name(struct tree *tree, struct folder *folder, struct entry *entry, struct inode *inode, int64_t sequence,
	       uint64_t position)
{
	struct entry *negative = tree_entry(tree, folder, entry->name, entry->name_length);

	if (negative)
		tree_forget_entry(tree, negative);
	add_to_table(tree, folder, entry);
	link_to_inode(entry, inode);
	entry->sequence = sequence;
	entry->position = position;
	entry->left = entry->right = NULL;
	order_insert(folder, entry);
	folder->child_count++;
}

static void make_negative(struct tree *tree, struct entry *entry, uint64_t position)
{
	entry->position = position;
	entry->negatives = (struct list_link){0};
	list_append(&tree->negatives, &entry->negatives);
	tree->negative_count++;
	entry->parent->negative_count++;
}

static void detach_positive(struct entry *entry)
{
	order_remove(entry->parent, entry);
	entry->parent->child_count--;
	unlink_from_inode(entry);
}

void tree_unname(struct tree *tree, struct entry *entry, uint64_t position)
{
	detach_positive(entry);
	make_negative(tree, entry, position);
}

void tree_name_absent(struct tree *tree, struct folder *folder, const char *name, size_t length)
{
	struct entry *entry = entry_new(name, length);

	if (!entry)
		return;
	add_to_table(tree, folder, entry);
	make_negative(tree, entry, 0);
}

/* What is evicted is unknown again: the folder is no longer complete, and the part listed begins behind it. */
static void forget_listing(const struct entry *entry)
{
	struct folder *folder = entry->parent;

	folder->is_complete = false;
	folder->drops++;
	if (entry->sequence > folder->window_after)
		folder->window_after = entry->sequence;
	if (folder->window_to < folder->window_after)
		folder->window_to = folder->window_after;
}

void tree_forget_entry(struct tree *tree, struct entry *entry)
{
	if (entry->inode) {
		detach_positive(entry);
		forget_listing(entry);
	} else {
		list_remove(&entry->negatives);
		tree->negative_count--;
		entry->parent->negative_count--;
	}
	table_remove(&tree->entries, &entry->by_name);
	tree->bytes -= entry_bytes(entry);
	free(entry);
}
