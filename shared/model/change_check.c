#include "shared/model/change_check.h"

#include <string.h>
#include "shared/base/text.h"

enum { LINK_TARGET_MAX_BYTES = 4096, ATTRIBUTE_VALUE_MAX_BYTES = 65536, SPOOL_NAME_MAX_BYTES = 31 };

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Absent, or what a text column takes. */
static bool is_text_or_absent(struct bytes text)
{
	return !text.data || (!memchr(text.data, '\0', text.length) && utf8_is_valid(text.data, text.length));
}

static bool is_text(struct bytes text)
{
	return text.data && text.length > 0 && is_text_or_absent(text);
}

static bool is_name(struct bytes name)
{
	return name.data && name.length > 0 && name.length <= NAME_MAX_BYTES && !memchr(name.data, '/', name.length) &&
	       !memchr(name.data, '\0', name.length);
}

static bool is_file_id_or_empty(const char id[FILE_ID_SIZE])
{
	size_t length = strnlen(id, FILE_ID_SIZE);

	return length == 0 || (length < FILE_ID_SIZE && file_id_is_valid(id, length));
}

static bool is_path_character(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_one_of(c, "._-");
}

/* Parts of plain characters between single slashes; none begins with a dot, so none is "..". */
static bool is_object_path(const char path[OBJECT_PATH_SIZE])
{
	size_t length = strnlen(path, OBJECT_PATH_SIZE);
	bool begins = true;

	if (length == 0 || length >= OBJECT_PATH_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (begins ? path[i] == '.' || !is_path_character(path[i])
			   : path[i] != '/' && !is_path_character(path[i]))
			return false;
		begins = path[i] == '/';
	}
	return !begins;
}

static bool is_spool_name(struct bytes name)
{
	if (name.length > SPOOL_NAME_MAX_BYTES || (name.length > 0 && name.data[0] == '.'))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (!is_path_character(name.data[i]))
			return false;
	}
	return true;
}

static bool node_is_valid(const struct node_row *node)
{
	return node->inode > 0 && is_one_of(node->kind, "fdlpscb") && node->mode <= INT32_MAX && node->nlink >= 0 &&
	       node->uid >= 0 && node->gid >= 0 && node->size_bytes >= 0 && node->object_id >= 0 &&
	       node->link_target.length <= LINK_TARGET_MAX_BYTES && is_file_id_or_empty(node->file_id) &&
	       (!node->status || is_one_of(node->status, "upe")) &&
	       (!node->validation || is_one_of(node->validation, "pof")) &&
	       (!node->visibility || is_one_of(node->visibility, "ru")) && is_text_or_absent(node->uploaded_by) &&
	       is_text_or_absent(node->tags) && is_text_or_absent(node->description) &&
	       is_text_or_absent(node->metadata);
}

static bool entry_is_valid(const struct entry_row *entry)
{
	return entry->parent_inode > 0 && entry->inode > 0 && is_name(entry->name) &&
	       is_one_of(entry->kind, "fdlpscb") && entry->sequence >= 0;
}

static bool object_is_valid(const struct object_row *object)
{
	return object->object_id > 0 && object->inode > 0 && object->size_bytes >= 0 && is_object_path(object->path) &&
	       is_text_or_absent(object->media_type);
}

static bool attribute_is_valid(const struct attribute_row *attribute)
{
	struct bytes name = attribute->name;

	return attribute->inode > 0 && name.data && name.length > 0 && name.length <= NAME_MAX_BYTES &&
	       !memchr(name.data, '\0', name.length) && attribute->value.length <= ATTRIBUTE_VALUE_MAX_BYTES;
}

static bool rejection_is_valid(const struct rejection_row *rejection)
{
	return is_file_id_or_empty(rejection->file_id) && is_name(rejection->name) && is_text(rejection->rule) &&
	       is_text(rejection->reason);
}

bool change_is_valid(const struct change *change)
{
	switch (change->kind) {
	case CHANGE_NODE_PUT:
		return node_is_valid(&change->node);
	case CHANGE_NODE_DELETE:
		return change->node.inode > 0;
	case CHANGE_ENTRY_PUT:
		return entry_is_valid(&change->entry);
	case CHANGE_ENTRY_DELETE:
		return change->entry.parent_inode > 0 && is_name(change->entry.name);
	case CHANGE_OBJECT_PUT:
		return object_is_valid(&change->object);
	case CHANGE_OBJECT_DELETE:
		return change->object.object_id > 0 && is_object_path(change->object.path);
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		return attribute_is_valid(&change->attribute);
	case CHANGE_REJECTION:
		return rejection_is_valid(&change->rejection);
	case CHANGE_USAGE:
		return change->usage.used_bytes >= 0 && change->usage.file_count >= 0;
	case CHANGE_EXTRACT:
		return change->extract.object_id > 0 && change->extract.size_bytes >= 0;
	case CHANGE_EVENT:
		return is_text(change->event.kind) && is_text(change->event.payload);
	case CHANGE_SPOOL:
		return change->spool.inode > 0 && change->spool.size_bytes >= 0 &&
		       is_spool_name(change->spool.spool_name);
	case CHANGE_KIND_COUNT:
		break;
	}
	return false;
}
