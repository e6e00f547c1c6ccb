#include "shared/meta/apply.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/fault.h"
#include "shared/meta/apply_columns.h"

int apply_session(struct db *db)
{
	return db_run(db, QUERY_APPLY_SESSION, NULL, NULL);
}

int apply_position(struct db *db, int64_t tenant_id, int64_t *ret_journal_epoch, uint64_t *ret_position)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	r = db_run(db, QUERY_LEASE_POSITION, &params, &result);
	if (r < 0)
		return r;
	if (db_rows(result) == 0)
		return -ENOENT;
	*ret_journal_epoch = db_get_int(result, 0, 0);
	*ret_position = (uint64_t)db_get_int(result, 0, 1);
	return 0;
}

void apply_removed_release(struct apply_removed *removed)
{
	free(removed->paths);
	*removed = (struct apply_removed){0};
}

void apply_equal_release(struct apply_equal *equal)
{
	free(equal->pairs);
	*equal = (struct apply_equal){0};
}

/* --- one batch --- */

static int add_begin(struct db *db, int64_t tenant_id, int64_t epoch, int64_t journal_epoch,
		     const struct apply_record *records, int count)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, epoch);
	db_param_int(&params, journal_epoch);
	db_param_int(&params, (int64_t)records[0].position);
	db_param_int(&params, (int64_t)records[count - 1].position);
	return db_pipeline_add(db, QUERY_APPLY_BEGIN, &params);
}

static int add_end(struct db *db, int64_t tenant_id, uint64_t position)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, tenant_id);
	db_param_int(&params, (int64_t)position);
	return db_pipeline_add(db, QUERY_APPLY_END, &params);
}

static int take_equal(const struct db_result *result, struct apply_equal *ret_equal)
{
	int count = db_rows(result);
	struct apply_equal equal = {.count = count};

	if (count == 0)
		return 0;
	equal.pairs = calloc((size_t)count, sizeof(*equal.pairs));
	if (!equal.pairs)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		__auto_type pair = &equal.pairs[i];

		strncpy(pair->first, db_get_text(result, i, 0), sizeof(pair->first) - 1);
		pair->first_inode = db_get_int(result, i, 1);
		pair->first_object_id = db_get_int(result, i, 2);
		strncpy(pair->second, db_get_text(result, i, 3), sizeof(pair->second) - 1);
		pair->second_inode = db_get_int(result, i, 4);
		pair->second_object_id = db_get_int(result, i, 5);
	}
	*ret_equal = equal;
	return 0;
}

/* What tenant_lease_move() raises, and the rest by db.h. 1: applied before. */
static int class_of(struct db *db, int error, bool is_ambiguous)
{
	const char *state = db_sqlstate(db);

	if (is_ambiguous)
		return -EINPROGRESS;
	if (error != -ECANCELED)
		return error;
	if (strcmp(state, "TF001") == 0)
		return -ESTALE;
	return strcmp(state, "TF002") == 0 ? 1 : -EALREADY;
}

/* 1: applied before, nothing was changed now. */
static int run(struct db *db, int64_t tenant_id, int64_t epoch, int64_t journal_epoch,
	       const struct apply_record *records, int count, int extractor_version,
	       const struct collection *collection, struct apply_equal *ret_equal)
{
	struct db_result *results[APPLY_QUERIES_MAX] = {0};
	struct apply_pipeline pipeline = {.db = db, .tenant_id = tenant_id, .count = 1, .equal_index = -1};
	bool is_ambiguous = false;
	int r;

	/* Errors stick in the pipeline; run tells the first. */
	db_pipeline_begin(db, true);
	add_begin(db, tenant_id, epoch, journal_epoch, records, count);
	apply_pipeline_add(&pipeline, collection, extractor_version);
	add_end(db, tenant_id, records[count - 1].position);
	pipeline.count++;
	assert(pipeline.count <= APPLY_QUERIES_MAX);
	FAULT_POINT("apply_before_commit");
	r = db_pipeline_run(db, results, pipeline.count, &is_ambiguous);
	FAULT_POINT("apply_after_commit");
	if (r == 0 && pipeline.equal_index >= 0)
		r = take_equal(results[pipeline.equal_index], ret_equal);
	/* Sharing saves room; that there is no memory for it now must not make a batch that is committed look as if it
	 * failed. */
	if (r == -ENOMEM && pipeline.equal_index >= 0)
		r = 0;
	for (int i = 0; i < pipeline.count; i++)
		db_result_free(results[i]);
	return r < 0 ? class_of(db, r, is_ambiguous) : r;
}

int apply_batch(struct db *db, int64_t tenant_id, int64_t epoch, int64_t journal_epoch,
		const struct apply_record *records, int count, int extractor_version, struct apply_removed *ret_removed,
		struct apply_equal *ret_equal)
{
	cleanup(collection_release) struct collection collection = {0};
	struct apply_equal equal = {0};
	int r = 0;

	assert(count > 0);
	for (int i = 0; r == 0 && i < count; i++)
		r = collection_add(&collection, records[i].bytes, records[i].length);
	if (r == 0)
		r = collection_finish(&collection);
	if (r == 0)
		r = run(db, tenant_id, epoch, journal_epoch, records, count, extractor_version, &collection, &equal);
	if (r < 0)
		return r;
	*ret_removed = collection.removed;
	collection.removed = (struct apply_removed){0};
	*ret_equal = equal;
	return 0;
}
