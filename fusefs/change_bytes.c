#include "fusefs/change_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/detectors.h"
#include "fusefs/invalidator.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/quota.h"
#include "shared/base/clock.h"

/* Bytes were refused that will be missing: unless the file is cut, its content is refused at the last release. */
static int refuse_bytes(struct open_file *open, int error, const char *rule, const char *reason)
{
	refusal_set(open, error, rule, reason);
	if (open->refusal)
		open->refusal->is_lasting = true;
	return error;
}

static int check_size(struct tenant *tenant, struct open_file *open, int64_t end)
{
	struct verdict verdict = {0};

	if (end <= tenant->settings->max_file_size || end <= open->size)
		return 0;
	validate_size(tenant->settings->rules, end, &verdict);
	return verdict.error ? refuse_bytes(open, verdict.error, verdict.rule, verdict.reason) : 0;
}

/* What the file would be charged if it were so large. */
static int64_t charge_at(const struct open_file *open, int64_t end)
{
	int64_t size = end > open->size ? end : open->size, now = quota_provisional(open->file);
	int64_t then = open->file->inode.is_unborn ? size + open->file->inode.user_attribute_bytes
		       : size > open->row_size	   ? size - open->row_size
						   : 0;

	return then > now ? then - now : 0;
}

static void take_name(struct bytes_change *change, const struct inode *inode)
{
	change->name_length = inode->names ? inode->names->name_length : 0;
	if (inode->names)
		memcpy(change->name, inode->names->name, change->name_length);
}

int bytes_begin(struct request *request, struct tenant *tenant, struct open_file *open, int64_t end,
		struct bytes_change *ret_change)
{
	int64_t charge;
	int r = open->error;

	if (open->is_busy)
		return request_park(request, &open->waiting);
	if (r == 0)
		r = check_size(tenant, open, end);
	if (r < 0)
		return r;
	charge = charge_at(open, end);
	r = quota_check(tenant, charge, 0);
	if (r == -EDQUOT)
		return refuse_bytes(open, r, "quota", "the tenant's storage quota is used up");
	if (r < 0)
		return r;
	tenant->usage.provisional_bytes += charge;
	open->is_busy = true;
	if (!open->is_dirty)
		open->row_mtime_ns = open->file->inode.attributes.mtime_ns;
	ret_change->request = request;
	ret_change->open = open;
	ret_change->settings = NULL;
	ret_change->charged = charge;
	if (!open->head_is_judged) {
		ret_change->settings = tenant_settings_get(tenant);
		take_name(ret_change, &open->file->inode);
	}
	return 0;
}

/* Whoever writes to a file takes its privileges away, unless it is root. */
static void drop_privileges(const struct request *request, struct open_file *open)
{
	struct attributes *attributes = &open->file->inode.attributes;
	uint32_t bits = S_ISUID | (attributes->mode & S_IXGRP ? S_ISGID : 0U);

	if (request->uid == 0 || !(attributes->mode & bits))
		return;
	attributes->mode &= ~bits;
	invalidate_attributes(open->tenant->mount->invalidator,
			      node_of_inode(open->tenant->slot, open->file->inode.number));
}

static void take_result(struct bytes_change *change, int64_t new_size, bool has_changed, int error)
{
	struct open_file *open = change->open;
	struct attributes *attributes = &open->file->inode.attributes;

	attributes->size_bytes = open->size = new_size;
	if (has_changed) {
		attributes->mtime_ns = attributes->ctime_ns = clock_realtime_ns();
		drop_privileges(change->request, open);
	}
	if (error < 0 && !open->refusal && open->error == 0)
		open->error = error;
	if (has_changed && open->refusal && !open->refusal->is_lasting) {
		free(open->refusal);
		open->refusal = NULL;
	}
}

void bytes_end(struct bytes_change *change, int64_t new_size, bool has_changed, int error)
{
	struct open_file *open = change->open;
	struct tenant *tenant = open->tenant;
	struct request *waiting;

	pthread_mutex_lock(&tenant->lock);
	tenant->usage.provisional_bytes -= change->charged;
	take_result(change, new_size, has_changed, error);
	quota_recharge(tenant, open->file);
	waiting = open_file_unclaim(open);
	tenant_unlock(tenant);
	wait_list_resume(waiting, 0);
	tenant_settings_unref(change->settings);
}

int bytes_judge_head(struct bytes_change *change, const void *bytes, size_t size)
{
	struct open_file *open = change->open;
	struct mount *mount = open->tenant->mount;
	struct verdict verdict = {0};
	struct detector *detector;

	if (open->head_is_judged || !change->settings || size == 0)
		return 0;
	detector = detectors_take(mount->detectors);
	if (!detector)
		return -EIO;
	validate_head(change->settings->rules, detector, change->name, change->name_length, bytes,
		      size < DETECT_HEAD_BYTES ? size : DETECT_HEAD_BYTES, &verdict);
	detectors_put(mount->detectors, detector);
	open->head_is_judged = true;
	return verdict.error ? refuse_bytes(open, verdict.error, verdict.rule, verdict.reason) : 0;
}
