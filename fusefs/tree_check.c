/* The invariants of tree.h, tested now and then by debug builds. */
#include <stdlib.h>
#include "fusefs/open_file.h"
#include "fusefs/tree.h"
#include "shared/base/log.h"

static void require(bool holds, const char *what, int64_t inode)
{
	if (holds)
		return;
	log_error("the tree is damaged", "invariant", what, "inode", log_number(inode));
	abort();
}

static void check_names(const struct tree *tree, const struct inode *inode)
{
	int32_t count = 0;

	for (const struct entry *entry = inode->names; entry; entry = entry->next_name, count++) {
		require(entry->inode == inode, "a name points to its inode", inode->number);
		require(*entry->name_at == entry, "a name knows what points to it", inode->number);
		require(tree_find(tree, entry->parent->inode.number) == &entry->parent->inode,
			"a name's folder is in memory", inode->number);
	}
	if (inode->kind != 'd')
		require(count <= inode->attributes.nlink, "no more names than links", inode->number);
	if (inode->attributes.nlink == 0)
		require(count == 0, "no links, no names", inode->number);
	else if (inode != &tree->root->inode)
		require(count > 0, "links, so a name", inode->number);
}

static int64_t check_order(const struct folder *folder, const struct entry *entry, int64_t above, int64_t below)
{
	if (!entry)
		return 0;
	require(entry->sequence > above && entry->sequence < below, "entries are in the order of their sequence",
		folder->inode.number);
	require(entry->parent == folder && entry->inode, "an ordered entry is a name of its folder",
		folder->inode.number);
	return 1 + check_order(folder, entry->left, above, entry->sequence) +
	       check_order(folder, entry->right, entry->sequence, below);
}

static void check_inode(struct table_link *link, void *context)
{
	const struct tree *tree = context;
	struct inode *inode = container_of(link, struct inode, by_number);
	struct folder *folder = folder_of(inode);
	struct file *file = file_of(inode);
	char id[FILE_ID_SIZE];

	check_names(tree, inode);
	require(!(inode->is_unborn && inode->position), "what is unborn has no record", inode->number);
	require(!inode->is_gone || inode->attributes.nlink == 0, "what is gone has no links", inode->number);
	if (folder)
		require(check_order(folder, folder->order, -1, INT64_MAX) == folder->child_count,
			"child_count counts the entries in order", inode->number);
	if (!file)
		return;
	file_id_text(file, id);
	require(tree_find_file(tree, id) == file, "a file is found by its id", inode->number);
	require(!inode->is_gone || !file->open, "what is gone is not open", inode->number);
	if (file->open)
		require(file->open->file == file && file->open->writers >= 0 && file->open->readers >= 0,
			"an open file counts its handles", inode->number);
}

static void check_entry(struct table_link *link, void *context)
{
	const struct tree *tree = context;
	struct entry *entry = container_of(link, struct entry, by_name);

	require(tree_entry(tree, entry->parent, entry->name, entry->name_length) == entry, "a name has one entry",
		entry->parent->inode.number);
	if (entry->inode)
		require(tree_find(tree, entry->inode->number) == entry->inode, "an entry's inode is in memory",
			entry->parent->inode.number);
	else
		require(list_has(&entry->negatives), "a negative entry is in the list", entry->parent->inode.number);
}

void tree_check(const struct tree *tree)
{
	struct tree *checked = (struct tree *)(uintptr_t)tree; /* the visitors change nothing */

	table_each(&checked->inodes, check_inode, checked);
	table_each(&checked->entries, check_entry, checked);
}
