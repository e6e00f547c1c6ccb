/* Reading the changes of a record again (record_put.c has the format). Every byte may be wrong: nothing is trusted
 * unchecked. */
#include <errno.h>
#include <string.h>
#include "shared/model/change_check.h"

struct reader {
	const uint8_t *at, *end;
	bool is_bad; /* sticky: what is read after a mistake is zero and means nothing */
};

static uint64_t get_unsigned(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		/* The tenth byte has room for one bit. */
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	reader->is_bad = true;
	return 0;
}

static int64_t get_int(struct reader *reader)
{
	uint64_t value = get_unsigned(reader);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static int32_t get_int32(struct reader *reader)
{
	int64_t value = get_int(reader);

	if (value < INT32_MIN || value > INT32_MAX)
		reader->is_bad = true;
	return reader->is_bad ? 0 : (int32_t)value;
}

static uint32_t get_uint32(struct reader *reader)
{
	uint64_t value = get_unsigned(reader);

	if (value > UINT32_MAX)
		reader->is_bad = true;
	return reader->is_bad ? 0 : (uint32_t)value;
}

static void get_raw(struct reader *reader, void *ret_bytes, size_t length)
{
	if (reader->is_bad || (size_t)(reader->end - reader->at) < length) {
		reader->is_bad = true;
		memset(ret_bytes, 0, length);
		return;
	}
	memcpy(ret_bytes, reader->at, length);
	reader->at += length;
}

static char get_char(struct reader *reader)
{
	char c;

	get_raw(reader, &c, 1);
	return c;
}

static struct bytes get_bytes(struct reader *reader)
{
	uint64_t length = get_unsigned(reader);
	struct bytes bytes = {NULL, 0};

	if (length == 0)
		return bytes;
	if (reader->is_bad || length - 1 > (uint64_t)(reader->end - reader->at)) {
		reader->is_bad = true;
		return bytes;
	}
	bytes = (struct bytes){(const char *)reader->at, (size_t)(length - 1)};
	reader->at += bytes.length;
	return bytes;
}

/* Into an array of a row; a NUL inside would hide what comes behind it. */
static void get_text(struct reader *reader, char *ret_text, size_t size)
{
	struct bytes bytes = get_bytes(reader);

	if (!bytes.data || bytes.length >= size || memchr(bytes.data, '\0', bytes.length)) {
		reader->is_bad = true;
		return;
	}
	memcpy(ret_text, bytes.data, bytes.length);
	ret_text[bytes.length] = '\0';
}

static void get_node(struct reader *reader, struct node_row *node)
{
	node->inode = get_int(reader);
	node->kind = get_char(reader);
	node->mode = get_uint32(reader);
	node->nlink = get_int32(reader);
	node->uid = get_int(reader);
	node->gid = get_int(reader);
	node->rdev = get_int(reader);
	node->size_bytes = get_int(reader);
	node->atime_ns = get_int(reader);
	node->mtime_ns = get_int(reader);
	node->ctime_ns = get_int(reader);
	node->btime_ns = get_int(reader);
	node->link_target = get_bytes(reader);
	get_text(reader, node->file_id, sizeof(node->file_id));
	node->object_id = get_int(reader);
	node->status = get_char(reader);
	node->validation = get_char(reader);
	node->uploaded_at_ns = get_int(reader);
	node->uploaded_by = get_bytes(reader);
	node->original_name = get_bytes(reader);
	node->visibility = get_char(reader);
	node->tags = get_bytes(reader);
	node->description = get_bytes(reader);
	node->metadata = get_bytes(reader);
}

static void get_entry(struct reader *reader, struct entry_row *entry)
{
	entry->parent_inode = get_int(reader);
	entry->name = get_bytes(reader);
	entry->inode = get_int(reader);
	entry->kind = get_char(reader);
	entry->sequence = get_int(reader);
}

static void get_object(struct reader *reader, struct object_row *object)
{
	object->object_id = get_int(reader);
	object->inode = get_int(reader);
	get_text(reader, object->path, sizeof(object->path));
	object->size_bytes = get_int(reader);
	get_raw(reader, object->sha256, sizeof(object->sha256));
	object->media_type = get_bytes(reader);
	object->published_at_ns = get_int(reader);
}

static void get_rejection(struct reader *reader, struct rejection_row *rejection)
{
	get_text(reader, rejection->file_id, sizeof(rejection->file_id));
	rejection->name = get_bytes(reader);
	rejection->rule = get_bytes(reader);
	rejection->reason = get_bytes(reader);
	rejection->uid = get_int(reader);
	rejection->rejected_at_ns = get_int(reader);
}

static void get_fields(struct reader *reader, struct change *change)
{
	switch (change->kind) {
	case CHANGE_NODE_PUT:
		get_node(reader, &change->node);
		break;
	case CHANGE_NODE_DELETE:
		change->node.inode = get_int(reader);
		break;
	case CHANGE_ENTRY_PUT:
		get_entry(reader, &change->entry);
		break;
	case CHANGE_ENTRY_DELETE:
		change->entry.parent_inode = get_int(reader);
		change->entry.name = get_bytes(reader);
		break;
	case CHANGE_OBJECT_PUT:
		get_object(reader, &change->object);
		break;
	case CHANGE_OBJECT_DELETE:
		change->object.object_id = get_int(reader);
		get_text(reader, change->object.path, sizeof(change->object.path));
		break;
	case CHANGE_ATTRIBUTE_PUT:
		change->attribute.inode = get_int(reader);
		change->attribute.name = get_bytes(reader);
		change->attribute.value = get_bytes(reader);
		break;
	case CHANGE_ATTRIBUTE_DELETE:
		change->attribute.inode = get_int(reader);
		change->attribute.name = get_bytes(reader);
		break;
	case CHANGE_REJECTION:
		get_rejection(reader, &change->rejection);
		break;
	case CHANGE_USAGE:
		change->usage.used_bytes = get_int(reader);
		change->usage.file_count = get_int(reader);
		break;
	case CHANGE_EXTRACT:
		change->extract.object_id = get_int(reader);
		change->extract.size_bytes = get_int(reader);
		get_raw(reader, change->extract.sha256, sizeof(change->extract.sha256));
		break;
	case CHANGE_EVENT:
		change->event.kind = get_bytes(reader);
		change->event.payload = get_bytes(reader);
		break;
	case CHANGE_SPOOL:
		change->spool.inode = get_int(reader);
		change->spool.size_bytes = get_int(reader);
		change->spool.spool_name = get_bytes(reader);
		break;
	case CHANGE_KIND_COUNT:
		reader->is_bad = true;
		break;
	}
}

int record_next(const void *record, size_t length, size_t *cursor, struct change *ret_change)
{
	struct reader reader = {.at = (const uint8_t *)record + *cursor, .end = (const uint8_t *)record + length};
	struct change change;
	uint8_t kind;

	if (*cursor > length)
		return -EBADMSG;
	if (*cursor == length)
		return 0;
	kind = *reader.at++;
	if (kind == 0 || kind >= CHANGE_KIND_COUNT)
		return -EBADMSG;
	memset(&change, 0, sizeof(change));
	change.kind = (enum change_kind)kind;
	get_fields(&reader, &change);
	if (reader.is_bad || !change_is_valid(&change))
		return -EBADMSG;
	*ret_change = change;
	*cursor = (size_t)((const char *)reader.at - (const char *)record);
	return 1;
}
