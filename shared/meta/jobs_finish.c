/* Writing what became of jobs: one statement over arrays, a column each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/meta/jobs.h"

enum { PAYLOAD_MAX = 7900 /* of a NOTIFY: 8000 */, PAYLOADS_MAX = 1 << 20 };

void job_result_release(struct job_result *result)
{
	buf_release(&result->text);
	buf_release(&result->pages);
	buf_release(&result->metadata);
	buf_release(&result->data);
	buf_release(&result->warnings);
	buf_release(&result->summary);
	buf_release(&result->letters);
}

void job_outcome_free(struct job_outcome *outcome)
{
	if (!outcome)
		return;
	job_result_release(&outcome->result);
	free(outcome);
}

/* The columns of job_finish.sql, in its order. */
enum column {
	TENANT_ID,
	SHA256,
	VERSION,
	TOKEN,
	NEXT_STATE,
	LANE,
	DELAY_MS,
	FAILURES,
	ATTEMPT_CHANGE,
	ERROR,
	HAS_RESULT,
	EXTRACTOR,
	STATUS,
	MEDIA_TYPE,
	TEXT,
	PAGES,
	METADATA,
	DATA,
	SUMMARY,
	LETTERS,
	CONFIDENCE,
	WARNINGS,
	DURATION_MS,
	COLUMN_COUNT
};

static const uint32_t column_types[COLUMN_COUNT] = {
	[TENANT_ID] = DB_TYPE_INT8, [SHA256] = DB_TYPE_BYTEA,	  [VERSION] = DB_TYPE_INT8,
	[TOKEN] = DB_TYPE_TEXT,	    [NEXT_STATE] = DB_TYPE_CHAR,  [LANE] = DB_TYPE_CHAR,
	[DELAY_MS] = DB_TYPE_INT8,  [FAILURES] = DB_TYPE_INT8,	  [ATTEMPT_CHANGE] = DB_TYPE_INT8,
	[ERROR] = DB_TYPE_TEXT,	    [HAS_RESULT] = DB_TYPE_CHAR,  [EXTRACTOR] = DB_TYPE_TEXT,
	[STATUS] = DB_TYPE_CHAR,    [MEDIA_TYPE] = DB_TYPE_TEXT,  [TEXT] = DB_TYPE_TEXT,
	[PAGES] = DB_TYPE_TEXT,	    [METADATA] = DB_TYPE_JSONB,	  [DATA] = DB_TYPE_JSONB,
	[SUMMARY] = DB_TYPE_TEXT,   [LETTERS] = DB_TYPE_JSONB,	  [CONFIDENCE] = DB_TYPE_INT8,
	[WARNINGS] = DB_TYPE_JSONB, [DURATION_MS] = DB_TYPE_INT8,
};

static char next_state(enum job_verdict verdict)
{
	return verdict == JOB_DONE ? 'd' : verdict == JOB_FAILED ? 'f' : 'q';
}

static char next_lane(const struct job_outcome *outcome)
{
	return outcome->verdict == JOB_OCR || outcome->job.lane == JOB_LANE_OCR ? 'o' : 'n';
}

static int next_failures(const struct job_outcome *outcome)
{
	if (outcome->verdict == JOB_OCR)
		return 0; /* the other lane has tries of its own */
	return outcome->job.failures + (outcome->verdict == JOB_RETRY);
}

static void put_text(struct db_array *column, const char *text)
{
	if (*text)
		db_array_bytes(column, text, strlen(text));
	else
		db_array_null(column);
}

static void put_buf(struct db_array *column, const struct buf *buf)
{
	if (buf->length > 0)
		db_array_bytes(column, buf->data, buf->length);
	else
		db_array_null(column);
}

static void put_json(struct db_array *column, const struct buf *json, const char *otherwise)
{
	if (json->length > 0)
		db_array_bytes(column, json->data, json->length);
	else
		db_array_bytes(column, otherwise, strlen(otherwise));
}

static void put_job(struct db_array *columns, const struct job_outcome *outcome)
{
	db_array_int(&columns[TENANT_ID], outcome->job.tenant_id);
	db_array_bytes(&columns[SHA256], outcome->job.sha256, DIGEST_SIZE);
	db_array_int(&columns[VERSION], outcome->job.extractor_version);
	put_text(&columns[TOKEN], outcome->job.token);
	db_array_char(&columns[NEXT_STATE], next_state(outcome->verdict));
	db_array_char(&columns[LANE], next_lane(outcome));
	db_array_int(&columns[DELAY_MS], outcome->delay_ms);
	db_array_int(&columns[FAILURES], next_failures(outcome));
	db_array_int(&columns[ATTEMPT_CHANGE], outcome->verdict == JOB_BACK ? -1 : 0);
	put_text(&columns[ERROR], outcome->error);
}

static void put_result(struct db_array *columns, const struct job_outcome *outcome)
{
	const struct job_result *result = &outcome->result;

	db_array_char(&columns[HAS_RESULT], outcome->has_result ? 'r' : 'n');
	db_array_bytes(&columns[EXTRACTOR], result->extractor, strlen(result->extractor));
	db_array_char(&columns[STATUS], result->is_failed ? 'f' : 'c');
	db_array_bytes(&columns[MEDIA_TYPE], result->media_type, strlen(result->media_type));
	put_buf(&columns[TEXT], &result->text);
	put_json(&columns[PAGES], &result->pages, "{}");
	put_json(&columns[METADATA], &result->metadata, "{}");
	put_json(&columns[DATA], &result->data, "{}");
	put_buf(&columns[SUMMARY], &result->summary);
	put_buf(&columns[LETTERS], &result->letters);
	db_array_int(&columns[CONFIDENCE], result->confidence);
	put_json(&columns[WARNINGS], &result->warnings, "[]");
	db_array_int(&columns[DURATION_MS], outcome->duration_ms);
}

static int add_finish(struct db *db, const struct job_outcome *outcomes, int count)
{
	autoparams struct db_params params;
	struct db_array columns[COLUMN_COUNT];
	int r;

	db_params_init(&params);
	for (int i = 0; i < COLUMN_COUNT; i++)
		db_array_init(&columns[i], column_types[i]);
	for (; outcomes && count > 0; outcomes = outcomes->next, count--) {
		put_job(columns, outcomes);
		put_result(columns, outcomes);
	}
	for (int i = 0; i < COLUMN_COUNT; i++) {
		db_param_array(&params, &columns[i]);
		db_array_release(&columns[i]);
	}
	r = db_pipeline_add(db, QUERY_JOB_FINISH, &params);
	return r;
}

/* "TENANT_ID HEX,HEX,…", as many as are needed, each short enough. */
static void put_payloads(struct db_array *payloads, const struct job_outcome *outcomes, int count)
{
	autobuf struct buf payload = BUF_INIT(PAYLOADS_MAX);
	int64_t tenant_id = -1;
	char hex[DIGEST_HEX_SIZE];

	for (; outcomes && count > 0; outcomes = outcomes->next, count--) {
		if (!outcomes->has_result && outcomes->verdict != JOB_FAILED && outcomes->verdict != JOB_DONE)
			continue;
		if (payload.length > 0 &&
		    (outcomes->job.tenant_id != tenant_id || payload.length > PAYLOAD_MAX - DIGEST_HEX_SIZE)) {
			db_array_bytes(payloads, payload.data, payload.length);
			buf_reset(&payload);
		}
		tenant_id = outcomes->job.tenant_id;
		if (payload.length == 0)
			buf_printf(&payload, "%lld ", (long long)tenant_id);
		else
			buf_putc(&payload, ',');
		hex_encode(outcomes->job.sha256, DIGEST_SIZE, hex);
		buf_puts(&payload, hex);
	}
	if (payload.length > 0)
		db_array_bytes(payloads, payload.data, payload.length);
}

static int add_notify(struct db *db, const struct job_outcome *outcomes, int count)
{
	autoparams struct db_params params;
	struct db_array payloads;
	int r;

	db_params_init(&params);
	db_array_init(&payloads, DB_TYPE_TEXT);
	put_payloads(&payloads, outcomes, count);
	db_param_array(&params, &payloads);
	db_array_release(&payloads);
	r = db_pipeline_add(db, QUERY_JOB_NOTIFY, &params);
	return r;
}

static void mark_accepted(const struct db_result *result, const struct job_outcome *outcomes, int count,
			  bool *ret_accepted)
{
	for (int i = 0; i < count && outcomes; i++, outcomes = outcomes->next) {
		ret_accepted[i] = false;
		for (int row = 0; row < db_rows(result) && !ret_accepted[i]; row++) {
			size_t length = 0;
			const char *sha256 = db_get_bytes(result, row, 1, &length);

			ret_accepted[i] = db_get_int(result, row, 0) == outcomes->job.tenant_id &&
					  length == DIGEST_SIZE &&
					  memcmp(sha256, outcomes->job.sha256, DIGEST_SIZE) == 0;
		}
	}
}

int job_finish(struct db *db, const struct job_outcome *outcomes, int count, bool *ret_accepted)
{
	struct db_result *results[2] = {NULL, NULL};
	bool is_ambiguous = false;
	int r;

	r = db_pipeline_begin(db, true);
	r = r ?: add_finish(db, outcomes, count);
	r = r ?: add_notify(db, outcomes, count);
	r = db_pipeline_run(db, results, 2, &is_ambiguous) ?: r;
	if (r == 0)
		mark_accepted(results[0], outcomes, count, ret_accepted);
	db_result_free(results[0]);
	db_result_free(results[1]);
	return r;
}
