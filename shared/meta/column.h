/* Columns of a result as the types of shared/model/rows.h; what borrows lives as long as the result. */
#pragma once
#include <string.h>
#include "shared/db/db.h"
#include "shared/model/rows.h"

static inline struct bytes column_bytes(const struct db_result *result, int row, int column)
{
	struct bytes bytes = {0};

	bytes.data = db_get_bytes(result, row, column, &bytes.length);
	return bytes;
}

/* Copies text with its NUL; "" for NULL and for what does not fit, which the schema's checks rule out. */
static inline void column_text(const struct db_result *result, int row, int column, char *ret_text, size_t size)
{
	struct bytes bytes = column_bytes(result, row, column);

	ret_text[0] = '\0';
	if (bytes.data != NULL && bytes.length < size)
		memcpy(ret_text, bytes.data, bytes.length + 1);
}
