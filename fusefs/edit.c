#include "fusefs/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "fusefs/quota.h"
#include "fusefs/user_attributes.h"
#include "shared/base/clock.h"

void edit_begin(struct edit *edit, struct tenant *tenant)
{
	edit->tenant = tenant;
	edit->now_ns = clock_realtime_ns();
	edit->error = 0;
	edit->frees_space = false;
	edit->inode_count = edit->put_count = edit->taken_count = 0;
	buf_reset(&tenant->record);
}

static void fail(struct edit *edit, int error)
{
	if (edit->error == 0)
		edit->error = error;
}

void edit_abort(struct edit *edit)
{
	for (int i = 0; i < edit->put_count; i++)
		free(edit->put[i].entry);
	for (int i = 0; i < edit->inode_count; i++) {
		struct staged_inode *staged = &edit->inodes[i];

		if (staged->inode->kind == 'f' && !staged->is_new &&
		    staged->values.extra != file_of(staged->inode)->values.extra)
			file_extra_free(staged->values.extra);
		if (staged->is_new)
			inode_free(staged->inode);
	}
	edit->put_count = edit->inode_count = edit->taken_count = 0;
}

static int64_t row_size(const struct inode *inode)
{
	const struct open_file *open = container_of(inode, struct file, inode)->open;

	return open ? open->row_size : inode->attributes.size_bytes;
}

static struct staged_inode *stage(struct edit *edit, struct inode *inode)
{
	struct staged_inode *staged = &edit->inodes[edit->inode_count];

	if (edit->inode_count == EDIT_INODES_MAX)
		abort(); /* our own mistake: no operation touches so many */
	edit->inode_count++;
	*staged = (struct staged_inode){
		.inode = inode,
		.attributes = inode->attributes,
		.user_attribute_bytes = inode->user_attribute_bytes,
	};
	if (inode->kind == 'f') {
		staged->values = file_of(inode)->values;
		staged->row_size = row_size(inode);
	}
	return staged;
}

static struct staged_inode *find_staged(struct edit *edit, const struct inode *inode)
{
	for (int i = 0; i < edit->inode_count; i++)
		if (edit->inodes[i].inode == inode)
			return &edit->inodes[i];
	return NULL;
}

struct staged_inode *edit_inode(struct edit *edit, struct inode *inode)
{
	struct staged_inode *staged = find_staged(edit, inode);

	if (!staged)
		staged = stage(edit, inode);
	staged->is_soft = false;
	return staged;
}

struct attributes *edit_attributes(struct edit *edit, struct inode *inode)
{
	return &edit_inode(edit, inode)->attributes;
}

struct file_values *edit_values(struct edit *edit, struct file *file)
{
	return &edit_inode(edit, &file->inode)->values;
}

struct staged_inode *edit_new(struct edit *edit, struct inode *inode, bool is_unborn)
{
	struct staged_inode *staged = stage(edit, inode);

	inode->is_unborn = true;
	inode->user_attributes_known = true;
	staged->is_new = true;
	staged->is_born = !is_unborn;
	return staged;
}

void edit_bear(struct edit *edit, struct inode *inode)
{
	if (inode->is_unborn)
		edit_inode(edit, inode)->is_born = true;
}

void edit_touch(struct edit *edit, struct folder *folder)
{
	struct staged_inode *staged = find_staged(edit, &folder->inode);

	if (!staged) {
		staged = stage(edit, &folder->inode);
		staged->is_soft = true;
	}
	staged->attributes.mtime_ns = staged->attributes.ctime_ns = edit->now_ns;
}

void edit_put_name(struct edit *edit, struct folder *folder, const char *name, size_t length, struct inode *inode)
{
	struct entry *entry = entry_new(name, length);

	if (edit->put_count == EDIT_NAMES_MAX)
		abort();
	if (!entry) {
		fail(edit, -ENOMEM);
		return;
	}
	entry->sequence = edit->tenant->next_sequence++;
	edit->put[edit->put_count++] = (struct staged_name){.entry = entry, .folder = folder, .inode = inode};
	edit_touch(edit, folder);
}

void edit_take_name(struct edit *edit, struct entry *entry)
{
	if (edit->taken_count == EDIT_NAMES_MAX)
		abort();
	edit->taken[edit->taken_count++] =
		(struct staged_name){.entry = entry, .folder = entry->parent, .inode = entry->inode};
	edit_touch(edit, entry->parent);
}

void edit_unlink(struct edit *edit, struct entry *entry)
{
	struct attributes *attributes = edit_attributes(edit, entry->inode);

	edit_take_name(edit, entry);
	attributes->nlink = entry->inode->kind == 'd' ? 0 : attributes->nlink - 1;
	attributes->ctime_ns = edit->now_ns;
	if (entry->inode->kind == 'd')
		edit_attributes(edit, &entry->parent->inode)->nlink--;
}

void edit_change(struct edit *edit, const struct change *change)
{
	record_put(&edit->tenant->record, change);
}

/* --- building the record --- */

static bool is_open(const struct inode *inode)
{
	return inode->kind == 'f' && container_of(inode, struct file, inode)->open;
}

static bool has_row(const struct staged_inode *staged)
{
	return !staged->inode->is_unborn;
}

static bool gets_row(const struct staged_inode *staged)
{
	return has_row(staged) || staged->is_born;
}

static bool is_removed(const struct staged_inode *staged)
{
	return staged->attributes.nlink == 0 && !is_open(staged->inode);
}

static void put_object_delete(struct buf *record, const struct staged_inode *staged)
{
	const struct file *file = container_of(staged->inode, struct file, inode);
	struct change change = {.kind = CHANGE_OBJECT_DELETE};

	if (staged->inode->kind != 'f' || staged->values.object_id == 0)
		return;
	change.object.object_id = staged->values.object_id;
	change.object.inode = staged->inode->number;
	object_path(file, &staged->values, change.object.path);
	record_put(record, &change);
}

static void put_user_attributes(struct buf *record, const struct inode *inode)
{
	const struct user_attribute *attribute = inode->user_attributes ? inode->user_attributes->first : NULL;

	for (; attribute; attribute = attribute->next) {
		struct change change = {.kind = CHANGE_ATTRIBUTE_PUT};

		change.attribute.inode = inode->number;
		change.attribute.name = (struct bytes){attribute->name, attribute->name_length};
		change.attribute.value = (struct bytes){attribute->value, attribute->length};
		record_put(record, &change);
	}
}

static void put_entry(struct buf *record, const struct entry *entry, const struct folder *folder,
		      const struct inode *inode)
{
	struct change change = {.kind = CHANGE_ENTRY_PUT};

	change.entry.parent_inode = folder->inode.number;
	change.entry.name = (struct bytes){entry->name, entry->name_length};
	change.entry.inode = inode->number;
	change.entry.kind = inode->kind;
	change.entry.sequence = entry->sequence;
	record_put(record, &change);
}

static bool is_taken(const struct edit *edit, const struct entry *entry)
{
	for (int i = 0; i < edit->taken_count; i++)
		if (edit->taken[i].entry == entry)
			return true;
	return false;
}

/* The names an inode had in memory before it got its row. */
static void put_old_names(const struct edit *edit, struct buf *record, const struct inode *inode)
{
	for (const struct entry *entry = inode->names; entry; entry = entry->next_name)
		if (!is_taken(edit, entry))
			put_entry(record, entry, entry->parent, inode);
}

static void put_node(const struct edit *edit, struct buf *record, struct staged_inode *staged)
{
	struct change change = {.kind = CHANGE_NODE_PUT};

	if (is_removed(staged)) {
		change = (struct change){.kind = CHANGE_NODE_DELETE};
		change.node.inode = staged->inode->number;
		record_put(record, &change);
		put_object_delete(record, staged);
		return;
	}
	inode_row(staged->inode, &staged->attributes, &staged->values, &change.node);
	if (staged->inode->kind == 'f')
		change.node.size_bytes = staged->row_size;
	record_put(record, &change);
	if (staged->is_born) {
		put_user_attributes(record, staged->inode);
		put_old_names(edit, record, staged->inode);
	}
}

static bool inode_gets_row(struct edit *edit, const struct inode *inode)
{
	const struct staged_inode *staged = find_staged(edit, inode);

	return !inode->is_unborn || (staged && staged->is_born);
}

static bool is_put_again(const struct edit *edit, const struct staged_name *taken)
{
	for (int i = 0; i < edit->put_count; i++) {
		const struct entry *entry = edit->put[i].entry;

		if (edit->put[i].folder == taken->folder && entry->name_length == taken->entry->name_length &&
		    memcmp(entry->name, taken->entry->name, entry->name_length) == 0)
			return true;
	}
	return false;
}

static void put_names(struct edit *edit, struct buf *record)
{
	for (int i = 0; i < edit->taken_count; i++) {
		const struct staged_name *taken = &edit->taken[i];
		struct change change = {.kind = CHANGE_ENTRY_DELETE};

		if (taken->inode->is_unborn || is_put_again(edit, taken))
			continue;
		change.entry.parent_inode = taken->folder->inode.number;
		change.entry.name = (struct bytes){taken->entry->name, taken->entry->name_length};
		record_put(record, &change);
	}
	for (int i = 0; i < edit->put_count; i++)
		if (inode_gets_row(edit, edit->put[i].inode))
			put_entry(record, edit->put[i].entry, edit->put[i].folder, edit->put[i].inode);
}

static int64_t charge_before(const struct staged_inode *staged)
{
	if (!has_row(staged))
		return 0;
	return (staged->inode->kind == 'f' ? row_size(staged->inode) : 0) + staged->inode->user_attribute_bytes;
}

static int64_t charge_after(const struct staged_inode *staged)
{
	if (!gets_row(staged) || is_removed(staged))
		return 0;
	return (staged->inode->kind == 'f' ? staged->row_size : 0) + staged->user_attribute_bytes;
}

static struct usage usage_after(const struct edit *edit)
{
	struct usage usage = edit->tenant->usage;

	for (int i = 0; i < edit->inode_count; i++) {
		const struct staged_inode *staged = &edit->inodes[i];

		usage.used_bytes += charge_after(staged) - charge_before(staged);
		if (staged->inode->kind == 'f')
			usage.file_count += (gets_row(staged) && !is_removed(staged)) - has_row(staged);
	}
	return usage;
}

static bool is_root(const struct edit *edit, const struct inode *inode)
{
	return inode == &edit->tenant->tree.root->inode;
}

/* The tenant folder has no row of its own: its settings are the row. */
static void build_nodes(struct edit *edit, struct buf *record, bool soft)
{
	for (int i = 0; i < edit->inode_count; i++) {
		struct staged_inode *staged = &edit->inodes[i];

		if (staged->is_soft != soft || !gets_row(staged) || is_root(edit, staged->inode))
			continue;
		put_node(edit, record, staged);
		staged->is_recorded = true;
	}
}

static void build_record(struct edit *edit, const struct usage *usage)
{
	struct buf *record = &edit->tenant->record;
	struct change change = {.kind = CHANGE_USAGE};

	build_nodes(edit, record, false);
	put_names(edit, record);
	if (record->length == 0)
		return;
	build_nodes(edit, record, true);
	if (usage->used_bytes == edit->tenant->usage.used_bytes && usage->file_count == edit->tenant->usage.file_count)
		return;
	change.usage.used_bytes = usage->used_bytes;
	change.usage.file_count = usage->file_count;
	record_put(record, &change);
}

/* --- memory follows --- */

static void apply_removed(struct tree *tree, struct tenant *tenant, struct staged_inode *staged)
{
	struct inode *inode = staged->inode;

	if (inode->is_unborn) {
		if (inode->kind == 'f')
			tenant->usage.provisional_files--;
		inode->position = 0;
	}
	inode->is_gone = true;
	list_remove(&inode->used);
	list_append(&tree->gone, &inode->used);
}

static void apply_inode(struct edit *edit, struct staged_inode *staged, uint64_t position)
{
	struct tenant *tenant = edit->tenant;
	struct inode *inode = staged->inode;
	struct file *file = file_of(inode);

	if (staged->is_new) {
		tree_add(&tenant->tree, inode);
		if (file)
			tenant->usage.provisional_files++;
	}
	inode->attributes = staged->attributes;
	inode->user_attribute_bytes = (uint32_t)staged->user_attribute_bytes;
	if (staged->is_recorded) {
		inode->position = position;
		inode->has_later_atime = false;
	}
	if (file) {
		if (file->values.extra != staged->values.extra)
			file_extra_free(file->values.extra);
		file->values = staged->values;
		if (file->open)
			file->open->row_size = staged->row_size;
	}
	if (staged->is_born && inode->is_unborn) {
		inode->is_unborn = false;
		if (file)
			tenant->usage.provisional_files--;
	}
	if (is_root(edit, inode))
		tenant->root_changed_ns = edit->now_ns;
}

static void apply(struct edit *edit, uint64_t position)
{
	struct tree *tree = &edit->tenant->tree;

	for (int i = 0; i < edit->inode_count; i++)
		apply_inode(edit, &edit->inodes[i], position);
	for (int i = 0; i < edit->taken_count; i++)
		tree_unname(tree, edit->taken[i].entry, position);
	for (int i = 0; i < edit->put_count; i++) {
		const struct staged_name *put = &edit->put[i];

		tree_name(tree, put->folder, put->entry, put->inode, put->entry->sequence, position);
	}
	for (int i = 0; i < edit->inode_count; i++) {
		struct staged_inode *staged = &edit->inodes[i];

		if (is_removed(staged))
			apply_removed(tree, edit->tenant, staged);
		else if (staged->inode->kind == 'f')
			quota_recharge(edit->tenant, file_of(staged->inode));
	}
}

static int append(struct edit *edit, uint64_t *ret_position)
{
	struct tenant *tenant = edit->tenant;

	if (tenant->record.length == 0) {
		*ret_position = 0;
		return buf_error(&tenant->record);
	}
	if (buf_error(&tenant->record) < 0)
		return buf_error(&tenant->record) == -EOVERFLOW ? -EMSGSIZE : buf_error(&tenant->record);
	if (tenant->state != TENANT_HELD || tenant->is_read_only)
		return -EROFS;
	return durable_append(tenant->durable, &tenant->record, edit->frees_space, ret_position);
}

int edit_commit(struct edit *edit)
{
	struct tenant *tenant = edit->tenant;
	struct usage usage = usage_after(edit);
	uint64_t position = 0;
	int r = edit->error;

	if (r == 0) {
		build_record(edit, &usage);
		r = append(edit, &position);
	}
	if (r < 0) {
		edit_abort(edit);
		return r;
	}
	tenant->usage.used_bytes = usage.used_bytes;
	tenant->usage.file_count = usage.file_count;
	apply(edit, position);
	if (position == 0)
		return 0;
	tenant->last_position = position;
	return durable_is_held(tenant->durable) ? 0 : -EIO;
}
