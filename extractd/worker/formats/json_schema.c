#include "extractd/worker/formats/json_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/value.h"
#include "shared/base/text.h"

int json_schema_init(struct json_schema *schema)
{
	*schema = (struct json_schema){.nodes = 1};
	schema->place = &schema->root;
	return table_init(&schema->properties, 256);
}

/* Without recursion: goes down to a leaf, frees it, goes up. */
void json_schema_release(struct json_schema *schema)
{
	struct schema_node *node = &schema->root;

	for (;;) {
		if (node->items) {
			struct schema_node *items = node->items;

			node->items = NULL;
			node = items;
		} else if (node->first) {
			struct schema_node *property = node->first;

			node->first = property->next;
			node = property;
		} else if (node == &schema->root) {
			break;
		} else {
			struct schema_node *parent = node->parent;

			free(node->name);
			free(node);
			node = parent;
		}
	}
	table_release(&schema->properties);
}

static struct schema_node *new_node(struct json_schema *schema, struct schema_node *parent)
{
	struct schema_node *node;

	if (schema->nodes >= SCHEMA_NODES_MAX) {
		schema->is_cut = true;
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	schema->nodes++;
	node->parent = parent;
	return node;
}

static bool is_named(const struct schema_node *node, const char *name, size_t length)
{
	return node->name_length == length && memcmp(node->name, name, length) == 0;
}

static struct schema_node *find_property(struct json_schema *schema, struct schema_node *object, const char *name,
					 size_t length, uint64_t hash)
{
	for (struct table_link *link = table_find(&schema->properties, hash); link; link = table_next(link)) {
		struct schema_node *node = container_of(link, struct schema_node, link);

		if (node->parent == object && is_named(node, name, length))
			return node;
	}
	return NULL;
}

static struct schema_node *add_property(struct json_schema *schema, struct schema_node *object, const char *name,
					size_t length, uint64_t hash)
{
	struct schema_node *node = new_node(schema, object);

	if (!node)
		return NULL;
	node->name = malloc(length + 1);
	if (!node->name) {
		free(node);
		return NULL;
	}
	memcpy(node->name, name, length);
	node->name[length] = '\0';
	node->name_length = (uint32_t)length;
	if (object->last)
		object->last->next = node;
	else
		object->first = node;
	object->last = node;
	table_add(&schema->properties, &node->link, hash);
	return node;
}

static struct schema_node *property(struct json_schema *schema, struct schema_node *object, const char *name,
				    size_t length)
{
	struct schema_node *node = object->cursor;
	uint64_t hash;

	length = utf8_cut(name, length, SCHEMA_NAME_MAX);
	if (!node || !is_named(node, name, length)) {
		hash = table_hash_bytes(name, length, (uint64_t)(uintptr_t)object);
		node = find_property(schema, object, name, length, hash);
		if (!node)
			node = add_property(schema, object, name, length, hash);
		if (!node)
			object->omitted++;
	}
	object->cursor = node ? node->next : NULL;
	return node;
}

/* Behind a value: where the next one of the same container belongs. */
static void after_value(struct json_schema *schema)
{
	struct schema_node *container;

	if (schema->depth == 0) {
		schema->place = &schema->root;
		return;
	}
	schema->place = NULL;
	if (schema->depth > SCHEMA_DEPTH_MAX)
		return;
	container = schema->open[schema->depth - 1];
	if (container && container->items) {
		schema->place = container->items;
		schema->items[schema->depth - 1]++;
	}
}

static void begin_array(struct json_schema *schema, struct schema_node *node)
{
	schema->place = NULL;
	if (schema->depth > SCHEMA_DEPTH_MAX || !node)
		return;
	schema->items[schema->depth - 1] = 0;
	if (!node->items && schema->depth < SCHEMA_DEPTH_MAX)
		node->items = new_node(schema, node);
	schema->place = node->items;
}

static void begin_container(struct json_schema *schema, enum schema_type type)
{
	struct schema_node *node = schema->place;

	if (node)
		node->counts[type]++;
	if (schema->depth < SCHEMA_DEPTH_MAX)
		schema->open[schema->depth] = node;
	else
		schema->is_cut = true;
	schema->depth++;
	if (schema->depth > schema->depth_max)
		schema->depth_max = schema->depth;
	if (type == SCHEMA_ARRAY) {
		begin_array(schema, node);
		return;
	}
	schema->place = NULL;
	if (node)
		node->cursor = node->first;
}

static void end_container(struct json_schema *schema)
{
	schema->depth--;
	if (schema->depth < SCHEMA_DEPTH_MAX && schema->open[schema->depth]) {
		struct schema_node *node = schema->open[schema->depth];

		if (node->items && schema->items[schema->depth] > node->items_max)
			node->items_max = schema->items[schema->depth];
	}
	after_value(schema);
}

static void scalar(struct json_schema *schema, enum schema_type type)
{
	if (schema->place)
		schema->place->counts[type]++;
	after_value(schema);
}

static enum schema_type number_type(const struct json_reader *reader)
{
	for (size_t i = 0; i < reader->token_length; i++)
		if (reader->token[i] == '.' || (reader->token[i] | 0x20) == 'e')
			return SCHEMA_NUMBER;
	return SCHEMA_INTEGER;
}

static int put_key(struct json_schema *schema, struct json_reader *reader)
{
	struct schema_node *object;
	const char *name;
	size_t length;

	schema->place = NULL;
	if (schema->depth > SCHEMA_DEPTH_MAX)
		return 0;
	object = schema->open[schema->depth - 1];
	if (!object)
		return 0;
	name = json_reader_text(reader, &length);
	if (!name)
		return -ENOMEM;
	schema->place = property(schema, object, name, length);
	return 0;
}

int json_schema_put(struct json_schema *schema, struct json_reader *reader, enum json_event event)
{
	switch (event) {
	case JSON_OBJECT_BEGIN:
		begin_container(schema, SCHEMA_OBJECT);
		break;
	case JSON_ARRAY_BEGIN:
		begin_container(schema, SCHEMA_ARRAY);
		break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		end_container(schema);
		break;
	case JSON_KEY:
		return put_key(schema, reader);
	case JSON_STRING:
		if (schema->place)
			schema->place->dates += value_date_kind(reader->token, reader->token_length) != VALUE_TEXT;
		scalar(schema, SCHEMA_STRING);
		break;
	case JSON_NUMBER:
		scalar(schema, number_type(reader));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		scalar(schema, SCHEMA_BOOLEAN);
		break;
	case JSON_NULL:
		scalar(schema, SCHEMA_NULL);
		break;
	}
	return 0;
}

void json_schema_abandon(struct json_schema *schema)
{
	schema->depth = 0;
	schema->place = &schema->root;
}

/* --- telling --- */

static const char *const type_names[SCHEMA_TYPE_COUNT] = {"null",   "boolean", "integer", "number",
							  "string", "object",  "array"};

static void tell_types(const struct schema_node *node, struct buf *buf)
{
	unsigned count = 0, told = 0;

	for (unsigned type = 0; type < SCHEMA_TYPE_COUNT; type++)
		count += node->counts[type] > 0;
	if (count == 0)
		return;
	buf_puts(buf, count > 1 ? "\"type\":[" : "\"type\":");
	for (unsigned type = 0; type < SCHEMA_TYPE_COUNT; type++)
		if (node->counts[type] > 0)
			buf_printf(buf, "%s\"%s\"", told++ > 0 ? "," : "", type_names[type]);
	if (count > 1)
		buf_putc(buf, ']');
}

static void tell_node(const struct schema_node *node, struct buf *buf);

static void tell_object(const struct schema_node *node, struct buf *buf)
{
	bool has_required = false;

	json_put_key(buf, "properties");
	buf_putc(buf, '{');
	for (const struct schema_node *child = node->first; child; child = child->next) {
		if (child != node->first)
			buf_putc(buf, ',');
		json_put_string(buf, child->name, child->name_length);
		buf_putc(buf, ':');
		tell_node(child, buf);
	}
	buf_putc(buf, '}');
	for (const struct schema_node *child = node->first; child; child = child->next) {
		uint64_t met = 0;

		for (unsigned type = 0; type < SCHEMA_TYPE_COUNT; type++)
			met += child->counts[type];
		if (met < node->counts[SCHEMA_OBJECT])
			continue;
		buf_puts(buf, has_required ? "," : ",\"required\":[");
		json_put_string(buf, child->name, child->name_length);
		has_required = true;
	}
	if (has_required)
		buf_putc(buf, ']');
	if (node->omitted > 0)
		buf_printf(buf, ",\"omitted\":%" PRIu64, node->omitted);
}

/* Recursion is bounded by SCHEMA_DEPTH_MAX. */
static void tell_node(const struct schema_node *node, struct buf *buf)
{
	buf_putc(buf, '{');
	tell_types(node, buf);
	if (node->counts[SCHEMA_STRING] > 0 && node->dates == node->counts[SCHEMA_STRING])
		buf_puts(buf, ",\"format\":\"date-time\"");
	if (node->counts[SCHEMA_OBJECT] > 0)
		tell_object(node, buf);
	if (node->items) {
		json_put_key(buf, "items");
		tell_node(node->items, buf);
		buf_printf(buf, ",\"maxItems\":%" PRIu64, node->items_max);
	}
	buf_putc(buf, '}');
}

int json_schema_tell(const struct json_schema *schema, struct buf *buf)
{
	tell_node(&schema->root, buf);
	return buf_error(buf);
}
