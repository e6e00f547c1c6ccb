#include "fusefs/load_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/mount.h"
#include "fusefs/words.h"
#include "shared/base/clock.h"

static const struct {
	char kind;
	uint32_t type;
} types[] = {{'f', S_IFREG},  {'d', S_IFDIR}, {'l', S_IFLNK}, {'p', S_IFIFO},
	     {'s', S_IFSOCK}, {'c', S_IFCHR}, {'b', S_IFBLK}};

static uint32_t type_of_kind(char kind)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].kind == kind)
			return types[i].type;
	return S_IFREG;
}

char kind_of_mode(uint32_t mode)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == (mode & S_IFMT))
			return types[i].kind;
	return 'f';
}

uint16_t month_number(const char *month)
{
	int year, number;

	if (!clock_is_month(month, 7) || sscanf(month, "%4d-%2d", &year, &number) != 2)
		return 0;
	return (uint16_t)(year * 12 + number - 1);
}

void object_path_format(uint16_t month, const char id[22], uint32_t generation, const char *extension,
			char ret_path[OBJECT_PATH_SIZE])
{
	char number[16] = "";

	if (generation > 0)
		snprintf(number, sizeof(number), ".%u", generation);
	snprintf(ret_path, OBJECT_PATH_SIZE, "%04u-%02u/fs_%.22s%s%s%s", month / 12U, month % 12U + 1, id, number,
		 extension ? "." : "", extension ? extension : "");
}

void object_path(const struct file *file, const struct file_values *values, char ret_path[OBJECT_PATH_SIZE])
{
	if (values->extra && values->extra->odd_path)
		snprintf(ret_path, OBJECT_PATH_SIZE, "%s", values->extra->odd_path);
	else
		object_path_format(values->month, file->id, values->generation, values->extension, ret_path);
}

static struct file_extra *extra_of(struct file *file)
{
	if (!file->values.extra)
		file->values.extra = calloc(1, sizeof(*file->values.extra));
	return file->values.extra;
}

/* ".7.pdf" is a generation and an extension, ".7z" an extension. Returns where the extension's dot is. */
static const char *take_generation(const char *dot, uint32_t *ret_generation)
{
	const char *end;

	if (dot[0] != '.' || dot[1] < '1' || dot[1] > '9')
		return dot;
	end = dot + 1 + strspn(dot + 1, "0123456789");
	if (*end != '.' && *end != '\0')
		return dot;
	*ret_generation = (uint32_t)strtoul(dot + 1, NULL, 10);
	return end;
}

/* Keeps the parts of a path when they give the same path again, else the path. */
static int take_path(struct words *words, struct file *file, const char *path)
{
	struct file_values *values = &file->values;
	const char *name = strchr(path, '/');
	char again[OBJECT_PATH_SIZE];

	values->month = month_number(path);
	if (values->month && name && strlen(name) > 26) {
		const char *dot = take_generation(name + 26, &values->generation);

		if (*dot == '.')
			values->extension = words_keep(words, dot + 1, strlen(dot + 1));
	}
	object_path_format(values->month, file->id, values->generation, values->extension, again);
	if (strcmp(again, path) == 0)
		return 0;
	if (!extra_of(file))
		return -ENOMEM;
	values->extra->odd_path = strdup(path);
	return values->extra->odd_path ? 0 : -ENOMEM;
}

static int copy_text(char **at, struct bytes bytes)
{
	if (!bytes.data)
		return 0;
	*at = strndup(bytes.data, bytes.length);
	return *at ? 0 : -ENOMEM;
}

static int take_extra(struct file *file, const struct node_row *row)
{
	struct file_extra *extra;

	if (!row->tags.data && !row->description.data && !row->metadata.data && !row->original_name.data)
		return 0;
	extra = extra_of(file);
	if (!extra)
		return -ENOMEM;
	if (row->original_name.data) {
		extra->original_name = malloc(row->original_name.length + 1);
		if (!extra->original_name)
			return -ENOMEM;
		memcpy(extra->original_name, row->original_name.data, row->original_name.length);
		extra->original_name[row->original_name.length] = '\0';
		extra->original_name_length = row->original_name.length;
	}
	if (copy_text(&extra->tags, row->tags) < 0 || copy_text(&extra->description, row->description) < 0)
		return -ENOMEM;
	return copy_text(&extra->metadata, row->metadata);
}

static int take_file(struct words *words, struct file *file, const struct loaded_entry *loaded)
{
	const struct node_row *row = &loaded->node;
	const struct object_row *object = &loaded->object;
	struct file_values *values = &file->values;

	memcpy(file->id, row->file_id + 3, sizeof(file->id));
	values->status = row->status;
	values->validation = row->validation;
	values->visibility = row->visibility;
	values->uploaded_at_ns = row->uploaded_at_ns;
	values->object_id = row->object_id;
	values->uploaded_by = words_keep(words, row->uploaded_by.data, row->uploaded_by.length);
	if (take_extra(file, row) < 0)
		return -ENOMEM;
	if (row->object_id == 0)
		return 0;
	memcpy(values->sha256, object->sha256, DIGEST_SIZE);
	values->media_type = words_keep(words, object->media_type.data, object->media_type.length);
	return take_path(words, file, object->path);
}

static int take_kind(struct tenant *tenant, struct inode *inode, const struct loaded_entry *loaded)
{
	struct special *special;

	if (inode->kind == 'd')
		return 0;
	if (inode->kind == 'f')
		return take_file(tenant->mount->words, file_of(inode), loaded);
	special = special_of(inode);
	special->rdev = loaded->node.rdev;
	return copy_text(&special->target, loaded->node.link_target);
}

static struct inode *inode_from_row(struct tenant *tenant, const struct loaded_entry *loaded)
{
	const struct node_row *row = &loaded->node;
	struct inode *inode = inode_new(row->kind, row->inode);

	if (!inode)
		return NULL;
	inode->attributes = (struct attributes){
		.mode = (row->mode & 07777U) | type_of_kind(row->kind),
		.nlink = row->nlink,
		.uid = (uint32_t)row->uid,
		.gid = (uint32_t)row->gid,
		.size_bytes = row->size_bytes,
		.atime_ns = row->atime_ns,
		.mtime_ns = row->mtime_ns,
		.ctime_ns = row->ctime_ns,
	};
	inode->btime_ns = row->btime_ns;
	inode->user_attribute_bytes = (uint32_t)loaded->attribute_bytes;
	inode->user_attributes_known = loaded->attribute_count == 0;
	if (take_kind(tenant, inode, loaded) == 0)
		return inode;
	inode_free(inode);
	return NULL;
}

static struct inode *find_or_add(struct tenant *tenant, const struct loaded_entry *loaded, int *ret_error)
{
	struct inode *inode = tree_find(&tenant->tree, loaded->entry.inode);

	if (inode) {
		*ret_error = inode->attributes.nlink == 0 || inode->kind != loaded->node.kind ? -ESTALE : 0;
		return *ret_error ? NULL : inode;
	}
	inode = inode_from_row(tenant, loaded);
	*ret_error = inode ? 0 : -ENOMEM;
	if (inode)
		tree_add(&tenant->tree, inode);
	return inode;
}

int tree_insert_loaded(struct tenant *tenant, struct folder *folder, const struct loaded_entry *loaded)
{
	const struct bytes *name = &loaded->entry.name;
	struct inode *inode;
	struct entry *entry;
	int r;

	if (tree_entry(&tenant->tree, folder, name->data, name->length))
		return 0;
	inode = find_or_add(tenant, loaded, &r);
	if (!inode)
		return r;
	entry = entry_new(name->data, name->length);
	if (!entry) {
		if (!inode->names)
			tree_drop(&tenant->tree, inode);
		return -ENOMEM;
	}
	tree_name(&tenant->tree, folder, entry, inode, loaded->entry.sequence, 0);
	return 0;
}

static struct bytes text_bytes(const char *text)
{
	return text ? (struct bytes){.data = text, .length = strlen(text)} : (struct bytes){0};
}

static void file_row(const struct file *file, const struct file_values *values, struct node_row *row)
{
	const struct file_extra *extra = values->extra;

	file_id_text(file, row->file_id);
	row->object_id = values->object_id;
	row->status = values->status;
	row->validation = values->validation;
	row->visibility = values->visibility;
	row->uploaded_at_ns = values->uploaded_at_ns;
	row->uploaded_by = text_bytes(values->uploaded_by);
	if (!extra)
		return;
	row->tags = text_bytes(extra->tags);
	row->description = text_bytes(extra->description);
	row->metadata = text_bytes(extra->metadata);
	row->original_name.data = extra->original_name;
	row->original_name.length = extra->original_name_length;
}

void inode_row(const struct inode *inode, const struct attributes *attributes, const struct file_values *values,
	       struct node_row *ret_row)
{
	*ret_row = (struct node_row){
		.inode = inode->number,
		.kind = inode->kind,
		.mode = attributes->mode & 07777U,
		.nlink = attributes->nlink,
		.uid = attributes->uid,
		.gid = attributes->gid,
		.size_bytes = attributes->size_bytes,
		.atime_ns = attributes->atime_ns,
		.mtime_ns = attributes->mtime_ns,
		.ctime_ns = attributes->ctime_ns,
		.btime_ns = inode->btime_ns,
		.visibility = 'r',
	};
	if (inode->kind == 'f') {
		file_row(container_of(inode, struct file, inode), values, ret_row);
	} else if (inode->kind != 'd') {
		const struct special *special = container_of(inode, struct special, inode);

		ret_row->rdev = special->rdev;
		ret_row->link_target = text_bytes(special->target);
	}
}
