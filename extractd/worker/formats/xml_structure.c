#include "extractd/worker/formats/xml_structure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"

struct structure_node {
	char *name;
	uint64_t count;
	bool has_text;
	char *attributes[STRUCTURE_ATTRIBUTES_MAX];
	unsigned attribute_count;
	struct structure_node *parent, *first, *last, *next;
	struct table_link link; /* in places */
};

static void free_node(struct structure_node *node)
{
	for (unsigned i = 0; i < node->attribute_count; i++)
		free(node->attributes[i]);
	free(node->name);
	free(node);
}

/* Without recursion: down to a leaf, then up. */
void xml_structure_release(struct xml_structure *structure)
{
	struct structure_node *node = structure->root;

	while (node) {
		struct structure_node *parent = node->parent;

		if (node->first) {
			struct structure_node *child = node->first;

			node->first = child->next;
			node = child;
			continue;
		}
		free_node(node);
		node = parent;
	}
	structure->root = NULL;
	table_release(&structure->places);
}

int xml_structure_init(struct xml_structure *structure)
{
	*structure = (struct xml_structure){0};
	return table_init(&structure->places, 64);
}

static uint64_t hash_place(const struct structure_node *parent, const char *name)
{
	return table_hash_bytes(name, strlen(name), (uint64_t)(uintptr_t)parent);
}

static struct structure_node *new_node(struct xml_structure *structure, struct structure_node *parent, const char *name)
{
	struct structure_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = strdup(name);
	if (!node->name) {
		free(node);
		return NULL;
	}
	node->parent = parent;
	if (parent && parent->last)
		parent->last->next = node;
	else if (parent)
		parent->first = node;
	if (parent)
		parent->last = node;
	structure->nodes++;
	table_add(&structure->places, &node->link, hash_place(parent, name));
	return node;
}

static void take_attributes(struct structure_node *node, const struct xml_attributes *attributes)
{
	for (int i = 0; i < attributes->count; i++) {
		const char *name = (const char *)attributes->raw[5 * i];
		unsigned known = 0;

		while (known < node->attribute_count && strcmp(node->attributes[known], name) != 0)
			known++;
		if (known < node->attribute_count || known == STRUCTURE_ATTRIBUTES_MAX)
			continue;
		node->attributes[known] = strdup(name);
		if (!node->attributes[known])
			return;
		node->attribute_count++;
	}
}

static struct structure_node *find_child(const struct xml_structure *structure, const struct structure_node *parent,
					 const char *name)
{
	for (struct table_link *link = table_find(&structure->places, hash_place(parent, name)); link;
	     link = table_next(link)) {
		struct structure_node *node = container_of(link, struct structure_node, link);

		if (node->parent == parent && strcmp(node->name, name) == 0)
			return node;
	}
	return NULL;
}

/* The place of an element below the open one. NULL: it is left out, or there is no memory. */
static struct structure_node *place(struct xml_structure *structure, const char *name, int *ret_error)
{
	struct structure_node *parent = structure->depth > 0 ? structure->open[structure->depth - 1] : NULL, *node;

	*ret_error = 0;
	node = parent ? find_child(structure, parent, name) : structure->root;
	if (node || (structure->depth > 0 && !parent))
		return node;
	if (structure->nodes >= STRUCTURE_NODES_MAX) {
		structure->is_cut = true;
		return NULL;
	}
	node = new_node(structure, parent, name);
	if (!node)
		*ret_error = -ENOMEM;
	else if (!parent)
		structure->root = node;
	return node;
}

int xml_structure_begin(struct xml_structure *structure, const char *prefix, const char *name,
			const struct xml_attributes *attributes)
{
	struct structure_node *node = NULL;
	char qualified[256];
	int r = 0;

	if (structure->depth >= STRUCTURE_DEPTH_MAX) {
		structure->is_cut = true;
		structure->depth++;
		return 0;
	}
	snprintf(qualified, sizeof(qualified), "%s%s%s", prefix, *prefix ? ":" : "", name);
	qualified[utf8_cut(qualified, strlen(qualified), sizeof(qualified) - 1)] = '\0';
	node = place(structure, qualified, &r);
	if (node) {
		node->count++;
		take_attributes(node, attributes);
	}
	structure->open[structure->depth++] = node;
	return r;
}

void xml_structure_text(struct xml_structure *structure)
{
	if (structure->depth > 0 && structure->depth <= STRUCTURE_DEPTH_MAX && structure->open[structure->depth - 1])
		structure->open[structure->depth - 1]->has_text = true;
}

void xml_structure_end(struct xml_structure *structure)
{
	if (structure->depth > 0)
		structure->depth--;
}

/* Recursion is bounded by STRUCTURE_DEPTH_MAX. */
static void tell(const struct structure_node *node, struct buf *buf)
{
	buf_puts(buf, "{\"element\":");
	json_put_string(buf, node->name, strlen(node->name));
	buf_printf(buf, ",\"count\":%" PRIu64 "%s", node->count, node->has_text ? ",\"text\":true" : "");
	for (unsigned i = 0; i < node->attribute_count; i++) {
		buf_puts(buf, i == 0 ? ",\"attributes\":[" : ",");
		json_put_string(buf, node->attributes[i], strlen(node->attributes[i]));
	}
	buf_puts(buf, node->attribute_count > 0 ? "]" : "");
	for (const struct structure_node *child = node->first; child; child = child->next) {
		buf_puts(buf, child == node->first ? ",\"children\":[" : ",");
		tell(child, buf);
	}
	buf_puts(buf, node->first ? "]}" : "}");
}

int xml_structure_tell(const struct xml_structure *structure, struct buf *buf)
{
	if (!structure->root)
		return -ENOENT;
	tell(structure->root, buf);
	return buf_error(buf);
}
