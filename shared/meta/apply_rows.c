/* The columns of each statement of a batch: their types, and how a change fills them. The order is that of the query
 * files. */
#include "shared/meta/apply_rows.h"

#include <string.h>

void columns_init(struct columns *columns, enum row_shape_id shape)
{
	const uint32_t *types = row_shapes[shape].types;

	columns->count = 0;
	for (; types[columns->count]; columns->count++)
		db_array_init(&columns->arrays[columns->count], types[columns->count]);
}

void columns_release(struct columns *columns)
{
	for (int i = 0; i < columns->count; i++)
		db_array_release(&columns->arrays[i]);
}

/* --- values --- */

static void put_bytes(struct db_array *array, struct bytes bytes)
{
	if (bytes.data)
		db_array_bytes(array, bytes.data, bytes.length);
	else
		db_array_null(array);
}

static void put_text(struct db_array *array, const char *text)
{
	db_array_bytes(array, text, strlen(text));
}

static void put_text_or_null(struct db_array *array, const char *text)
{
	if (*text)
		put_text(array, text);
	else
		db_array_null(array);
}

static void put_int_or_null(struct db_array *array, int64_t value)
{
	if (value != 0)
		db_array_int(array, value);
	else
		db_array_null(array);
}

static void put_char_or_null(struct db_array *array, char value)
{
	if (value)
		db_array_char(array, value);
	else
		db_array_null(array);
}

/* --- rows --- */

static const uint32_t node_types[] = {
	DB_TYPE_INT8, DB_TYPE_CHAR, DB_TYPE_INT4,  DB_TYPE_INT4,  DB_TYPE_INT8,
	DB_TYPE_INT8, DB_TYPE_INT8, DB_TYPE_INT8,  DB_TYPE_INT8,  DB_TYPE_INT8,
	DB_TYPE_INT8, DB_TYPE_INT8, DB_TYPE_BYTEA, DB_TYPE_TEXT,  DB_TYPE_INT8,
	DB_TYPE_CHAR, DB_TYPE_CHAR, DB_TYPE_INT8,  DB_TYPE_TEXT,  DB_TYPE_BYTEA,
	DB_TYPE_CHAR, DB_TYPE_TEXT, DB_TYPE_TEXT,  DB_TYPE_JSONB, 0,
};

static void put_node(struct columns *columns, const struct change *change)
{
	const struct node_row *node = &change->node;
	struct db_array *next = columns->arrays;

	db_array_int(next++, node->inode);
	db_array_char(next++, node->kind);
	db_array_int(next++, node->mode);
	db_array_int(next++, node->nlink);
	db_array_int(next++, node->uid);
	db_array_int(next++, node->gid);
	db_array_int(next++, node->rdev);
	db_array_int(next++, node->size_bytes);
	db_array_int(next++, node->atime_ns);
	db_array_int(next++, node->mtime_ns);
	db_array_int(next++, node->ctime_ns);
	db_array_int(next++, node->btime_ns);
	put_bytes(next++, node->link_target);
	put_text_or_null(next++, node->file_id);
	put_int_or_null(next++, node->object_id);
	put_char_or_null(next++, node->status);
	put_char_or_null(next++, node->validation);
	put_int_or_null(next++, node->uploaded_at_ns);
	put_bytes(next++, node->uploaded_by);
	put_bytes(next++, node->original_name);
	db_array_char(next++, node->visibility ? node->visibility : 'r');
	put_bytes(next++, node->tags);
	put_bytes(next++, node->description);
	put_bytes(next++, node->metadata);
}

static const uint32_t entry_types[] = {DB_TYPE_INT8, DB_TYPE_BYTEA, DB_TYPE_INT8, DB_TYPE_CHAR, DB_TYPE_INT8, 0};

static void put_entry(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->entry.parent_inode);
	put_bytes(&columns->arrays[1], change->entry.name);
	db_array_int(&columns->arrays[2], change->entry.inode);
	db_array_char(&columns->arrays[3], change->entry.kind);
	db_array_int(&columns->arrays[4], change->entry.sequence);
}

static const uint32_t object_types[] = {DB_TYPE_INT8,  DB_TYPE_INT8, DB_TYPE_TEXT, DB_TYPE_INT8,
					DB_TYPE_BYTEA, DB_TYPE_TEXT, DB_TYPE_INT8, 0};

static void put_object(struct columns *columns, const struct change *change)
{
	const struct object_row *object = &change->object;

	db_array_int(&columns->arrays[0], object->object_id);
	db_array_int(&columns->arrays[1], object->inode);
	put_text(&columns->arrays[2], object->path);
	db_array_int(&columns->arrays[3], object->size_bytes);
	db_array_bytes(&columns->arrays[4], object->sha256, sizeof(object->sha256));
	db_array_bytes(&columns->arrays[5], object->media_type.data ? object->media_type.data : "",
		       object->media_type.length);
	db_array_int(&columns->arrays[6], object->published_at_ns);
}

static const uint32_t equal_types[] = {DB_TYPE_INT8, DB_TYPE_INT8, DB_TYPE_TEXT, DB_TYPE_INT8, DB_TYPE_BYTEA, 0};

static void put_equal(struct columns *columns, const struct change *change)
{
	const struct object_row *object = &change->object;

	db_array_int(&columns->arrays[0], object->object_id);
	db_array_int(&columns->arrays[1], object->inode);
	put_text(&columns->arrays[2], object->path);
	db_array_int(&columns->arrays[3], object->size_bytes);
	db_array_bytes(&columns->arrays[4], object->sha256, sizeof(object->sha256));
}

static const uint32_t attribute_types[] = {DB_TYPE_INT8, DB_TYPE_BYTEA, DB_TYPE_BYTEA, 0};

static void put_attribute(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->attribute.inode);
	put_bytes(&columns->arrays[1], change->attribute.name);
	db_array_bytes(&columns->arrays[2], change->attribute.value.data ? change->attribute.value.data : "",
		       change->attribute.value.length);
}

static const uint32_t named_types[] = {DB_TYPE_INT8, DB_TYPE_BYTEA, 0};

static void put_entry_name(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->entry.parent_inode);
	put_bytes(&columns->arrays[1], change->entry.name);
}

static void put_attribute_name(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->attribute.inode);
	put_bytes(&columns->arrays[1], change->attribute.name);
}

static const uint32_t number_types[] = {DB_TYPE_INT8, 0};

static void put_inode(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->node.inode);
}

static void put_object_id(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->object.object_id);
}

static void put_spool_inode(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->kind == CHANGE_SPOOL ? change->spool.inode : change->node.inode);
}

static const uint32_t spool_types[] = {DB_TYPE_INT8, DB_TYPE_TEXT, DB_TYPE_INT8, 0};

static void put_spool(struct columns *columns, const struct change *change)
{
	db_array_int(&columns->arrays[0], change->spool.inode);
	put_bytes(&columns->arrays[1], change->spool.spool_name);
	db_array_int(&columns->arrays[2], change->spool.size_bytes);
}

static const uint32_t rejection_types[] = {
	DB_TYPE_TEXT, DB_TYPE_BYTEA, DB_TYPE_TEXT, DB_TYPE_TEXT, DB_TYPE_INT8, DB_TYPE_INT8, 0};

static void put_rejection(struct columns *columns, const struct change *change)
{
	const struct rejection_row *rejection = &change->rejection;

	put_text_or_null(&columns->arrays[0], rejection->file_id);
	put_bytes(&columns->arrays[1], rejection->name);
	put_bytes(&columns->arrays[2], rejection->rule);
	put_bytes(&columns->arrays[3], rejection->reason);
	db_array_int(&columns->arrays[4], rejection->uid);
	db_array_int(&columns->arrays[5], rejection->rejected_at_ns);
}

static const uint32_t event_types[] = {DB_TYPE_TEXT, DB_TYPE_JSONB, 0};

static void put_event(struct columns *columns, const struct change *change)
{
	put_bytes(&columns->arrays[0], change->event.kind);
	put_bytes(&columns->arrays[1], change->event.payload);
}

static const uint32_t extract_types[] = {DB_TYPE_BYTEA, DB_TYPE_INT8, DB_TYPE_INT8, 0};

static void put_extract(struct columns *columns, const struct change *change)
{
	db_array_bytes(&columns->arrays[0], change->extract.sha256, sizeof(change->extract.sha256));
	db_array_int(&columns->arrays[1], change->extract.object_id);
	db_array_int(&columns->arrays[2], change->extract.size_bytes);
}

const struct row_shape row_shapes[ROW_SHAPE_COUNT] = {
	[ROW_NODE] = {node_types, put_node},
	[ROW_ENTRY] = {entry_types, put_entry},
	[ROW_OBJECT] = {object_types, put_object},
	[ROW_ATTRIBUTE] = {attribute_types, put_attribute},
	[ROW_SPOOL] = {spool_types, put_spool},
	[ROW_REJECTION] = {rejection_types, put_rejection},
	[ROW_EVENT] = {event_types, put_event},
	[ROW_EXTRACT] = {extract_types, put_extract},
	[ROW_ENTRY_KEY] = {named_types, put_entry_name},
	[ROW_ATTRIBUTE_KEY] = {named_types, put_attribute_name},
	[ROW_INODE] = {number_types, put_inode},
	[ROW_OBJECT_CONTENT] = {equal_types, put_equal},
	[ROW_OBJECT_KEY] = {number_types, put_object_id},
	[ROW_SPOOL_KEY] = {number_types, put_spool_inode},
};
