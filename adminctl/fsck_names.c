/* The rules that the database alone can tell: names, nodes, objects, counters. */
#include <errno.h>
#include <inttypes.h>
#include "adminctl/fsck.h"
#include "shared/db/db.h"
#include "shared/meta/column.h"

enum { FINDINGS_MAX = 10000 };

int fsck_names(struct fsck *fsck, const struct tenant_row *tenant)
{
	enum { COLUMN_IS_ERROR, COLUMN_RULE, COLUMN_INODE, COLUMN_PARENT, COLUMN_NAME, COLUMN_DETAIL };
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant->tenant_id);
	db_param_int(&params, FINDINGS_MAX);
	r = db_run(fsck->db, QUERY_FSCK_NAMES, &params, &result);
	if (r < 0)
		return r;
	for (int i = 0; i < db_rows(result); i++)
		fsck_report(fsck, db_get_bool(result, i, COLUMN_IS_ERROR), tenant->code,
			    db_get_text(result, i, COLUMN_RULE), column_bytes(result, i, COLUMN_NAME),
			    "inode %" PRId64 ": %s", db_get_int(result, i, COLUMN_INODE),
			    db_get_text(result, i, COLUMN_DETAIL));
	return 0;
}

int fsck_usage(struct fsck *fsck, const struct tenant_row *tenant)
{
	enum { COLUMN_USED_BYTES, COLUMN_FILE_COUNT, COLUMN_ROW_BYTES, COLUMN_ROW_FILES };
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant->tenant_id);
	r = db_run(fsck->db, QUERY_FSCK_USAGE, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return 0; /* deleted meanwhile */
	if (db_get_int(result, 0, COLUMN_USED_BYTES) != db_get_int(result, 0, COLUMN_ROW_BYTES))
		fsck_report(fsck, true, tenant->code, "usage_bytes", (struct bytes){0},
			    "%" PRId64 " bytes are charged, the rows add up to %" PRId64,
			    db_get_int(result, 0, COLUMN_USED_BYTES), db_get_int(result, 0, COLUMN_ROW_BYTES));
	if (db_get_int(result, 0, COLUMN_FILE_COUNT) != db_get_int(result, 0, COLUMN_ROW_FILES))
		fsck_report(fsck, true, tenant->code, "usage_files", (struct bytes){0},
			    "%" PRId64 " files are counted, there are %" PRId64,
			    db_get_int(result, 0, COLUMN_FILE_COUNT), db_get_int(result, 0, COLUMN_ROW_FILES));
	return 0;
}
