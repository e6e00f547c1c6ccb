#include "shared/meta/jobs_admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/base/extractor_version.h"

static const struct {
	char letter;
	const char *name;
} states[] = {{'q', "pending"}, {'r', "processing"}, {'d', "completed"}, {'f', "failed"}, {'x', "cancelled"}};

enum { STATE_COUNT = sizeof(states) / sizeof(*states) };

const char *job_state_name(char state)
{
	for (int i = 0; i < STATE_COUNT; i++)
		if (states[i].letter == state)
			return states[i].name;
	return "unknown";
}

char job_state_letter(const char *name)
{
	for (int i = 0; i < STATE_COUNT; i++)
		if (strcmp(states[i].name, name) == 0)
			return states[i].letter;
	return 0;
}

void job_list_release(struct job_list *list)
{
	free(list->rows);
	db_result_free(list->result);
	*list = (struct job_list){0};
}

static struct bytes get_bytes(const struct db_result *result, int row, int column)
{
	struct bytes bytes = {0};

	bytes.data = db_get_bytes(result, row, column, &bytes.length);
	return bytes;
}

static void copy_text(char *ret_text, size_t size, const struct db_result *result, int row, int column)
{
	const char *text = db_get_text(result, row, column);

	snprintf(ret_text, size, "%s", text ? text : "");
}

/* The columns of job_list.sql, in their order. */
static void read_row(const struct db_result *result, int row, struct job_info *info)
{
	struct bytes sha256 = get_bytes(result, row, 3);

	db_get_uuid(result, row, 0, info->job_id);
	info->tenant_id = db_get_int(result, row, 1);
	copy_text(info->tenant_code, sizeof(info->tenant_code), result, row, 2);
	if (sha256.length == DIGEST_SIZE)
		memcpy(info->sha256, sha256.data, DIGEST_SIZE);
	info->extractor_version = (int)db_get_int(result, row, 4);
	info->state = db_get_char(result, row, 5);
	info->lane = db_get_char(result, row, 6);
	info->attempt = (int)db_get_int(result, row, 7);
	info->failures = (int)db_get_int(result, row, 8);
	info->size_bytes = db_get_int(result, row, 9);
	info->error = get_bytes(result, row, 10);
	info->extractor = get_bytes(result, row, 11);
	info->media_type = get_bytes(result, row, 12);
	info->duration_ms = db_get_int(result, row, 13);
	info->created_at_ns = db_get_time(result, row, 14);
	info->updated_at_ns = db_get_time(result, row, 15);
	info->completed_at_ns = db_get_time(result, row, 16);
	info->not_before_ns = db_get_time(result, row, 17);
	info->lease_expires_at_ns = db_get_time(result, row, 18);
	copy_text(info->file_id, sizeof(info->file_id), result, row, 19);
	info->file_name = get_bytes(result, row, 20);
	info->file_count = db_get_int(result, row, 21);
}

static void param_letter(struct db_params *params, char letter)
{
	if (letter)
		db_param_char(params, letter);
	else
		db_param_null(params);
}

static void param_uuid(struct db_params *params, const char *uuid)
{
	if (uuid)
		db_param_uuid(params, uuid);
	else
		db_param_null(params);
}

int job_list(struct db *db, const struct job_filter *filter, struct job_list *ret_list)
{
	autoparams struct db_params params;
	autojobs struct job_list list = {0};
	int r;

	db_params_init(&params);
	db_param_int_or_null(&params, filter->tenant_id, filter->tenant_id == 0);
	param_letter(&params, filter->state);
	param_letter(&params, filter->lane);
	db_param_text(&params, filter->extractor);
	param_uuid(&params, filter->job_id);
	db_param_int(&params, filter->limit);
	r = db_run(db, QUERY_JOB_LIST, &params, &list.result);
	if (r < 0)
		return r;
	list.rows = calloc((size_t)db_rows(list.result) + 1, sizeof(*list.rows));
	if (!list.rows)
		return -ENOMEM;
	list.count = db_rows(list.result);
	for (int i = 0; i < list.count; i++)
		read_row(list.result, i, &list.rows[i]);
	*ret_list = list;
	list = (struct job_list){0};
	return 0;
}

/* A statement over (tenant_id, job_id) that gives a row for each job it changed. */
static int change_jobs(struct db *db, enum query_id query, int64_t tenant_id, const char *job_id, int *ret_count)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int_or_null(&params, tenant_id, tenant_id == 0);
	param_uuid(&params, job_id);
	r = db_run(db, query, &params, &result);
	if (r == 0)
		*ret_count = db_rows(result);
	return r;
}

int job_retry(struct db *db, int64_t tenant_id, const char *job_id, int *ret_count)
{
	return change_jobs(db, QUERY_JOB_RETRY, tenant_id, job_id, ret_count);
}

int job_cancel(struct db *db, int64_t tenant_id, const char *job_id, int *ret_count)
{
	return change_jobs(db, QUERY_JOB_CANCEL, tenant_id, job_id, ret_count);
}

int job_rerun(struct db *db, int64_t tenant_id, const char *extractor, bool only_older, int64_t *ret_count)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int r;

	db_params_init(&params);
	db_param_int_or_null(&params, tenant_id, tenant_id == 0);
	db_param_text(&params, extractor);
	db_param_int(&params, EXTRACTOR_VERSION);
	db_param_bool(&params, only_older);
	r = db_run(db, QUERY_JOB_RERUN, &params, &result);
	if (r == 0)
		*ret_count = db_get_int(result, 0, 0);
	return r;
}

int job_stats(struct db *db, int64_t tenant_id, struct buf *ret_json)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	struct bytes json;
	int r;

	db_params_init(&params);
	db_param_int_or_null(&params, tenant_id, tenant_id == 0);
	r = db_run(db, QUERY_JOB_STATS, &params, &result);
	if (r < 0)
		return r;
	json = get_bytes(result, 0, 0);
	return buf_append(ret_json, json.data, json.length);
}
