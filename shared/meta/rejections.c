/* What was refused in a tenant: the part of tenants.h that reads the table rejection. */
#include <errno.h>
#include <stdlib.h>
#include "shared/meta/column.h"
#include "shared/meta/tenants.h"

enum { COLUMN_FILE_ID, COLUMN_NAME, COLUMN_RULE, COLUMN_REASON, COLUMN_UID, COLUMN_REJECTED_AT };

void rejection_list_release(struct rejection_list *list)
{
	free(list->rows);
	db_result_free(list->result);
	*list = (struct rejection_list){0};
}

static void read_rejection(const struct db_result *result, int row, struct rejection_row *rejection)
{
	column_text(result, row, COLUMN_FILE_ID, rejection->file_id, sizeof(rejection->file_id));
	rejection->name = column_bytes(result, row, COLUMN_NAME);
	rejection->rule = column_bytes(result, row, COLUMN_RULE);
	rejection->reason = column_bytes(result, row, COLUMN_REASON);
	rejection->uid = db_get_int(result, row, COLUMN_UID);
	rejection->rejected_at_ns = db_get_time(result, row, COLUMN_REJECTED_AT);
}

static int list(struct db *db, int64_t tenant_id, const char *file_id, int limit, struct rejection_list *ret_list)
{
	autoparams struct db_params params;
	cleanup(rejection_list_release) struct rejection_list found = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_text(&params, file_id);
	db_param_int(&params, limit);
	r = db_run(db, QUERY_REJECTION_LIST, &params, &found.result);
	if (r < 0)
		return r;
	found.count = db_rows(found.result);
	found.rows = calloc((size_t)found.count + 1, sizeof(*found.rows));
	if (found.rows == NULL)
		return -ENOMEM;
	for (int i = 0; i < found.count; i++)
		read_rejection(found.result, i, &found.rows[i]);
	*ret_list = found;
	found = (struct rejection_list){0};
	return 0;
}

int rejection_list(struct db *db, int64_t tenant_id, int limit, struct rejection_list *ret_list)
{
	return list(db, tenant_id, NULL, limit, ret_list);
}

int rejection_of_file(struct db *db, int64_t tenant_id, const char *file_id, struct rejection_list *ret_list)
{
	return list(db, tenant_id, file_id, 1, ret_list);
}
