/*
 * Bringing into memory what is only in PostgreSQL. Each call parks the request until it is there and runs it again;
 * equal loads are merged, so a hundred requests for one name ask once.
 *
 * All with the tenant's lock held. They return REQUEST_PARKED or the error of request_park. What comes back never
 * overrides what memory holds: a change made while the load was under way wins, and nothing changed since the oldest
 * load in flight began is evicted (load_oldest_position), so that the load cannot bring back an older state.
 */
#pragma once
#include "fusefs/tenant.h"
#include "fusefs/tree.h"

enum { LOAD_PREFETCH = 4096, LOAD_RANGE = 1024 };

/* One name; when it is not there a negative entry says so afterwards. The first miss in a folder lists its beginning
 * instead. */
int load_name(struct request *request, struct tenant *tenant, struct folder *folder, const char *name, size_t length);
/* Entries behind a sequence, LOAD_RANGE of them; sets the folder's window and the request's listed_*. */
int load_list(struct request *request, struct tenant *tenant, struct folder *folder, int64_t after_sequence);
/* An inode with one of its names and all folders above it. The request ends with -ESTALE when there is none. */
int load_inode(struct request *request, struct tenant *tenant, int64_t number);
/* The same by file id (fs_…); -ENOENT. */
int load_file(struct request *request, struct tenant *tenant, const char *file_id);
int load_user_attributes(struct request *request, struct tenant *tenant, struct inode *inode);
/* Gives request->loaded, a struct extraction; a final one is kept with the file. text_limit: longer text is left out.
 */
int load_extraction(struct request *request, struct tenant *tenant, struct file *file, int64_t text_limit_bytes);

/* The committed position when the oldest load in flight began; `committed` when none is. */
uint64_t load_oldest_position(const struct tenant *tenant, uint64_t committed);
