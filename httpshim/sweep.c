/* Sweeping: uploads that ran out, working names that a killed shim left, rows that nothing belongs to any more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/assembly.h"
#include "httpshim/background.h"
#include "httpshim/mount.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_rows.h"
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"

enum { DATABASE_WAIT_MS = 2000, BATCH = 500, PATH_SIZE = 512 };

/* A file or a folder with files in it; what is gone already is fine. */
static int remove_path(struct server *server, struct tenant *tenant, const char *path, bool is_folder)
{
	int r = is_folder ? assembly_remove_folder(server, tenant, path) : mount_remove(server->mount, tenant, path);

	return r == -ENOENT ? 0 : r;
}

static int sweep_upload(struct server *server, struct db *db, const struct db_result *result, int row)
{
	char code[TENANT_CODE_SIZE], upload_id[UUID_SIZE], folder[UPLOAD_FOLDER_SIZE];
	struct tenant *tenant;
	int r;

	column_text(result, row, 1, code, sizeof(code));
	db_get_uuid(result, row, 2, upload_id);
	column_text(result, row, 4, folder, sizeof(folder));
	r = tenant_cache_get(server->tenants, code, &tenant);
	if (r < 0)
		return r;
	if (*folder)
		r = remove_path(server, tenant, folder, db_get_char(result, row, 3) == 'c');
	if (r == 0)
		r = upload_row_delete(db, tenant->id, upload_id);
	tenant_unref(tenant);
	return r;
}

/* Any failure ends the round: a folder that could not be read is not an empty one. What is left is for the next. */
static int sweep_uploads(struct server *server, struct db *db, int64_t *ret_count)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, BATCH);
	r = db_run(db, QUERY_API_UPLOAD_EXPIRED, &params, &result);
	for (int row = 0; r == 0 && row < db_rows(result); row++) {
		r = sweep_upload(server, db, result, row);
		*ret_count += r == 0;
	}
	return r;
}

static int sweep_name(struct server *server, const struct db_result *result, int row)
{
	char code[TENANT_CODE_SIZE], path[PATH_SIZE];
	struct tenant *tenant;
	int r;

	column_text(result, row, 1, code, sizeof(code));
	column_text(result, row, 2, path, sizeof(path));
	r = *path ? tenant_cache_get(server->tenants, code, &tenant) : -EINVAL;
	if (r < 0)
		return r;
	r = remove_path(server, tenant, path, db_get_char(result, row, 3) == 'd');
	tenant_unref(tenant);
	return r;
}

static int sweep_names(struct server *server, struct db *db, int64_t *ret_count)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, server->upload_lifetime_s);
	db_param_int(&params, BATCH);
	r = db_run(db, QUERY_API_STALE_NAMES, &params, &result);
	for (int row = 0; r == 0 && row < db_rows(result); row++) {
		r = sweep_name(server, result, row);
		*ret_count += r == 0;
	}
	return r;
}

static int sweep_rows(struct db *db, struct sweep_counts *counts)
{
	struct db_result *result autoresult = NULL;
	int r = db_run(db, QUERY_API_CLEANUP, NULL, &result);

	if (r < 0)
		return r;
	counts->active_files = db_get_int(result, 0, 0);
	counts->scan_jobs = db_get_int(result, 0, 1);
	counts->datasets = db_get_int(result, 0, 2);
	counts->revoked_tokens = db_get_int(result, 0, 3);
	return 0;
}

int background_sweep(struct server *server, struct sweep_counts *ret_counts)
{
	struct db *db;
	int r;

	*ret_counts = (struct sweep_counts){0};
	r = db_pool_get(server->database, DATABASE_WAIT_MS, &db);
	if (r < 0)
		return r;
	r = sweep_uploads(server, db, &ret_counts->uploads);
	if (r == 0)
		r = sweep_names(server, db, &ret_counts->working_names);
	if (r == 0)
		r = sweep_rows(db, ret_counts);
	db_pool_put(server->database, db);
	if (r < 0)
		log_warn("the sweep ended early", "error", log_errno(r));
	return r;
}
