/*
 * Tells the kernel what changed without it: one thread that holds no lock, since a notification takes locks of the
 * kernel that a request in progress may hold. Calls queue and return; the order of the calls is kept.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "fusefs/request.h"

struct invalidator;

int invalidator_new(struct mount *mount, struct invalidator **ret_invalidator);
/* From now on the session takes notifications; what was queued before is dropped, as no kernel had it. */
void invalidator_start(struct invalidator *invalidator);
/* Ends the thread; replies that were waiting are sent. */
void invalidator_free(struct invalidator *invalidator);

void invalidate_attributes(struct invalidator *invalidator, uint64_t node);
void invalidate_content(struct invalidator *invalidator, uint64_t node); /* pages and attributes */
void invalidate_entry(struct invalidator *invalidator, uint64_t parent, const char *name, size_t length);
/* The name and its inode are gone: watchers of the inode hear of it. */
void invalidate_deleted(struct invalidator *invalidator, uint64_t parent, uint64_t child, const char *name,
			size_t length);

/*
 * Replies only after everything queued before has reached the kernel, as a change through the drop box must. Takes a
 * kept request over. with_entry: reply with an entry (and with request->file when it was a create), else with success.
 */
void reply_after_invalidation(struct request *kept, const struct fuse_entry_param *entry);
