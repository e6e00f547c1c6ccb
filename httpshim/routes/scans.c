#include "httpshim/routes/scans.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/metrics.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/file_post.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_sink.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/cache/cache.h"

enum { KEY_SIZE = 64 };

static const char no_letters[] = "{\"A\":0,\"B\":0,\"C\":0,\"D\":0,\"E\":0,\"F\":0,\"G\":0,\"H\":0,\"I\":0,\"J\":0,\"K\":0,\"L\":0,"
				 "\"M\":0,\"N\":0,\"O\":0,\"P\":0,\"Q\":0,\"R\":0,\"S\":0,\"T\":0,\"U\":0,\"V\":0,\"W\":0,"
				 "\"X\":0,\"Y\":0,\"Z\":0}";

/* Of a content's job; an empty file has none, and nothing to wait for. */
static const char *status_of(char state, bool has_content)
{
	if (!has_content || state == 'd')
		return "completed";
	if (state == 'f' || state == 'x')
		return "failed";
	return state == 'r' ? "processing" : "pending";
}

static void put_results(struct buf *buf, const char *status, const char *letters)
{
	json_put_key(buf, "results");
	buf_puts(buf, strcmp(status, "completed") != 0 ? "null" : letters ? letters : no_letters);
}

static void put_time(struct buf *buf, const char *key, int64_t time_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(time_ns, text);
	json_put_key(buf, key);
	buf_printf(buf, time_ns ? "\"%s\"" : "null", text);
}

static int answer_started(struct request *request, const struct upload_sink *sink, const struct db_result *result)
{
	bool is_duplicate = db_get_bool(result, 0, 1);
	const char *status = status_of(db_get_char(result, 0, 2), !db_is_null(result, 0, 5));
	struct buf *buf = answer_begin(request, 200, "application/json");
	char job_id[37];

	db_get_uuid(result, 0, 0, job_id);
	buf_printf(buf, "{\"job_id\":\"%s\",\"status\":\"%s\",\"message\":\"%s\",\"deduplication\":%s,\"file_id\":\"%s\"", job_id, status,
		   is_duplicate ? "File was scanned before, results from then" : "File uploaded successfully, processing started",
		   is_duplicate ? "true" : "false", sink->file.file_id);
	put_results(buf, status, db_get_text(result, 0, 3));
	buf_putc(buf, '}');
	return answer_end(request);
}

static int create(struct request *request, const struct upload_sink *sink, struct db_result **ret_result)
{
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, sink->file.file_id);
	db_param_bytes(&params, sink->name, sink->name_length);
	db_param_int(&params, (int64_t)sink->file.size_bytes);
	db_param_text(&params, request->principal.subject);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_SCAN_CREATE, &params, ret_result);
	return r == 0 && db_rows(*ret_result) == 0 ? -ENOENT : r;
}

int scan_start(struct request *request, struct upload_sink *sink)
{
	struct db_result *result autoresult = NULL;
	int r;

	r = file_post_store(request, sink);
	if (r == 0)
		r = create(request, sink, &result);
	if (r == 0) {
		metrics_add(request->server->metrics, METRIC_UPLOADS, 1);
		r = answer_started(request, sink, result);
	}
	working_file_release(&sink->file);
	return r == -ECANCELED ? 0 : r;
}

/* --- how it is --- */

enum { FILE_ID, NAME, SIZE, DUPLICATE, CREATED, STATE, ERROR, UPDATED, COMPLETED, LETTERS, SHA256 };

static void put_job(struct buf *buf, const char *job_id, const struct db_result *result, const char *status)
{
	size_t length;
	const char *name = db_get_bytes(result, 0, NAME, &length), *error = db_get_text(result, 0, ERROR);
	int64_t created_ns = db_get_time(result, 0, CREATED), updated_ns = db_get_time(result, 0, UPDATED);
	bool has_content = !db_is_null(result, 0, SHA256);

	buf_printf(buf, "{\"job_id\":\"%s\",\"status\":\"%s\",\"file_size\":%" PRId64 ",\"file_id\":\"%s\",\"deduplication\":%s", job_id,
		   status, db_get_int(result, 0, SIZE), db_get_text(result, 0, FILE_ID),
		   db_get_bool(result, 0, DUPLICATE) ? "true" : "false");
	json_put_key(buf, "original_filename");
	json_put_string(buf, name, length);
	put_results(buf, status, db_get_text(result, 0, LETTERS));
	json_put_key(buf, "error_message");
	if (error && strcmp(status, "failed") == 0)
		json_put_string(buf, error, strlen(error));
	else
		buf_puts(buf, "null");
	put_time(buf, "created_at", created_ns);
	put_time(buf, "updated_at", updated_ns > created_ns ? updated_ns : created_ns);
	put_time(buf, "completed_at", has_content ? db_get_time(result, 0, COMPLETED) : created_ns);
	buf_putc(buf, '}');
}

/* What Redis holds under a job's id begins with the tenant's: an id tells nobody whose it is. */
static bool answer_kept(struct request *request, const char *key)
{
	char *value autofree = NULL, *end;
	size_t length;

	if (cache_get(request->server->cache, key, &value, &length) < 0)
		return false;
	if (strtoll(value, &end, 10) != request->tenant->id || *end != '\n')
		return false;
	end++;
	buf_append(answer_begin(request, 200, "application/json"), end, length - (size_t)(end - value));
	return answer_end(request) == 0;
}

/* Only what stays as it is: a job that is done or failed. */
static void keep(struct request *request, const char *key)
{
	const struct buf *answer = &request->answer.body;
	autobuf struct buf value = BUF_INIT(64 << 10);

	buf_printf(&value, "%" PRId64 "\n", request->tenant->id);
	buf_append(&value, answer->data, answer->length);
	if (buf_error(&value) == 0)
		cache_set(request->server->cache, key, value.data, value.length, (int)request->server->job_cache_ttl_s);
}

int scan_answer(struct request *request, const char *job_id)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	char key[KEY_SIZE];
	const char *status;
	int r;

	snprintf(key, sizeof(key), "job:%s:status", job_id);
	if (answer_kept(request, key))
		return 0;
	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, job_id);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_SCAN_FIND, &params, &result);
	if (r == 0 && db_rows(result) == 0)
		return answer_error(request, 404, "There is no such job.");
	if (r < 0)
		return r;
	status = status_of(db_get_char(result, 0, STATE), !db_is_null(result, 0, SHA256));
	put_job(answer_begin(request, 200, "application/json"), job_id, result, status);
	r = answer_end(request);
	if (r == 0 && (strcmp(status, "completed") == 0 || strcmp(status, "failed") == 0))
		keep(request, key);
	return r;
}
