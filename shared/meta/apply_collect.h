/* One batch of records, coalesced: of every key its last value. What apply.c turns into columns. */
#pragma once
#include "shared/meta/apply.h"

struct collected {
	struct change change; /* borrows from the record */
	uint64_t sequence;    /* of the last change to this key */
	bool is_wipe;	      /* not the node itself: that its attributes and its spool go with it */
};

struct collected_slot {
	uint64_t hash; /* 0: free */
	uint32_t index;
};

struct collection {
	struct collected *items; /* one a key, in the order in which the keys came up */
	uint32_t count, capacity;
	struct collected_slot *slots;
	size_t slot_count; /* a power of two */
	uint64_t sequence;

	/* Without a key: every one counts. */
	struct change *events; /* CHANGE_EVENT, CHANGE_REJECTION */
	uint32_t event_count, event_capacity;

	bool has_usage;
	int64_t used_bytes, file_count;
	int64_t next_sequence, next_object_id; /* above everything the batch has given, 1 if nothing */
	struct apply_removed removed;
};

void collection_release(struct collection *collection);
/* -EBADMSG, -ENOMEM. */
int collection_add(struct collection *collection, const void *record, size_t length);
/* Fills removed from what is left; call once after the last record. -ENOMEM. */
int collection_finish(struct collection *collection);
/* An attribute or a spool whose node was deleted later: nothing of it is left to write. */
bool collected_is_wiped(const struct collection *collection, const struct collected *item);
/* Whether the inode was deleted in the batch at all: its attributes and spool go, also when it came back. */
bool collected_has_wipe(const struct collection *collection, int64_t inode);
