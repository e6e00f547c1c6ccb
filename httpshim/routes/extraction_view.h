/* An extraction as JSON, from the columns that sql/queries/api_extraction_find.sql names. */
#pragma once
#include "httpshim/schema.h"

struct buf;
struct db_result;
struct tenant;

#define EXTRACTION_TYPES    "text|metadata|structured_data|full"
#define EXTRACTION_STATUSES "pending|processing|completed|failed"

extern const struct schema extraction_schema, extraction_list_schema;

/* first: the column the extraction begins at. */
void extraction_put(struct buf *buf, const struct tenant *tenant, const struct db_result *result, int row, int first);
/* All rows as an array; rows whose id is null are left out. */
void extraction_put_list(struct buf *buf, const struct tenant *tenant, const struct db_result *result, int first);
