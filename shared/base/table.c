#include "shared/base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

enum { TABLE_MIN_BUCKETS = 16 };

/* The bucket count is a power of two; the multiplication spreads hashes whose low bits are poor (inode numbers). */
static struct table_link **bucket(const struct table *table, uint64_t hash)
{
	uint64_t spread = hash * UINT64_C(0x9E3779B97F4A7C15);

	return &table->buckets[(spread ^ (spread >> 32)) & (table->bucket_count - 1)];
}

int table_init(struct table *table, size_t bucket_count_hint)
{
	size_t bucket_count = TABLE_MIN_BUCKETS;
	struct table_link **buckets;

	while (bucket_count < bucket_count_hint && bucket_count <= SIZE_MAX / 4)
		bucket_count *= 2;
	buckets = calloc(bucket_count, sizeof(struct table_link *));
	if (!buckets)
		return -ENOMEM;
	*table = (struct table){.buckets = buckets, .bucket_count = bucket_count};
	return 0;
}

void table_release(struct table *table)
{
	free(table->buckets);
	*table = (struct table){0};
}

/* Without memory the chains just stay longer. */
static void grow(struct table *table)
{
	struct table larger;

	if (table_init(&larger, table->bucket_count * 2) < 0)
		return;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct table_link *link = table->buckets[i], *next;

		for (; link; link = next) {
			struct table_link **head = bucket(&larger, link->hash);

			next = link->next;
			link->next = *head;
			*head = link;
		}
	}
	larger.count = table->count;
	free(table->buckets);
	*table = larger;
}

int table_add(struct table *table, struct table_link *link, uint64_t hash)
{
	struct table_link **head;

	if (table->count >= table->bucket_count)
		grow(table);
	head = bucket(table, hash);
	link->hash = hash;
	link->next = *head;
	*head = link;
	table->count++;
	return 0;
}

void table_remove(struct table *table, struct table_link *link)
{
	for (struct table_link **at = bucket(table, link->hash); *at; at = &(*at)->next) {
		if (*at != link)
			continue;
		*at = link->next;
		link->next = NULL;
		table->count--;
		return;
	}
}

struct table_link *table_find(const struct table *table, uint64_t hash)
{
	struct table_link *link = *bucket(table, hash);

	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct table_link *table_next(const struct table_link *link)
{
	struct table_link *next = link->next;

	while (next && next->hash != link->hash)
		next = next->next;
	return next;
}

void table_each(struct table *table, void (*visit)(struct table_link *link, void *context), void *context)
{
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct table_link *link = table->buckets[i], *next;

		for (; link; link = next) {
			next = link->next;
			visit(link, context);
		}
	}
}

uint64_t table_hash_u64(uint64_t key)
{
	key ^= key >> 33;
	key *= UINT64_C(0xFF51AFD7ED558CCD);
	key ^= key >> 33;
	key *= UINT64_C(0xC4CEB9FE1A85EC53);
	return key ^ (key >> 33);
}

uint64_t table_hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, length, seed);
}
