/* Which elements an XML document has and how they lie in one another, put together while it is read. Bounded. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/worker/formats/xml_walk.h"
#include "shared/base/buf.h"
#include "shared/base/table.h"

enum {
	STRUCTURE_NODES_MAX = 3000,
	STRUCTURE_DEPTH_MAX = 24,
	STRUCTURE_ATTRIBUTES_MAX = 32,
	STRUCTURE_JSON_MAX = 512 << 10
};

struct structure_node;

struct xml_structure {
	struct structure_node *root;
	struct structure_node *open[STRUCTURE_DEPTH_MAX]; /* NULL where a place was left out */
	struct table places;				  /* of nodes, by parent and name */
	unsigned depth, nodes;
	bool is_cut;
};

int xml_structure_init(struct xml_structure *structure); /* -ENOMEM */
void xml_structure_release(struct xml_structure *structure);
int xml_structure_begin(struct xml_structure *structure, const char *prefix, const char *name,
			const struct xml_attributes *attributes); /* -ENOMEM */
void xml_structure_text(struct xml_structure *structure);	  /* the open element has text */
void xml_structure_end(struct xml_structure *structure);
/* {"element", "count", "text", "attributes": […], "children": […]}, appended. -EOVERFLOW. */
int xml_structure_tell(const struct xml_structure *structure, struct buf *buf);
