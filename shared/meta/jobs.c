#include "shared/meta/jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/base/extractor_version.h"

static const char lane_letters[JOB_LANE_COUNT] = {[JOB_LANE_NORMAL] = 'n', [JOB_LANE_OCR] = 'o'};

void job_cache_key(int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE], char ret_key[JOB_CACHE_KEY_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	hex_encode(sha256, DIGEST_SIZE, hex);
	snprintf(ret_key, JOB_CACHE_KEY_SIZE, "file:%lld:%s:results", (long long)tenant_id, hex);
}

int job_prepare_session(struct db *db)
{
	autoparams struct db_params params;

	db_params_init(&params);
	return db_run(db, QUERY_JOB_SESSION, &params, NULL);
}

int job_instance(struct db *db, int64_t *instance)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, *instance);
	r = db_run(db, QUERY_JOB_INSTANCE, &params, &result);
	if (r < 0)
		return r;
	*instance = db_get_int(result, 0, 0);
	return 0;
}

static void copy_text(char *ret_text, size_t size, const struct db_result *result, int row, int column)
{
	const char *text = db_get_text(result, row, column);

	snprintf(ret_text, size, "%s", text ? text : "");
}

static void read_job(const struct db_result *result, int row, enum job_lane lane, struct job_row *job)
{
	size_t length = 0;
	const char *sha256 = db_get_bytes(result, row, 1, &length);

	if (sha256 && length == DIGEST_SIZE)
		memcpy(job->sha256, sha256, DIGEST_SIZE);
	job->lane = lane;
	job->tenant_id = db_get_int(result, row, 0);
	job->extractor_version = (int)db_get_int(result, row, 2);
	db_get_uuid(result, row, 3, job->job_id);
	db_get_uuid(result, row, 4, job->token);
	job->attempt = (int)db_get_int(result, row, 5);
	job->failures = (int)db_get_int(result, row, 6);
	job->object_id = db_get_int(result, row, 7);
	copy_text(job->tenant_code, sizeof(job->tenant_code), result, row, 8);
	copy_text(job->path, sizeof(job->path), result, row, 9);
	job->size_bytes = db_get_int(result, row, 10);
}

static void param_ints(struct db_params *params, const int64_t *values, int count)
{
	struct db_array array;

	db_array_init(&array, DB_TYPE_INT8);
	for (int i = 0; i < count; i++)
		db_array_int(&array, values[i]);
	db_param_array(params, &array);
	db_array_release(&array);
}

static void claim_params(const struct job_demand *demand, struct db_params *params)
{
	db_params_init(params);
	db_param_char(params, lane_letters[demand->lane]);
	db_param_int(params, EXTRACTOR_VERSION);
	db_param_int(params, demand->after_tenant_id);
	db_param_int(params, demand->limit);
	db_param_int(params, demand->tenant_limit);
	param_ints(params, demand->held_tenant_ids, demand->held_count);
	param_ints(params, demand->held_counts, demand->held_count);
	db_param_int(params, demand->lease_ms);
	db_param_int(params, demand->instance);
}

int job_claim(struct db *db, const struct job_demand *demand, struct job_row **ret_jobs, int *ret_count)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	struct job_row *jobs;
	int r, count;

	claim_params(demand, &params);
	r = db_run(db, QUERY_JOB_CLAIM, &params, &result);
	if (r < 0)
		return r;
	count = db_rows(result);
	jobs = calloc((size_t)count + 1, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM; /* the leases expire */
	for (int i = 0; i < count; i++)
		read_job(result, i, demand->lane, &jobs[i]);
	*ret_jobs = jobs;
	*ret_count = count;
	return 0;
}

int job_drop(struct db *db, const struct job_row *job)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, job->tenant_id);
	db_param_bytes(&params, job->sha256, DIGEST_SIZE);
	db_param_int(&params, job->extractor_version);
	db_param_text(&params, job->token);
	db_param_int(&params, job->object_id);
	r = db_run(db, QUERY_JOB_DROP, &params, &result);
	return r < 0 ? r : db_rows(result) > 0;
}

int job_reclaim(struct db *db, int *ret_count)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, JOB_ATTEMPT_MAX);
	r = db_run(db, QUERY_JOB_RECLAIM, &params, &result);
	if (r == 0)
		*ret_count = db_rows(result);
	return r;
}

/* The contents of a batch as two arrays. */
static void param_contents(struct db_params *params, const struct job_outcome *outcomes, int count)
{
	struct db_array tenants, hashes;

	db_array_init(&tenants, DB_TYPE_INT8);
	db_array_init(&hashes, DB_TYPE_BYTEA);
	for (; outcomes && count > 0; outcomes = outcomes->next, count--) {
		db_array_int(&tenants, outcomes->job.tenant_id);
		db_array_bytes(&hashes, outcomes->job.sha256, DIGEST_SIZE);
	}
	db_param_array(params, &tenants);
	db_param_array(params, &hashes);
	db_array_release(&tenants);
	db_array_release(&hashes);
}

int job_files(struct db *db, const struct job_outcome *outcomes, int count, int limit, struct job_file **ret_files,
	      int *ret_count)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	struct job_file *files;
	int r, found;

	db_params_init(&params);
	param_contents(&params, outcomes, count);
	db_param_int(&params, limit);
	r = db_run(db, QUERY_JOB_FILES, &params, &result);
	if (r < 0)
		return r;
	found = db_rows(result);
	files = calloc((size_t)found + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	for (int i = 0; i < found; i++) {
		copy_text(files[i].tenant_code, sizeof(files[i].tenant_code), result, i, 1);
		copy_text(files[i].file_id, sizeof(files[i].file_id), result, i, 3);
	}
	*ret_files = files;
	*ret_count = found;
	return 0;
}
