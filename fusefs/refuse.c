/* Saying no: logged once, recorded in the database, and nothing of it stays. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fusefs/invalidator.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/quota.h"
#include "shared/base/log.h"

/* The buffer is in error only when memory ran out; then the line goes without the name rather than not at all. */
void log_refusal(const struct tenant *tenant, const struct refused *refused)
{
	char name[NAME_MAX_BYTES + 1];

	memcpy(name, refused->name, refused->name_length);
	name[refused->name_length] = '\0';
	log_info("refused", "tenant", tenant->code, "name", name, "rule", refused->rule, "reason", refused->reason,
		 "uid", log_number(refused->uid), "file_id", refused->file_id);
}

void refusal_clear(struct open_file *open)
{
	free(open->refusal);
	open->refusal = NULL;
	open->error = 0;
	open->head_is_judged = false;
}

void refusal_set(struct open_file *open, int error, const char *rule, const char *reason)
{
	struct refusal *refusal = open->refusal ? open->refusal : calloc(1, sizeof(*refusal));

	open->refusal = refusal;
	if (!refusal) {
		/* Without memory to say why it is still refused: as an error of its bytes. */
		open->error = -ENOMEM;
		return;
	}
	refusal->error = error;
	refusal->rule = rule;
	snprintf(refusal->reason, sizeof(refusal->reason), "%s", reason);
}

int refuse_request(struct request *request, struct tenant *tenant, const struct refused *refused, int error)
{
	struct edit edit;
	int r;

	edit_begin(&edit, tenant);
	edit_refusal(&edit, refused);
	r = edit_commit(&edit);
	if (r == -EAGAIN)
		return r;
	log_refusal(tenant, refused);
	if (r < 0)
		log_warn("a refusal could not be recorded", "tenant", tenant->code, "errno", log_errno(r));
	atomic_fetch_add(&request->mount->stats.refused_files, 1);
	return error;
}

/* What its flushes published in between was never closed for good. */
static bool was_never_published(const struct file *file)
{
	return file->inode.is_unborn || file->values.status == 'u' || (file->open && file->open->is_new);
}

struct backing *content_revert(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct file *file = open->file;
	struct backing *backing = open->backing;

	file->inode.attributes.size_bytes = open->size = open->row_size;
	if (open->is_dirty && !was_never_published(file))
		file->inode.attributes.mtime_ns = open->row_mtime_ns;
	open->state = CONTENT_PUBLISHED;
	open->is_dirty = open->is_linked = open->is_spool_recorded = false;
	open->backing = NULL;
	open->digested = -1;
	refusal_clear(open);
	list_remove(&open->appending);
	quota_recharge(tenant, file);
	return backing;
}

static void tell_kernel(const struct tenant *tenant, const struct file *file)
{
	struct invalidator *invalidator = tenant->mount->invalidator;
	uint64_t node = node_of_inode(tenant->slot, file->inode.number);

	for (const struct entry *entry = file->inode.names; entry; entry = entry->next_name)
		invalidate_deleted(invalidator, node_of_inode(tenant->slot, entry->parent->inode.number), node,
				   entry->name, entry->name_length);
}

/* A file that was never published goes with all its names. More of them than an edit holds go with the next one. */
static void stage_removal(struct edit *edit, struct file *file)
{
	struct entry *entry = file->inode.names;

	for (int i = 0; entry && i < EDIT_NAMES_MAX; i++, entry = entry->next_name)
		edit_unlink(edit, entry);
}

static int commit_refusal(struct open_file *open, const struct refused *refused)
{
	struct file *file = open->file;
	struct edit edit;

	edit_begin(&edit, open->tenant);
	if (refused->rule)
		edit_refusal(&edit, refused);
	if (open->is_spool_recorded && !was_never_published(file)) {
		struct change change = {.kind = CHANGE_SPOOL};

		change.spool.inode = file->inode.number;
		edit_change(&edit, &change);
	}
	if (was_never_published(file)) {
		edit.frees_space = true;
		tell_kernel(open->tenant, file);
		stage_removal(&edit, file);
	}
	return edit_commit(&edit);
}

static void describe(const struct open_file *open, struct refused *ret_refused, char id[FILE_ID_SIZE],
		     char name[NAME_MAX_BYTES + 1])
{
	const struct entry *entry = open->file->inode.names;

	file_id_text(open->file, id);
	*ret_refused = (struct refused){.name = name, .file_id = id, .uid = open->file->inode.attributes.uid};
	if (entry) {
		memcpy(name, entry->name, entry->name_length);
		ret_refused->name_length = entry->name_length;
	}
	if (open->refusal) {
		ret_refused->rule = open->refusal->rule;
		ret_refused->reason = open->refusal->reason;
	}
}

static void cut_back(struct open_file *open)
{
	if (open->state == CONTENT_APPENDING && ftruncate(open->backing->spool.fd, open->row_size) < 0)
		log_warn("an object could not be cut back", "tenant", open->tenant->code, "errno", log_errno(errno));
}

int refuse_content(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct mount *mount = open->tenant->mount;
	char id[FILE_ID_SIZE], name[NAME_MAX_BYTES + 1];
	struct backing *backing = NULL;
	struct refused refused;
	int r;

	cut_back(open);
	content_drop_linked(open);
	pthread_mutex_lock(&tenant->lock);
	describe(open, &refused, id, name);
	r = commit_refusal(open, &refused);
	while (r == 0 && was_never_published(open->file) && open->file->inode.names)
		r = commit_refusal(open, &(struct refused){0});
	if (r == 0) {
		if (refused.rule)
			log_refusal(tenant, &refused);
		backing = content_revert(open);
		invalidate_content(mount->invalidator, node_of_inode(tenant->slot, open->file->inode.number));
		atomic_fetch_add(&mount->stats.refused_files, 1);
	}
	tenant_unlock(tenant);
	backing_unref(mount->store, backing);
	return r;
}
