/*
 * Reading metadata that is not in memory: a few threads with a connection each run one query after another and call back. No
 * FUSE worker waits here: the request is parked, and the callback answers it or goes on with it.
 *
 * Callbacks run on a loader thread with no lock held. error: 0; -ENOENT; -EIO after the deadline (PostgreSQL away).
 * Rows given are borrowed for the call. Equal loads that wait are not merged here (the tree merges by key).
 */
#pragma once
#include <stdint.h>
#include "shared/model/rows.h"

struct config;
struct loader;

/* An entry with its node and, for a file, its object (object.object_id 0: none). */
struct loaded_entry {
	struct entry_row entry;
	struct node_row node;
	struct object_row object;
	int64_t attribute_bytes; /* names and values in attribute, summed: what its removal gives back to the quota */
	int32_t attribute_count; /* 0: loader_attributes need not be asked */
};

struct loaded_extraction {
	char status; /* 0: no job; q r d f x as in extraction_job.state */
	char job_id[37];
	struct bytes text, metadata, data, summary, error, warnings, extractor, media_type;
	const int64_t *pages; /* byte offsets in text */
	int page_count;
	double confidence;
	int64_t duration_ms, text_bytes, processed_at_ns;
	bool text_was_loaded; /* false when it was longer than asked for */
};

int loader_new(const struct config *config, int threads, struct loader **ret_loader);
void loader_free(struct loader *loader); /* waiting loads are called back with -EIO */

typedef void loader_entry_fn(void *context, int error, const struct loaded_entry *entries, int count, bool is_complete);
/* One name: count 0 or 1. */
void loader_entry(struct loader *loader, int64_t tenant_id, int64_t parent_inode, const char *name, size_t length,
		  loader_entry_fn *done, void *context);
/* Entries with sequence > after, in sequence order, at most limit; is_complete: there are no more. */
void loader_list(struct loader *loader, int64_t tenant_id, int64_t parent_inode, int64_t after_sequence, int limit,
		 loader_entry_fn *done, void *context);
/* By inode or by file id; entry is any one of its names (parent_inode 0 when it has none). */
void loader_node(struct loader *loader, int64_t tenant_id, int64_t inode, loader_entry_fn *done, void *context);
void loader_file(struct loader *loader, int64_t tenant_id, const char *file_id, loader_entry_fn *done, void *context);

typedef void loader_attributes_fn(void *context, int error, const struct attribute_row *attributes, int count);
void loader_attributes(struct loader *loader, int64_t tenant_id, int64_t inode, loader_attributes_fn *done, void *context);

typedef void loader_extraction_fn(void *context, int error, const struct loaded_extraction *extraction);
void loader_extraction(struct loader *loader, int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE], int64_t text_limit_bytes,
		       loader_extraction_fn *done, void *context);

typedef void loader_tenants_fn(void *context, int error, const struct tenant_row *tenants, int count);
void loader_tenant(struct loader *loader, const char *code, loader_tenants_fn *done, void *context);
void loader_tenant_by_id(struct loader *loader, int64_t tenant_id, loader_tenants_fn *done, void *context);
void loader_tenants(struct loader *loader, loader_tenants_fn *done, void *context);

typedef void loader_text_fn(void *context, int error, const char *json, size_t length);
void loader_rejections(struct loader *loader, int64_t tenant_id, loader_text_fn *done, void *context); /* the last 20, JSON */
void loader_tenant_stats(struct loader *loader, int64_t tenant_id, loader_text_fn *done, void *context); /* JSON */

/* Blocking work that must not run on a FUSE worker (acquiring a lease): runs on a loader thread. */
void loader_run(struct loader *loader, void (*work)(void *context), void *context);
