#include "shared/meta/tenant_remove.h"

#include <errno.h>
#include <sys/stat.h>
#include "shared/meta/tenants.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"

enum { ROWS_PER_BATCH = 2000 };

enum { COLUMN_IS_HELD, COLUMN_FILES, COLUMN_FOLDERS, COLUMN_FILE_BYTES, COLUMN_EXTRACTIONS, COLUMN_ROWS };

/* Why a statement that checks lease and request touched nothing. */
static int explain_refusal(struct db *db, int64_t tenant_id)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int r = tenant_find_by_id(db, tenant_id, &list);

	if (r < 0)
		return r;
	return list.rows[0].is_deleting ? -ESTALE : -EPERM;
}

/* 1: there may be more rows; 0: none is left. */
static int remove_batch(struct db *db, int64_t tenant_id, int64_t epoch, struct tenant_removed *removed)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, epoch);
	db_param_int(&params, ROWS_PER_BATCH);
	r = db_run(db, QUERY_TENANT_REMOVE_ROWS, &params, &result);
	if (r < 0)
		return r;
	if (!db_get_bool(result, 0, COLUMN_IS_HELD))
		return explain_refusal(db, tenant_id);
	removed->files += db_get_int(result, 0, COLUMN_FILES);
	removed->folders += db_get_int(result, 0, COLUMN_FOLDERS);
	removed->bytes += db_get_int(result, 0, COLUMN_FILE_BYTES);
	removed->extractions += db_get_int(result, 0, COLUMN_EXTRACTIONS);
	return db_get_int(result, 0, COLUMN_ROWS) > 0;
}

static int remove_row(struct db *db, int64_t tenant_id, int64_t epoch)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, epoch);
	r = db_run(db, QUERY_TENANT_REMOVE_ROW, &params, &result);
	if (r < 0)
		return r;
	return db_rows(result) > 0 ? 0 : explain_refusal(db, tenant_id);
}

int tenant_remove(struct db *db, struct store *store, int64_t tenant_id, const char *code, int64_t epoch,
		  void (*progress)(const struct tenant_removed *so_far, void *context), void *context,
		  struct tenant_removed *ret_removed)
{
	struct tenant_removed removed = {0};
	int r;

	do {
		r = remove_batch(db, tenant_id, epoch, &removed);
		if (r > 0 && progress != NULL)
			progress(&removed, context);
	} while (r > 0);
	if (r < 0)
		return r;
	/* No row names the bytes any more: should this stop here, the next call finds no rows and goes on with the
	 * bytes. */
	r = store_remove_tenant(store, code);
	if (r < 0 && r != -ENOENT)
		return r;
	r = journal_remove_all(store_journal_dir(store), tenant_id);
	if (r < 0)
		return r;
	r = remove_row(db, tenant_id, epoch);
	if (r == 0 && ret_removed != NULL)
		*ret_removed = removed;
	return r;
}

int tenant_remove_acquire(struct db *db, int64_t tenant_id, const char *holder, int64_t *ret_epoch)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_text(&params, holder);
	r = db_run(db, QUERY_TENANT_REMOVE_LEASE, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0) {
		r = explain_refusal(db, tenant_id);
		return r == -ESTALE ? -EBUSY : r;
	}
	*ret_epoch = db_get_int(result, 0, 0);
	return 0;
}
