#include "shared/meta/tenants.h"

#include <errno.h>
#include <stdlib.h>
#include "shared/meta/column.h"

enum tenant_column {
	COLUMN_TENANT_ID,
	COLUMN_CODE,
	COLUMN_UUID,
	COLUMN_NAME,
	COLUMN_DESCRIPTION,
	COLUMN_CONFIGURATION,
	COLUMN_IS_ACTIVE,
	COLUMN_IS_DELETING,
	COLUMN_QUOTA,
	COLUMN_FILE_LIMIT,
	COLUMN_OWNER_UID,
	COLUMN_OWNER_GID,
	COLUMN_MODE,
	COLUMN_ROOT_INODE,
	COLUMN_CREATED_AT,
	COLUMN_UPDATED_AT,
	COLUMN_USED_BYTES,
	COLUMN_FILE_COUNT
};

static int64_t limit_of(const struct db_result *result, int row, int column)
{
	return db_is_null(result, row, column) ? -1 : db_get_int(result, row, column);
}

static void read_tenant(const struct db_result *result, int row, struct tenant_row *tenant)
{
	tenant->tenant_id = db_get_int(result, row, COLUMN_TENANT_ID);
	column_text(result, row, COLUMN_CODE, tenant->code, sizeof(tenant->code));
	db_get_uuid(result, row, COLUMN_UUID, tenant->uuid);
	tenant->name = column_bytes(result, row, COLUMN_NAME);
	tenant->description = column_bytes(result, row, COLUMN_DESCRIPTION);
	tenant->configuration = column_bytes(result, row, COLUMN_CONFIGURATION);
	tenant->is_active = db_get_bool(result, row, COLUMN_IS_ACTIVE);
	tenant->is_deleting = db_get_bool(result, row, COLUMN_IS_DELETING);
	tenant->storage_quota_bytes = limit_of(result, row, COLUMN_QUOTA);
	tenant->file_count_limit = limit_of(result, row, COLUMN_FILE_LIMIT);
	tenant->owner_uid = db_get_int(result, row, COLUMN_OWNER_UID);
	tenant->owner_gid = db_get_int(result, row, COLUMN_OWNER_GID);
	tenant->mode = (uint32_t)db_get_int(result, row, COLUMN_MODE);
	tenant->root_inode = db_get_int(result, row, COLUMN_ROOT_INODE);
	tenant->created_at_ns = db_get_time(result, row, COLUMN_CREATED_AT);
	tenant->updated_at_ns = db_get_time(result, row, COLUMN_UPDATED_AT);
}

void tenant_list_release(struct tenant_list *list)
{
	free(list->rows);
	free(list->usage);
	db_result_free(list->result);
	*list = (struct tenant_list){0};
}

/* Runs a query of tenant_find's columns. */
static int run_list(struct db *db, enum query_id query, const struct db_params *params, struct tenant_list *ret_list)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r = db_run(db, query, params, &list.result);

	if (r < 0)
		return r;
	list.count = db_rows(list.result);
	list.rows = calloc((size_t)list.count + 1, sizeof(*list.rows));
	list.usage = calloc((size_t)list.count + 1, sizeof(*list.usage));
	if (list.rows == NULL || list.usage == NULL)
		return -ENOMEM;
	for (int i = 0; i < list.count; i++) {
		read_tenant(list.result, i, &list.rows[i]);
		list.usage[i].used_bytes = db_get_int(list.result, i, COLUMN_USED_BYTES);
		list.usage[i].file_count = db_get_int(list.result, i, COLUMN_FILE_COUNT);
	}
	*ret_list = list;
	list = (struct tenant_list){0};
	return 0;
}

static int find(struct db *db, int64_t tenant_id, const char *code_or_uuid, struct tenant_list *ret_list)
{
	autoparams struct db_params params;
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r;

	db_params_init(&params);
	db_param_int_or_null(&params, tenant_id, code_or_uuid != NULL);
	db_param_text(&params, code_or_uuid);
	r = run_list(db, QUERY_TENANT_FIND, &params, &list);
	if (r < 0)
		return r;
	if (list.count == 0)
		return -ENOENT;
	*ret_list = list;
	list = (struct tenant_list){0};
	return 0;
}

int tenant_find(struct db *db, const char *code_or_uuid, struct tenant_list *ret_list)
{
	return find(db, 0, code_or_uuid, ret_list);
}

int tenant_find_by_id(struct db *db, int64_t tenant_id, struct tenant_list *ret_list)
{
	return find(db, tenant_id, NULL, ret_list);
}

int tenant_list(struct db *db, const char *after_code, int64_t skip, int64_t limit, struct tenant_list *ret_list)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_text(&params, after_code != NULL ? after_code : "");
	db_param_int(&params, skip);
	db_param_int(&params, limit);
	return run_list(db, QUERY_TENANT_LIST, &params, ret_list);
}

/* The fields in the order both statements have them; those without their bit travel as NULL. */
static void put_fields(struct db_params *params, const struct tenant_change *change)
{
	unsigned fields = change->fields;
	bool has_configuration = (fields & (TENANT_CONFIGURATION | TENANT_CONFIGURATION_PATCH)) != 0;

	db_param_text(params, fields & TENANT_NAME ? change->name : NULL);
	db_param_text(params, fields & TENANT_DESCRIPTION ? change->description : NULL);
	if (fields & TENANT_ACTIVE)
		db_param_bool(params, change->is_active);
	else
		db_param_null(params);
	db_param_int_or_null(params, change->storage_quota_bytes,
			     !(fields & TENANT_QUOTA) || change->storage_quota_bytes < 0);
	db_param_int_or_null(params, change->file_count_limit,
			     !(fields & TENANT_FILE_LIMIT) || change->file_count_limit < 0);
	db_param_json(params, has_configuration ? change->configuration.data : NULL, change->configuration.length);
	db_param_int_or_null(params, change->owner_uid, !(fields & TENANT_OWNER));
	db_param_int_or_null(params, change->owner_gid, !(fields & TENANT_GROUP));
	db_param_int_or_null(params, change->mode, !(fields & TENANT_MODE));
}

/* Runs a statement that returns the tenant_id of the row it touched. -ENOENT: it touched none. */
static int run_returning_id(struct db *db, enum query_id query, const struct db_params *params, int64_t *ret_tenant_id)
{
	autoresult struct db_result *result = NULL;
	int r = db_run(db, query, params, &result);

	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT;
	*ret_tenant_id = db_get_int(result, 0, 0);
	return 0;
}

int tenant_create(struct db *db, const char *code, const struct tenant_change *values, struct tenant_list *ret_list)
{
	autoparams struct db_params params;
	int64_t tenant_id;
	int r;

	db_params_init(&params);
	if (!tenant_code_is_valid(code))
		return -EINVAL;
	db_param_text(&params, code);
	put_fields(&params, values);
	r = run_returning_id(db, QUERY_TENANT_CREATE, &params, &tenant_id);
	if (r < 0)
		return r;
	return tenant_find_by_id(db, tenant_id, ret_list);
}

int tenant_change(struct db *db, int64_t tenant_id, const struct tenant_change *change, struct tenant_list *ret_list)
{
	autoparams struct db_params params;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, change->fields);
	put_fields(&params, change);
	r = run_returning_id(db, QUERY_TENANT_CHANGE, &params, &tenant_id);
	if (r < 0)
		return r;
	return tenant_find_by_id(db, tenant_id, ret_list);
}

int tenant_request_delete(struct db *db, int64_t tenant_id)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	return run_returning_id(db, QUERY_TENANT_REQUEST_DELETE, &params, &tenant_id);
}

int tenant_stats(struct db *db, int64_t tenant_id, struct buf *ret_json)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	size_t length;
	const char *json;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	r = db_run(db, QUERY_TENANT_STATS, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT;
	json = db_get_bytes(result, 0, 0, &length);
	return buf_append(ret_json, json, length);
}
