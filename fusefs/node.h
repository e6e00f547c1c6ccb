/*
 * Node ids, the numbers by which the kernel names inodes to us.
 *
 *   1                                        the root of the mount
 *   0 | slot (19 bits) | inode (44 bits)     an inode of the tenant in that slot; the inode number is the database's
 *   1 | kind (5) | slot (19) | value (39)    what no row stands behind
 *
 * The slot is in the id because an inode that was evicted although the kernel knows it is loaded again by (tenant,
 * inode).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { NODE_SLOT_BITS = 19, NODE_INODE_BITS = 44, NODE_KIND_BITS = 5, NODE_VALUE_BITS = 39 };
#define NODE_ROOT     UINT64_C(1)
#define NODE_VIRTUAL  (UINT64_C(1) << 63)
#define NODE_SLOT_MAX ((1U << NODE_SLOT_BITS) - 1)

enum node_kind {
	NODE_KIND_ROOT,
	NODE_KIND_INODE,
	NODE_KIND_STATS,   /* .stats of the mount; slot 0 */
	NODE_KIND_CURRENT, /* the link `current`; value: the month it points to, so that a new month is a new inode */
	NODE_KIND_IDS,	   /* .id */
	NODE_KIND_MIRROR,  /* .extract and what lies in it; value: 0 for .extract itself, else a number of mirror.c */
};

static inline uint64_t node_of_inode(uint32_t slot, int64_t inode)
{
	return (uint64_t)slot << NODE_INODE_BITS | (uint64_t)inode;
}

static inline uint64_t node_virtual(enum node_kind kind, uint32_t slot, uint64_t value)
{
	return NODE_VIRTUAL | (uint64_t)kind << (NODE_SLOT_BITS + NODE_VALUE_BITS) | (uint64_t)slot << NODE_VALUE_BITS |
	       value;
}

static inline enum node_kind node_kind(uint64_t node)
{
	if (node == NODE_ROOT)
		return NODE_KIND_ROOT;
	if (!(node & NODE_VIRTUAL))
		return NODE_KIND_INODE;
	return (enum node_kind)((node & ~NODE_VIRTUAL) >> (NODE_SLOT_BITS + NODE_VALUE_BITS));
}

static inline uint32_t node_slot(uint64_t node)
{
	uint64_t slot = node & NODE_VIRTUAL ? node >> NODE_VALUE_BITS : node >> NODE_INODE_BITS;

	return (uint32_t)slot & NODE_SLOT_MAX;
}

static inline int64_t node_inode(uint64_t node)
{
	return (int64_t)(node & ((UINT64_C(1) << NODE_INODE_BITS) - 1));
}

static inline uint64_t node_value(uint64_t node)
{
	return node & ((UINT64_C(1) << NODE_VALUE_BITS) - 1);
}
