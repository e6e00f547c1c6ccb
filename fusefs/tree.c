#include "fusefs/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "fusefs/extraction.h"
#include "fusefs/user_attributes.h"

int tree_init(struct tree *tree)
{
	*tree = (struct tree){0};
	list_init(&tree->used);
	list_init(&tree->gone);
	list_init(&tree->negatives);
	if (getrandom(&tree->seed, sizeof(tree->seed), 0) != (ssize_t)sizeof(tree->seed))
		return -EIO;
	if (table_init(&tree->inodes, 0) < 0 || table_init(&tree->files, 0) < 0 || table_init(&tree->entries, 0) < 0) {
		tree_release(tree);
		return -ENOMEM;
	}
	return 0;
}

static void free_inode_link(struct table_link *link, void *context)
{
	(void)context;
	inode_free(container_of(link, struct inode, by_number));
}

static void free_entry_link(struct table_link *link, void *context)
{
	(void)context;
	free(container_of(link, struct entry, by_name));
}

void tree_release(struct tree *tree)
{
	if (tree->inodes.buckets)
		table_each(&tree->inodes, free_inode_link, NULL);
	if (tree->entries.buckets)
		table_each(&tree->entries, free_entry_link, NULL);
	table_release(&tree->inodes);
	table_release(&tree->files);
	table_release(&tree->entries);
}

struct inode *inode_new(char kind, int64_t number)
{
	struct inode *inode;

	if (kind == 'f') {
		struct file *file = calloc(1, sizeof(*file));

		inode = file ? &file->inode : NULL;
	} else if (kind == 'd') {
		struct folder *folder = calloc(1, sizeof(*folder));

		inode = folder ? &folder->inode : NULL;
	} else {
		struct special *special = calloc(1, sizeof(*special));

		inode = special ? &special->inode : NULL;
	}
	if (inode) {
		inode->kind = kind;
		inode->number = number;
	}
	return inode;
}

void file_extra_free(struct file_extra *extra)
{
	if (!extra)
		return;
	free(extra->tags);
	free(extra->description);
	free(extra->metadata);
	free(extra->original_name);
	free(extra->odd_path);
	free(extra);
}

/* length bytes and a NUL; false on no memory. NULL stays NULL. */
static bool copy_string(char **ret_copy, const char *string, size_t length)
{
	if (!string)
		return true;
	*ret_copy = malloc(length + 1);
	if (!*ret_copy)
		return false;
	memcpy(*ret_copy, string, length);
	(*ret_copy)[length] = '\0';
	return true;
}

static bool copy_text(char **ret_copy, const char *text)
{
	return copy_string(ret_copy, text, text ? strlen(text) : 0);
}

struct file_extra *file_extra_copy(const struct file_extra *extra)
{
	struct file_extra *copy = calloc(1, sizeof(*copy));

	if (!copy || !extra)
		return copy;
	copy->original_name_length = extra->original_name_length;
	if (copy_text(&copy->tags, extra->tags) && copy_text(&copy->description, extra->description) &&
	    copy_text(&copy->metadata, extra->metadata) && copy_text(&copy->odd_path, extra->odd_path) &&
	    copy_string(&copy->original_name, extra->original_name, extra->original_name_length))
		return copy;
	file_extra_free(copy);
	return NULL;
}

void inode_free(struct inode *inode)
{
	if (!inode)
		return;
	user_attributes_free(inode->user_attributes);
	if (inode->kind == 'f') {
		file_extra_free(as_file(inode)->values.extra);
		extraction_unref(as_file(inode)->extraction);
		free(as_file(inode));
	} else if (inode->kind == 'd') {
		free(as_folder(inode));
	} else {
		free(as_special(inode)->target);
		free(as_special(inode));
	}
}

static uint64_t file_id_hash(const struct tree *tree, const char id[22])
{
	return table_hash_bytes(id, 22, tree->seed);
}

void tree_add(struct tree *tree, struct inode *inode)
{
	struct file *file = file_of(inode);

	table_add(&tree->inodes, &inode->by_number, table_hash_u64((uint64_t)inode->number));
	if (file)
		table_add(&tree->files, &file->by_id, file_id_hash(tree, file->id));
	list_append(&tree->used, &inode->used);
	tree->bytes += inode_bytes(inode);
}

void tree_drop(struct tree *tree, struct inode *inode)
{
	while (inode->names)
		tree_forget_entry(tree, inode->names);
	tree->bytes -= inode_bytes(inode);
	table_remove(&tree->inodes, &inode->by_number);
	if (inode->kind == 'f')
		table_remove(&tree->files, &as_file(inode)->by_id);
	list_remove(&inode->used);
	inode_free(inode);
}

struct inode *tree_find(const struct tree *tree, int64_t number)
{
	struct table_link *link = table_find(&tree->inodes, table_hash_u64((uint64_t)number));

	for (; link; link = table_next(link)) {
		struct inode *inode = container_of(link, struct inode, by_number);

		if (inode->number == number)
			return inode;
	}
	return NULL;
}

struct file *tree_find_file(const struct tree *tree, const char *file_id)
{
	struct table_link *link = table_find(&tree->files, file_id_hash(tree, file_id + 3));

	for (; link; link = table_next(link)) {
		struct file *file = container_of(link, struct file, by_id);

		if (memcmp(file->id, file_id + 3, sizeof(file->id)) == 0)
			return file;
	}
	return NULL;
}

void tree_used(struct tree *tree, struct inode *inode)
{
	if (inode->is_gone || tree->used.previous == &inode->used)
		return;
	list_remove(&inode->used);
	list_append(&tree->used, &inode->used);
}

void file_id_text(const struct file *file, char ret_id[FILE_ID_SIZE])
{
	memcpy(ret_id, "fs_", 3);
	memcpy(ret_id + 3, file->id, sizeof(file->id));
	ret_id[3 + sizeof(file->id)] = '\0';
}
