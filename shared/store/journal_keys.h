/*
 * The keys of changes and where each has its last value: what a compaction (journal_compact.c) holds in memory, 24
 * bytes a key.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/model/change.h"

struct key {
	uint64_t first,
		second; /* 127 bits of salted hash stand for the key: that two keys share them does not happen */
};

/* False for what has no key: it is either always kept or never. */
bool key_of(uint64_t salt, const struct change *change, struct key *ret_key);
/* The deletion of an inode, which takes its attributes and its spool along. */
struct key key_wiped(uint64_t salt, int64_t inode);
/* What belongs to an inode has the same number. */
uint64_t part_of(uint64_t salt, const struct change *change);

struct last {
	struct key key; /* first 0: free */
	uint64_t sequence;
};

struct last_table {
	struct last *slots;
	size_t capacity, count; /* capacity: 0 or a power of two */
};

int last_set(struct last_table *table, struct key key, uint64_t sequence); /* -ENOMEM */
uint64_t last_get(const struct last_table *table, struct key key);	   /* 0: never set */
void last_release(struct last_table *table);
