/* What a new holder finds in the database after the replay, and what it puts in order: files that were unlinked while
 * open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/log.h"
#include "shared/model/change.h"

/* --- reading --- */

static int read_usage(struct db *db, const struct db_params *params, struct durable_start *start)
{
	autoresult struct db_result *result = NULL;
	int r = db_run(db, QUERY_USAGE_GET, params, &result);

	if (r < 0)
		return r;
	start->next_sequence = start->next_object_id = 1;
	if (db_rows(result) == 0)
		return 0;
	start->used_bytes = db_get_int(result, 0, 0);
	start->file_count = db_get_int(result, 0, 1);
	start->next_sequence = db_get_int(result, 0, 2);
	start->next_object_id = db_get_int(result, 0, 3);
	return 0;
}

static int read_spools(struct db *db, const struct db_params *params, struct durable_start *start)
{
	autoresult struct db_result *result = NULL;
	int r = db_run(db, QUERY_SPOOL_LIST, params, &result), count;

	if (r < 0)
		return r;
	count = db_rows(result);
	start->spools = calloc((size_t)count + 1, sizeof(*start->spools));
	if (!start->spools)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		struct durable_spool *spool = &start->spools[i];

		spool->inode = db_get_int(result, i, 0);
		strncpy(spool->name, db_get_text(result, i, 1), sizeof(spool->name) - 1);
		spool->size_bytes = db_get_int(result, i, 2);
	}
	start->spool_count = count;
	return 0;
}

int start_read(struct db *db, int64_t tenant_id, struct durable_start *start)
{
	autoparams struct db_params params;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	r = read_usage(db, &params, start);
	return r < 0 ? r : read_spools(db, &params, start);
}

/* --- sweeping --- */

enum { SWEEP_INODE, SWEEP_KIND, SWEEP_SIZE, SWEEP_ATTRIBUTE_BYTES, SWEEP_OBJECT_ID, SWEEP_PATH };

static void put_object_delete(struct buf *record, const struct db_result *result, int row)
{
	struct change change = {.kind = CHANGE_OBJECT_DELETE};

	change.object.object_id = db_get_int(result, row, SWEEP_OBJECT_ID);
	strncpy(change.object.path, db_get_text(result, row, SWEEP_PATH), sizeof(change.object.path) - 1);
	record_put(record, &change);
}

static void put_node_delete(struct buf *record, int64_t inode)
{
	struct change change = {.kind = CHANGE_NODE_DELETE};

	change.node.inode = inode;
	record_put(record, &change);
}

static void put_usage(struct buf *record, const struct durable_start *start)
{
	struct change change = {.kind = CHANGE_USAGE};

	change.usage.used_bytes = start->used_bytes > 0 ? start->used_bytes : 0;
	change.usage.file_count = start->file_count > 0 ? start->file_count : 0;
	record_put(record, &change);
}

/* The rows of one inode, from *row on, as one record. */
static void make_record(struct buf *record, const struct db_result *result, int *row, struct durable_start *start)
{
	int64_t inode = db_get_int(result, *row, SWEEP_INODE);

	buf_reset(record);
	put_node_delete(record, inode);
	start->used_bytes -= db_get_int(result, *row, SWEEP_ATTRIBUTE_BYTES);
	if (db_get_char(result, *row, SWEEP_KIND) == 'f') {
		start->used_bytes -= db_get_int(result, *row, SWEEP_SIZE);
		start->file_count--;
	}
	for (; *row < db_rows(result) && db_get_int(result, *row, SWEEP_INODE) == inode; (*row)++) {
		if (!db_is_null(result, *row, SWEEP_OBJECT_ID))
			put_object_delete(record, result, *row);
	}
	put_usage(record, start);
}

int sweep_unlinked(struct durable_tenant *tenant, struct db *db, struct durable_start *start)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	int r, row = 0, swept = 0;

	db_params_init(&params);
	db_param_int(&params, tenant->tenant_id);
	r = db_run(db, QUERY_UNLINKED_LIST, &params, &result);
	while (r == 0 && row < db_rows(result)) {
		struct durable_start after = *start;
		uint64_t position;

		make_record(&record, result, &row, &after);
		r = durable_append(tenant, &record, true, &position);
		/* What there is no room for now the next holder sweeps. */
		if (r == 0) {
			*start = after;
			swept++;
		}
	}
	if (swept > 0)
		log_info("files that were unlinked while open are gone", "tenant", tenant->code, "count",
			 log_number(swept));
	buf_release(&record);
	return r;
}
