#include "httpshim/upload_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"

enum {
	COLUMN_ID,
	COLUMN_PROTOCOL,
	COLUMN_STATE,
	COLUMN_SUB,
	COLUMN_NAME,
	COLUMN_SIZE,
	COLUMN_FILE_ID,
	COLUMN_FOLDER,
	COLUMN_REQUEST,
	COLUMN_CREDENTIAL,
	COLUMN_PARTIAL,
	COLUMN_ERROR,
	COLUMN_WORKED_ON,
	COLUMN_EXPIRES,
	COLUMN_EXPIRED
};

void upload_row_release(struct upload_row *row)
{
	json_decref(row->request);
	json_decref(row->credential);
	free(row->error);
	*row = (struct upload_row){0};
}

static json_t *read_json(const struct db_result *result, int column)
{
	size_t length;
	const char *text = db_get_bytes(result, 0, column, &length);

	return text ? json_loadb(text, length, 0, NULL) : NULL;
}

static int read_row(const struct db_result *result, struct upload_row *row)
{
	const char *error = db_get_text(result, 0, COLUMN_ERROR);

	db_get_uuid(result, 0, COLUMN_ID, row->upload_id);
	row->protocol = db_get_char(result, 0, COLUMN_PROTOCOL);
	column_text(result, 0, COLUMN_STATE, row->state, sizeof(row->state));
	column_text(result, 0, COLUMN_SUB, row->subject, sizeof(row->subject));
	column_text(result, 0, COLUMN_FILE_ID, row->file_id, sizeof(row->file_id));
	column_text(result, 0, COLUMN_FOLDER, row->folder, sizeof(row->folder));
	row->size_bytes = db_is_null(result, 0, COLUMN_SIZE) ? -1 : db_get_int(result, 0, COLUMN_SIZE);
	row->request = read_json(result, COLUMN_REQUEST);
	row->credential = read_json(result, COLUMN_CREDENTIAL);
	row->is_partial = db_get_bool(result, 0, COLUMN_PARTIAL);
	row->is_worked_on = db_get_bool(result, 0, COLUMN_WORKED_ON);
	row->expires_ns = db_get_time(result, 0, COLUMN_EXPIRES);
	row->is_expired = db_get_bool(result, 0, COLUMN_EXPIRED);
	row->error = error ? strdup(error) : NULL;
	return row->request && (!error || row->error) ? 0 : -ENOMEM;
}

int upload_row_find(struct db *db, int64_t tenant_id, const char *upload_id, const char *file_id, struct upload_row *ret_row)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	struct upload_row row autoupload = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	if (upload_id)
		db_param_uuid(&params, upload_id);
	else
		db_param_null(&params);
	db_param_text(&params, upload_id ? NULL : file_id);
	r = db_run(db, QUERY_API_UPLOAD_FIND, &params, &result);
	if (r == 0)
		r = db_rows(result) > 0 ? read_row(result, &row) : -ENOENT;
	if (r < 0)
		return r;
	*ret_row = row;
	row = (struct upload_row){0};
	return 0;
}

int upload_row_create(const struct request *request, struct db *db, const struct upload_creation *creation,
		      int64_t *ret_expires_ns)
{
	char *text autofree = json_dumps(creation->request, JSON_COMPACT);
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	if (!text)
		return -ENOMEM;
	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, creation->upload_id);
	db_param_char(&params, creation->protocol);
	db_param_text(&params, request->principal.subject);
	db_param_bytes(&params, NULL, 0);
	db_param_int_or_null(&params, creation->size_bytes, creation->size_bytes < 0);
	db_param_text(&params, creation->folder);
	db_param_json(&params, text, strlen(text));
	db_param_bool(&params, creation->is_partial);
	db_param_int(&params, request->server->upload_lifetime_s);
	r = db_run(db, QUERY_API_UPLOAD_CREATE, &params, &result);
	if (r == 0)
		*ret_expires_ns = db_get_time(result, 0, 0);
	return r;
}

static void init_key(struct db_params *params, int64_t tenant_id, const char *upload_id)
{
	db_params_init(params);
	db_param_int(params, tenant_id);
	db_param_uuid(params, upload_id);
}

int upload_row_delete(struct db *db, int64_t tenant_id, const char *upload_id)
{
	struct db_params params autoparams = {0};

	init_key(&params, tenant_id, upload_id);
	return db_run(db, QUERY_API_UPLOAD_DELETE, &params, NULL);
}

int upload_row_chunks(struct db *db, int64_t tenant_id, const char *upload_id, struct upload_chunk **ret_chunks, int *ret_count)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	struct upload_chunk *chunks;
	int r, count;

	init_key(&params, tenant_id, upload_id);
	r = db_run(db, QUERY_API_UPLOAD_CHUNKS, &params, &result);
	if (r < 0)
		return r;
	count = db_rows(result);
	chunks = calloc((size_t)count + 1, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		chunks[i].index = db_get_int(result, i, 0);
		chunks[i].size_bytes = db_get_int(result, i, 1);
	}
	*ret_chunks = chunks;
	*ret_count = count;
	return 0;
}

void upload_folder(const char *upload_id, char ret_folder[UPLOAD_FOLDER_SIZE])
{
	char month[CLOCK_MONTH_SIZE];

	clock_format_month(clock_realtime_ns(), month);
	snprintf(ret_folder, UPLOAD_FOLDER_SIZE, "%s/.upload-%s", month, upload_id);
}
