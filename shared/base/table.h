/*
 * An intrusive hash table of 64-bit hashes: no allocation a member, grows by doubling. The caller locks.
 * Members embed struct table_link and are found with container_of.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table {
	struct table_link **buckets;
	size_t bucket_count, count;
};

#define container_of(pointer, type, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))

int table_init(struct table *table, size_t bucket_count_hint); /* -ENOMEM */
void table_release(struct table *table);		       /* members are the caller's */
int table_add(struct table *table, struct table_link *link,
	      uint64_t hash); /* never fails once initialised: growth is optional */
void table_remove(struct table *table, struct table_link *link);
/* First member with this hash, then the next one: the caller compares keys. NULL at the end. */
struct table_link *table_find(const struct table *table, uint64_t hash);
struct table_link *table_next(const struct table_link *link);
/* Visits all; the visitor may remove the link it is given. */
void table_each(struct table *table, void (*visit)(struct table_link *link, void *context), void *context);
uint64_t table_hash_u64(uint64_t key);
uint64_t table_hash_bytes(const void *bytes, size_t length, uint64_t seed);
