/*
 * Writing changes into a record. A change is its kind (a byte) and its fields in the order below: numbers as zigzag
 * varints, bytes as their length plus one (0: absent) and then themselves, characters and digests as they are.
 * record_next.c reads it.
 */
#include <errno.h>
#include <string.h>
#include "shared/model/change_check.h"

enum { VARINT_MAX_BYTES = 10 };

static void put_unsigned(struct buf *record, uint64_t value)
{
	uint8_t bytes[VARINT_MAX_BYTES];
	size_t length = 0;

	while (value >= 0x80) {
		bytes[length++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[length++] = (uint8_t)value;
	buf_append(record, bytes, length);
}

static void put_int(struct buf *record, int64_t value)
{
	put_unsigned(record, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void put_bytes(struct buf *record, struct bytes bytes)
{
	put_unsigned(record, bytes.data ? bytes.length + 1 : 0);
	if (bytes.data)
		buf_append(record, bytes.data, bytes.length);
}

static void put_text(struct buf *record, const char *text)
{
	put_bytes(record, (struct bytes){text, strlen(text)});
}

static void put_node(struct buf *record, const struct node_row *node)
{
	put_int(record, node->inode);
	buf_putc(record, node->kind);
	put_unsigned(record, node->mode);
	put_int(record, node->nlink);
	put_int(record, node->uid);
	put_int(record, node->gid);
	put_int(record, node->rdev);
	put_int(record, node->size_bytes);
	put_int(record, node->atime_ns);
	put_int(record, node->mtime_ns);
	put_int(record, node->ctime_ns);
	put_int(record, node->btime_ns);
	put_bytes(record, node->link_target);
	put_text(record, node->file_id);
	put_int(record, node->object_id);
	buf_putc(record, node->status);
	buf_putc(record, node->validation);
	put_int(record, node->uploaded_at_ns);
	put_bytes(record, node->uploaded_by);
	put_bytes(record, node->original_name);
	buf_putc(record, node->visibility);
	put_bytes(record, node->tags);
	put_bytes(record, node->description);
	put_bytes(record, node->metadata);
}

static void put_entry(struct buf *record, const struct entry_row *entry)
{
	put_int(record, entry->parent_inode);
	put_bytes(record, entry->name);
	put_int(record, entry->inode);
	buf_putc(record, entry->kind);
	put_int(record, entry->sequence);
}

static void put_object(struct buf *record, const struct object_row *object)
{
	put_int(record, object->object_id);
	put_int(record, object->inode);
	put_text(record, object->path);
	put_int(record, object->size_bytes);
	buf_append(record, object->sha256, sizeof(object->sha256));
	put_bytes(record, object->media_type);
	put_int(record, object->published_at_ns);
}

static void put_rejection(struct buf *record, const struct rejection_row *rejection)
{
	put_text(record, rejection->file_id);
	put_bytes(record, rejection->name);
	put_bytes(record, rejection->rule);
	put_bytes(record, rejection->reason);
	put_int(record, rejection->uid);
	put_int(record, rejection->rejected_at_ns);
}

static void put_fields(struct buf *record, const struct change *change)
{
	switch (change->kind) {
	case CHANGE_NODE_PUT:
		put_node(record, &change->node);
		break;
	case CHANGE_NODE_DELETE:
		put_int(record, change->node.inode);
		break;
	case CHANGE_ENTRY_PUT:
		put_entry(record, &change->entry);
		break;
	case CHANGE_ENTRY_DELETE:
		put_int(record, change->entry.parent_inode);
		put_bytes(record, change->entry.name);
		break;
	case CHANGE_OBJECT_PUT:
		put_object(record, &change->object);
		break;
	case CHANGE_OBJECT_DELETE:
		put_int(record, change->object.object_id);
		put_text(record, change->object.path);
		break;
	case CHANGE_ATTRIBUTE_PUT:
		put_int(record, change->attribute.inode);
		put_bytes(record, change->attribute.name);
		put_bytes(record, change->attribute.value);
		break;
	case CHANGE_ATTRIBUTE_DELETE:
		put_int(record, change->attribute.inode);
		put_bytes(record, change->attribute.name);
		break;
	case CHANGE_REJECTION:
		put_rejection(record, &change->rejection);
		break;
	case CHANGE_USAGE:
		put_int(record, change->usage.used_bytes);
		put_int(record, change->usage.file_count);
		break;
	case CHANGE_EXTRACT:
		put_int(record, change->extract.object_id);
		put_int(record, change->extract.size_bytes);
		buf_append(record, change->extract.sha256, sizeof(change->extract.sha256));
		break;
	case CHANGE_EVENT:
		put_bytes(record, change->event.kind);
		put_bytes(record, change->event.payload);
		break;
	case CHANGE_SPOOL:
		put_int(record, change->spool.inode);
		put_int(record, change->spool.size_bytes);
		put_bytes(record, change->spool.spool_name);
		break;
	case CHANGE_KIND_COUNT:
		break;
	}
}

void record_put(struct buf *record, const struct change *change)
{
	if (record->error < 0)
		return;
	if (!change_is_valid(change)) {
		record->error = -EINVAL;
		return;
	}
	buf_putc(record, (char)change->kind);
	put_fields(record, change);
}
