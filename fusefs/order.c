/*
 * A treap: a binary tree by sequence that is also a heap by priority, so that it stays shallow whatever the order of
 * insertion. The priority is the hash of the name, which nobody outside can choose (tree.seed).
 */
#include "fusefs/tree.h"

static bool is_above(const struct entry *one, const struct entry *other)
{
	return one->by_name.hash > other->by_name.hash;
}

/* Parts a treap into what is below sequence and what is above it. */
static void split(struct entry *tree, int64_t sequence, struct entry **ret_below, struct entry **ret_above)
{
	while (tree) {
		if (tree->sequence < sequence) {
			*ret_below = tree;
			ret_below = &tree->right;
			tree = tree->right;
		} else {
			*ret_above = tree;
			ret_above = &tree->left;
			tree = tree->left;
		}
	}
	*ret_below = *ret_above = NULL;
}

void order_insert(struct folder *folder, struct entry *entry)
{
	struct entry **at = &folder->order;

	while (*at && is_above(*at, entry))
		at = (*at)->sequence < entry->sequence ? &(*at)->right : &(*at)->left;
	split(*at, entry->sequence, &entry->left, &entry->right);
	*at = entry;
}

/* All of left lies below all of right. */
static struct entry *join(struct entry *left, struct entry *right)
{
	struct entry *top = NULL, **at = &top;

	while (left && right) {
		if (is_above(left, right)) {
			*at = left;
			at = &left->right;
			left = left->right;
		} else {
			*at = right;
			at = &right->left;
			right = right->left;
		}
	}
	*at = left ? left : right;
	return top;
}

void order_remove(struct folder *folder, struct entry *entry)
{
	struct entry **at = &folder->order;

	while (*at && *at != entry)
		at = (*at)->sequence < entry->sequence ? &(*at)->right : &(*at)->left;
	if (*at)
		*at = join(entry->left, entry->right);
	entry->left = entry->right = NULL;
}

struct entry *order_after(const struct folder *folder, int64_t sequence)
{
	struct entry *at = folder->order, *best = NULL;

	while (at) {
		if (at->sequence > sequence) {
			best = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return best;
}
