/*
 * From spool to object: judge, hash, link, record; see design section 5. The file is claimed, so neither its bytes nor
 * its names change meanwhile; it may be unlinked, and then there is nothing to publish.
 *
 * Bytes first, record second: a crash in between leaves an object for the sweep, never a name without its bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/detectors.h"
#include "fusefs/extraction.h"
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "fusefs/words.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/log.h"

enum { GENERATION_TRIES = 1000 };

/* What is to be published, as it stood when the file was claimed. */
struct candidate {
	struct tenant_settings *settings;
	char name[NAME_MAX_BYTES + 1]; /* the first visible one, else any */
	size_t name_length;
	bool is_unlinked;
	uint16_t month;
	struct file_values values; /* becomes the new ones */
};

static const struct entry *name_to_judge(const struct inode *inode)
{
	const struct entry *entry = inode->names;

	while (entry && entry->next_name && name_is_working(entry->name, entry->name_length))
		entry = entry->next_name;
	return entry;
}

/* The month folder an entry lies in; of now, when it lies in none. */
static uint16_t month_of(const struct tenant *tenant, const struct entry *entry)
{
	char month[CLOCK_MONTH_SIZE];
	uint16_t number;

	while (entry->parent != tenant->tree.root && entry->parent->inode.names)
		entry = entry->parent->inode.names;
	number = entry->name_length == CLOCK_MONTH_SIZE - 1 ? month_number(entry->name) : 0;
	if (number)
		return number;
	clock_format_month(clock_realtime_ns(), month);
	return month_number(month);
}

static void take_candidate(struct open_file *open, struct candidate *ret_candidate)
{
	struct tenant *tenant = open->tenant;
	const struct entry *entry;

	pthread_mutex_lock(&tenant->lock);
	entry = name_to_judge(&open->file->inode);
	ret_candidate->is_unlinked = !entry;
	ret_candidate->values = open->file->values;
	if (entry) {
		ret_candidate->settings = tenant_settings_get(tenant);
		memcpy(ret_candidate->name, entry->name, entry->name_length);
		ret_candidate->name_length = entry->name_length;
		ret_candidate->month = month_of(tenant, entry);
	}
	pthread_mutex_unlock(&tenant->lock);
}

static int judge(struct open_file *open, const struct candidate *candidate, struct verdict *verdict)
{
	struct mount *mount = open->tenant->mount;
	struct detector *detector;

	*verdict = (struct verdict){0};
	if (open->size == 0)
		return 0;
	validate_size(candidate->settings->rules, open->size, verdict);
	if (verdict->error)
		return verdict->error;
	detector = detectors_take(mount->detectors);
	if (!detector)
		return -EIO;
	validate_content(candidate->settings->rules, detector, candidate->name, candidate->name_length,
			 open->backing->spool.fd, (uint64_t)open->size, verdict);
	detectors_put(mount->detectors, detector);
	return verdict->error;
}

/* The first object of a file has no number, each later one the next; what a crash left under a name is passed over. */
static void next_path(struct mount *mount, const struct candidate *candidate, struct file_values *values)
{
	char extension[17];

	if (values->month == 0) {
		values->month = candidate->month;
		values->generation = 0;
	} else {
		values->generation++;
	}
	name_extension(candidate->name, candidate->name_length, extension);
	values->extension = words_keep(mount->words, extension, strlen(extension));
}

static int link_object(struct open_file *open, struct candidate *candidate)
{
	struct mount *mount = open->tenant->mount;
	struct file_values *values = &candidate->values;
	char path[OBJECT_PATH_SIZE];
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < GENERATION_TRIES; i++) {
		next_path(mount, candidate, values);
		object_path_format(values->month, open->file->id, values->generation, values->extension, path);
		r = spool_publish(mount->store, &open->backing->spool, open->tenant->code, path);
	}
	if (r < 0)
		return r;
	pthread_mutex_lock(&open->tenant->lock);
	values->object_id = open->tenant->next_object_id++;
	pthread_mutex_unlock(&open->tenant->lock);
	open->backing->is_spool = false;
	open->is_linked = true;
	open->linked = *values;
	return 0;
}

static bool is_same_content(const struct open_file *open, const uint8_t sha256[DIGEST_SIZE])
{
	const struct file_values *before = &open->file->values;

	return open->state == CONTENT_SPOOL && !open->is_linked && before->object_id != 0 &&
	       open->size == open->row_size && memcmp(before->sha256, sha256, DIGEST_SIZE) == 0;
}

/* Finds out what the row shall name and sees that it is on disk. */
static int place_content(struct open_file *open, struct candidate *candidate, const char *media_type)
{
	struct file_values *values = &candidate->values;
	uint8_t sha256[DIGEST_SIZE];
	int r;

	if (open->size == 0) {
		values->object_id = 0;
		values->media_type = NULL;
		return 0;
	}
	r = content_sha256(open, open->size, sha256);
	if (r < 0)
		return r;
	if (open->is_linked) {
		values->month = open->linked.month;
		values->generation = open->linked.generation;
		values->extension = open->linked.extension;
		values->object_id = open->linked.object_id;
	} else if (open->state == CONTENT_SPOOL && !is_same_content(open, sha256)) {
		r = link_object(open, candidate);
	}
	memcpy(values->sha256, sha256, DIGEST_SIZE);
	values->media_type = words_keep(open->tenant->mount->words, media_type, strlen(media_type));
	return r;
}

static void put_objects(struct edit *edit, const struct open_file *open, const struct file_values *values)
{
	const struct file_values *before = &open->file->values;
	struct change change = {.kind = CHANGE_OBJECT_PUT};

	if (before->object_id != 0 && before->object_id != values->object_id) {
		struct change removal = {.kind = CHANGE_OBJECT_DELETE};

		removal.object.object_id = before->object_id;
		removal.object.inode = open->file->inode.number;
		object_path(open->file, before, removal.object.path);
		edit_change(edit, &removal);
	}
	if (values->object_id == 0)
		return;
	change.object.object_id = values->object_id;
	change.object.inode = open->file->inode.number;
	object_path(open->file, values, change.object.path);
	change.object.size_bytes = open->size;
	memcpy(change.object.sha256, values->sha256, DIGEST_SIZE);
	change.object.media_type =
		(struct bytes){values->media_type, values->media_type ? strlen(values->media_type) : 0};
	change.object.published_at_ns = values->uploaded_at_ns;
	edit_change(edit, &change);
}

static void put_extract(struct edit *edit, const struct open_file *open, const struct file_values *values,
			const char *name, size_t name_length)
{
	struct change change = {.kind = CHANGE_EXTRACT};

	change.extract.object_id = values->object_id;
	change.extract.size_bytes = open->size;
	memcpy(change.extract.sha256, values->sha256, DIGEST_SIZE);
	if (values->object_id != 0)
		edit_change(edit, &change);
	edit_event_file(edit, "file.uploaded", open->file, values, name, name_length, open->size);
}

static void put_no_spool(struct edit *edit, const struct open_file *open)
{
	struct change change = {.kind = CHANGE_SPOOL};

	if (!open->is_spool_recorded)
		return;
	change.spool.inode = open->file->inode.number;
	edit_change(edit, &change);
}

/* An object's path that was not made by us ends with the object. */
static int leave_odd_path(struct file_values *values, const struct file_values *before)
{
	if (!before->extra || !before->extra->odd_path || values->object_id == before->object_id)
		return 0;
	values->extra = file_extra_copy(before->extra);
	if (!values->extra)
		return -ENOMEM;
	free(values->extra->odd_path);
	values->extra->odd_path = NULL;
	return 0;
}

static int commit_row(struct open_file *open, struct candidate *candidate, enum publish_when when)
{
	struct file *file = open->file;
	struct file_values *values = &candidate->values;
	struct staged_inode *staged;
	struct edit edit;

	edit_begin(&edit, open->tenant);
	staged = edit_inode(&edit, &file->inode);
	edit_bear(&edit, &file->inode);
	for (const struct entry *entry = file->inode.names; file->inode.is_unborn && entry; entry = entry->next_name)
		if (edit.inode_count < EDIT_INODES_MAX)
			edit_touch(&edit, entry->parent);
	values->extra = file->values.extra;
	edit.error = leave_odd_path(values, &file->values);
	values->status = 'p';
	values->validation = 'o';
	values->uploaded_at_ns = edit.now_ns;
	staged->values = *values;
	staged->row_size = open->size;
	put_objects(&edit, open, values);
	put_no_spool(&edit, open);
	if (when == PUBLISH_AT_LAST_RELEASE)
		put_extract(&edit, open, values, candidate->name, candidate->name_length);
	return edit_commit(&edit);
}

/* Memory after the record: what was a spool is the object now, or of no more use. Returns what to unref after the lock.
 */
static struct backing *published(struct open_file *open, enum publish_when when)
{
	bool keeps_backing = open->is_linked || open->state == CONTENT_APPENDING;
	struct backing *unused = keeps_backing ? NULL : open->backing;

	if (!keeps_backing)
		open->backing = NULL;
	open->state = CONTENT_PUBLISHED;
	open->is_dirty = open->is_linked = open->is_spool_recorded = false;
	open->must_extract = when != PUBLISH_AT_LAST_RELEASE;
	list_remove(&open->appending);
	extraction_unref(open->file->extraction);
	open->file->extraction = NULL;
	return unused;
}

void content_drop_linked(struct open_file *open)
{
	char path[OBJECT_PATH_SIZE];
	int r;

	if (!open->is_linked)
		return;
	object_path_format(open->linked.month, open->file->id, open->linked.generation, open->linked.extension, path);
	r = store_remove(open->tenant->mount->store, open->tenant->code, path);
	if (r < 0)
		log_warn("an object could not be removed", "tenant", open->tenant->code, "path", path, "errno",
			 log_errno(r));
	open->is_linked = false;
}

static int record(struct open_file *open, struct candidate *candidate, enum publish_when when)
{
	struct mount *mount = open->tenant->mount;
	struct backing *unused = NULL;
	bool is_unlinked;
	int r = 0;

	pthread_mutex_lock(&open->tenant->lock);
	is_unlinked = open->file->inode.attributes.nlink == 0;
	if (!is_unlinked)
		r = commit_row(open, candidate, when);
	if (!is_unlinked && r == 0)
		unused = published(open, when);
	tenant_unlock(open->tenant);
	if (is_unlinked)
		content_drop_linked(open);
	backing_unref(mount->store, unused);
	if (r == 0)
		atomic_fetch_add(&mount->stats.published_files, 1);
	return r;
}

static int publish_candidate(struct open_file *open, struct candidate *candidate, enum publish_when when)
{
	struct verdict verdict;
	int r = judge(open, candidate, &verdict);

	if (r < 0 && verdict.rule)
		refusal_set(open, r, verdict.rule, verdict.reason);
	if (r == 0)
		r = place_content(open, candidate, verdict.media_type);
	return r < 0 ? r : record(open, candidate, when);
}

int publish(struct open_file *open, enum publish_when when)
{
	struct candidate candidate = {0};
	int r = 0;

	if (open->error < 0)
		return open->error;
	if (open->refusal)
		return open->refusal->error;
	if (!open->is_dirty && open->file->values.status != 'u')
		return 0;
	take_candidate(open, &candidate);
	if (!candidate.is_unlinked)
		r = publish_candidate(open, &candidate, when);
	tenant_settings_unref(candidate.settings);
	return r;
}

int publish_extraction(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	const struct entry *entry;
	struct edit edit;
	int r = 0;

	if (!open->must_extract)
		return 0;
	pthread_mutex_lock(&tenant->lock);
	entry = name_to_judge(&open->file->inode);
	if (entry) {
		edit_begin(&edit, tenant);
		put_extract(&edit, open, &open->file->values, entry->name, entry->name_length);
		r = edit_commit(&edit);
	}
	tenant_unlock(tenant);
	if (r == 0)
		open->must_extract = false;
	return r;
}

/* --- keeping a spool instead --- */

/* The row of a new file is born now, and the record says which spool holds its bytes. */
static int record_spool(struct open_file *open)
{
	struct tenant *tenant = open->tenant;
	struct inode *inode = &open->file->inode;
	const struct spool *spool = &open->backing->spool;
	struct change change = {.kind = CHANGE_SPOOL};
	struct edit edit;
	int r = 0;

	pthread_mutex_lock(&tenant->lock);
	if (inode->attributes.nlink > 0) {
		edit_begin(&edit, tenant);
		edit_bear(&edit, inode);
		for (const struct entry *entry = inode->names; inode->is_unborn && entry; entry = entry->next_name)
			if (edit.inode_count < EDIT_INODES_MAX)
				edit_touch(&edit, entry->parent);
		change.spool.inode = inode->number;
		change.spool.size_bytes = open->size;
		change.spool.spool_name = (struct bytes){spool->name, strlen(spool->name)};
		edit_change(&edit, &change);
		r = edit_commit(&edit);
		open->is_spool_recorded |= r == 0;
	}
	tenant_unlock(tenant);
	return r;
}

int publish_later(struct open_file *open)
{
	int r = spool_sync(open->tenant->mount->store, &open->backing->spool);

	return r == 0 ? record_spool(open) : r;
}
