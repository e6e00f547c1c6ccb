/* The answer to a readdir while it is being filled. */
#pragma once
#include "fusefs/request.h"
#include "fusefs/tree.h"

/* Offsets below it are for what has no row; those of entries are it and their sequence. */
enum { FIRST_OFFSET = 16 };

struct listing {
	struct request *request;
	bool is_plus;
	char *bytes;
	size_t size, used;
};

int listing_begin(struct request *request, struct listing *ret_listing); /* -ENOMEM */
/* False: it does not fit any more. offset: where a listing goes on behind this entry. */
bool listing_add(struct listing *listing, const char *name, const struct fuse_entry_param *entry, int64_t offset);
/* An entry with type and number alone; passed over when the request begins behind it. */
bool listing_add_plain(struct listing *listing, const char *name, uint64_t ino, uint32_t type, int64_t offset);
bool listing_add_dots(struct listing *listing, uint64_t ino); /* at offsets 1 and 2 */
/*
 * Adds the entries of a folder behind the request's offset, as add does it (false: it did not fit). Lock held. 0, or
 * that of a load when nothing at all is known yet.
 */
typedef bool listing_entry_fn(struct listing *listing, struct tenant *tenant, struct entry *entry);
int listing_add_folder(struct listing *listing, struct tenant *tenant, struct folder *folder, listing_entry_fn *add);
int listing_send(struct listing *listing); /* replies and frees */
