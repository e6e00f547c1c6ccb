#include <malloc.h>
#include "fusefs/extraction.h"
#include "fusefs/tree.h"
#include "fusefs/user_attributes.h"

enum {
	ALLOCATION_BYTES = 16, /* malloc's own, and the share of a table's buckets */
	SWEEP_STEPS = 4,       /* more than a change adds, so that what can go does go */
	NEGATIVES_MAX = 100000,
};

int64_t inode_bytes(const struct inode *inode)
{
	size_t size = inode->kind == 'f'   ? sizeof(struct file)
		      : inode->kind == 'd' ? sizeof(struct folder)
					   : sizeof(struct special);

	return (int64_t)(size + ALLOCATION_BYTES);
}

static bool has_children(struct inode *inode)
{
	struct folder *folder = folder_of(inode);

	return folder && folder->child_count > 0;
}

static bool names_are_clean(const struct inode *inode, uint64_t committed)
{
	for (const struct entry *entry = inode->names; entry; entry = entry->next_name)
		if (entry->position > committed)
			return false;
	return true;
}

static bool may_evict(struct tree *tree, struct inode *inode, uint64_t committed)
{
	if (inode->is_unborn || inode->position > committed || inode->has_later_atime || inode == &tree->root->inode)
		return false;
	if (inode->attributes.nlink == 0 || has_children(inode) || (inode->kind == 'f' && as_file(inode)->open))
		return false;
	return names_are_clean(inode, committed);
}

/* Negative entries point to their folder, so they go with it. False: one of them must stay for now. */
static bool forget_negatives_of(struct tree *tree, struct folder *folder, uint64_t committed)
{
	struct list_link *link = tree->negatives.next, *next;

	for (; folder->negative_count > 0 && link != &tree->negatives; link = next) {
		struct entry *entry = container_of(link, struct entry, negatives);

		next = link->next;
		if (entry->parent != folder)
			continue;
		if (entry->position > committed)
			return false;
		tree_forget_entry(tree, entry);
	}
	return true;
}

int64_t tree_evict(struct tree *tree, int64_t target_bytes, uint64_t committed, int steps_max)
{
	int64_t before = tree->bytes;

	for (int step = 0; step < steps_max && tree->bytes > target_bytes; step++) {
		struct list_link *oldest = tree->used.next;
		struct inode *inode = container_of(oldest, struct inode, used);

		if (oldest == &tree->used)
			break;
		if (may_evict(tree, inode, committed) &&
		    (inode->kind != 'd' || forget_negatives_of(tree, as_folder(inode), committed)))
			tree_drop(tree, inode);
		else
			tree_used(tree, inode);
	}
	return before - tree->bytes;
}

static bool sweep_gone(struct tree *tree, uint64_t committed)
{
	struct inode *inode = container_of(tree->gone.next, struct inode, used);

	if (list_is_empty(&tree->gone) || inode->position > committed)
		return false;
	if (inode->lookup_count > 0) {
		/* The kernel may still ask for it by number; forget brings it back into the list. */
		list_remove(&inode->used);
		return true;
	}
	if (inode->kind == 'd' && !forget_negatives_of(tree, as_folder(inode), committed))
		return false;
	tree_drop(tree, inode);
	return true;
}

static bool sweep_negative(struct tree *tree, uint64_t committed)
{
	struct entry *entry = container_of(tree->negatives.next, struct entry, negatives);

	if (list_is_empty(&tree->negatives) || entry->position > committed)
		return false;
	if (!entry->parent->is_complete && tree->negative_count < NEGATIVES_MAX)
		return false;
	tree_forget_entry(tree, entry);
	return true;
}

void tree_sweep(struct tree *tree, uint64_t committed)
{
	for (int i = 0; i < SWEEP_STEPS && sweep_gone(tree, committed); i++)
		;
	for (int i = 0; i < SWEEP_STEPS && sweep_negative(tree, committed); i++)
		;
}
