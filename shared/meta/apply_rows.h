/* Rows as columns, for unnest(). */
#pragma once
#include "shared/db/db.h"
#include "shared/model/change.h"

enum { COLUMNS_MAX = 24 };

struct columns {
	struct db_array arrays[COLUMNS_MAX];
	int count;
};

enum row_shape_id {
	ROW_NODE,
	ROW_ENTRY,
	ROW_OBJECT,
	ROW_ATTRIBUTE,
	ROW_SPOOL,
	ROW_REJECTION,
	ROW_EVENT,
	ROW_EXTRACT,
	ROW_ENTRY_KEY,
	ROW_ATTRIBUTE_KEY,
	ROW_INODE,
	ROW_OBJECT_CONTENT,
	ROW_OBJECT_KEY,
	ROW_SPOOL_KEY,
	ROW_SHAPE_COUNT
};

struct row_shape {
	const uint32_t *types;						   /* of the columns, 0 at the end */
	void (*put)(struct columns *columns, const struct change *change); /* errors stick in the arrays */
};
extern const struct row_shape row_shapes[ROW_SHAPE_COUNT];

void columns_init(struct columns *columns, enum row_shape_id shape);
void columns_release(struct columns *columns);
