/*
 * Changing the bytes of an open file, whatever the operation: checks and charges under the lock, the work without it,
 *the result under it again.
 *
 *	r = bytes_begin(request, tenant, open, end, &change);    lock held; claims, or parks
 *	(unlock)
 *	… content_prepare(), content_write() …
 *	bytes_end(&change, new_size, error);                     takes the lock itself, gives the claim back
 */
#pragma once
#include "fusefs/open_file.h"

struct bytes_change {
	struct request *request;
	struct open_file *open;
	struct tenant_settings *settings;
	int64_t charged; /* beyond what quota_recharge() knows of, until the end */
	char name[NAME_MAX_BYTES + 1];
	size_t name_length;
};

/* end: how large the file will be at least. 0: claimed and charged; REQUEST_PARKED; -EFBIG, -EDQUOT, -ENOSPC, sticky
 * errors. */
int bytes_begin(struct request *request, struct tenant *tenant, struct open_file *open, int64_t end,
		struct bytes_change *ret_change);
/* has_changed: bytes are other than before, or the size is. Keeps I/O errors (not refusals) with the file. */
void bytes_end(struct bytes_change *change, int64_t new_size, bool has_changed, int error);
/* The first bytes of a file, judged early: -EPERM, and the file is refused unless it is truncated. No lock held. */
int bytes_judge_head(struct bytes_change *change, const void *bytes, size_t size);
