/*
 * What the values at each place of a JSON document look like, put together while it is read: the words are those of
 * JSON Schema (type, properties, required, items). Bounded: places beyond SCHEMA_NODES_MAX or deeper than
 * SCHEMA_DEPTH_MAX are only counted.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/worker/formats/json_reader.h"
#include "shared/base/table.h"

enum { SCHEMA_NODES_MAX = 5000, SCHEMA_DEPTH_MAX = 24, SCHEMA_NAME_MAX = 256, SCHEMA_JSON_MAX = 640 << 10 };

enum schema_type {
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_INTEGER,
	SCHEMA_NUMBER,
	SCHEMA_STRING,
	SCHEMA_OBJECT,
	SCHEMA_ARRAY,
	SCHEMA_TYPE_COUNT
};

struct schema_node {
	uint64_t counts[SCHEMA_TYPE_COUNT];
	uint64_t dates;	    /* of the strings: ISO dates and times */
	uint64_t items_max; /* the longest array */
	uint64_t omitted;   /* properties that found no place */
	struct schema_node *parent, *items;
	struct schema_node *first, *last, *next; /* properties, in the order in which they appeared; the next sibling */
	struct schema_node *cursor; /* the property after the last one met: most objects repeat their order */
	struct table_link link;
	char *name; /* of a property */
	uint32_t name_length;
};

struct json_schema {
	struct schema_node root;
	struct table properties; /* by parent and name */
	unsigned nodes;
	/* while reading */
	struct schema_node *open[SCHEMA_DEPTH_MAX]; /* the containers around */
	uint64_t items[SCHEMA_DEPTH_MAX];	    /* of the open arrays, so far */
	struct schema_node *place;		    /* where the next value belongs; NULL: nowhere */
	unsigned depth;				    /* may go beyond SCHEMA_DEPTH_MAX */
	unsigned depth_max;
	bool is_cut; /* some places were left out */
};

int json_schema_init(struct json_schema *schema); /* -ENOMEM */
void json_schema_release(struct json_schema *schema);
/* The next event of the reader. A value at the top may follow another (JSON Lines). -ENOMEM. */
int json_schema_put(struct json_schema *schema, struct json_reader *reader, enum json_event event);
/* Forgets the containers that a broken line left open. */
void json_schema_abandon(struct json_schema *schema);
/* One JSON object, appended. -EOVERFLOW: longer than SCHEMA_JSON_MAX. */
int json_schema_tell(const struct json_schema *schema, struct buf *buf);
