#include "httpshim/routes/datasets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "httpshim/body_reader.h"
#include "httpshim/dataset_lookup.h"
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/parking.h"
#include "httpshim/query.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/active_file.h"
#include "httpshim/routes/file_change.h"
#include "httpshim/routes/file_post.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_sink.h"
#include "httpshim/uuid.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

static const char summary_front[] = "The dataset has ";

/* --- storing --- */

static bool ends_with_csv(const struct upload_sink *sink)
{
	return sink->name_length > 4 && strcasecmp(sink->name + sink->name_length - 4, ".csv") == 0;
}

/* False: the answer is set. */
static bool check_fields(struct request *request, const struct upload_sink *sink)
{
	const char *name = body_form_text(request, "file_name", NULL);
	struct problems problems = {0};

	if (!name || !*name)
		problems_add(&problems, "body", "file_name", "missing", "Field required");
	if (!body_form_text(request, "session_id", NULL))
		problems_add(&problems, "body", "session_id", "missing", "Field required");
	if (!body_form_text(request, "description", NULL))
		problems_add(&problems, "body", "description", "missing", "Field required");
	if (name && (file_id_is_valid(name, strlen(name)) || schema_is_uuid(name)))
		problems_add(&problems, "body", "file_name", "value_error", "A dataset's name may be no file id and no UUID");
	if (problems.list) {
		answer_problems(request, &problems);
		return false;
	}
	if (working_file_check_name(name, strlen(name))) {
		answer_error(request, 422, working_file_check_name(name, strlen(name)));
		return false;
	}
	if (!ends_with_csv(sink))
		answer_error(request, 422, "Unsupported file extension: a dataset is a .csv file.");
	else if (sink->file.size_bytes == 0)
		answer_error(request, 422, "The file is empty.");
	return ends_with_csv(sink) && sink->file.size_bytes > 0;
}

static void add_key(struct db_params *params, const struct request *request, const char *name)
{
	db_params_init(params);
	db_param_int(params, request->tenant->id);
	db_param_text(params, request->principal.subject);
	db_param_text(params, name);
}

/* -EEXIST: the name is taken. */
static int reserve(struct request *request, struct upload_sink *sink, struct db *db)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r = uuid_make(sink->upload_id);

	add_key(&params, request, body_form_text(request, "file_name", NULL));
	db_param_text(&params, body_form_text(request, "description", NULL));
	db_param_uuid(&params, sink->upload_id);
	if (r == 0)
		r = db_run(db, QUERY_API_DATASET_RESERVE, &params, &result);
	return r == 0 && db_rows(result) == 0 ? -EEXIST : r;
}

static int settle(struct request *request, struct upload_sink *sink, struct db *db)
{
	struct db_params params autoparams = {0};

	add_key(&params, request, body_form_text(request, "file_name", NULL));
	db_param_uuid(&params, sink->upload_id);
	db_param_text(&params, sink->file.file_id);
	return db_run(db, QUERY_API_DATASET_SETTLE, &params, NULL);
}

/* Gives the name back; upload_id NULL: whoever has it. Whose active file it was no longer has one. */
static int forget(struct request *request, struct db *db, const char *name, const char *upload_id)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	add_key(&params, request, name);
	if (upload_id)
		db_param_uuid(&params, upload_id);
	else
		db_param_null(&params);
	r = db_run(db, QUERY_API_DATASET_FORGET, &params, &result);
	for (int row = 0; r == 0 && row < db_rows(result); row++) {
		char session_id[37];

		db_get_uuid(result, row, 0, session_id);
		active_file_forget(request, session_id);
	}
	return r;
}

/* Nothing of this upload stays: not its file, not its name. */
static void take_back(struct request *request, struct upload_sink *sink)
{
	struct leased_db leased autodb = {0};

	if (!sink->file.has_name && sink->file.tenant)
		mount_remove_file(request->server->mount, request->tenant, sink->file.file_id);
	working_file_release(&sink->file);
	if (request_lease_db(request, &leased) == 0)
		forget(request, leased.db, body_form_text(request, "file_name", NULL), sink->upload_id);
}

/* "{sub}_{file_name}.csv" in the month; what a sub may hold that a name may not is escaped. */
static int publish(struct request *request, struct upload_sink *sink)
{
	autobuf struct buf name = BUF_INIT(4096);
	struct bytes entry, original = {sink->name, sink->name_length};
	int r;

	query_put_escaped(&name, request->principal.subject, strlen(request->principal.subject));
	buf_printf(&name, "_%s.csv", body_form_text(request, "file_name", NULL));
	if (buf_error(&name) < 0 || name.length > NAME_MAX_BYTES) {
		answer_invalid(request, "body", "file_name", "The name is too long");
		return -ECANCELED;
	}
	entry = (struct bytes){name.data, name.length};
	r = working_file_publish(&sink->file, &entry, &original, true);
	if (r == -EEXIST) {
		answer_error(request, 409, "A file with this name already exists.");
		return -ECANCELED;
	}
	if (r < 0) {
		working_file_answer_refusal(request, &sink->file, r);
		return -ECANCELED;
	}
	return working_file_wait(&sink->file);
}

/* --- waiting for the summary --- */

static int fail(struct request *request, int status, const char *detail)
{
	take_back(request, request->state);
	return answer_error(request, status, detail);
}

static int finish(struct request *request, struct upload_sink *sink, struct db *db)
{
	struct dataset_list list autodatasets = {0};
	char base[300];
	int r;

	r = dataset_list_find(request, db, NULL, sink->file.file_id, &list);
	if (r == 0 && list.files.count == 0)
		return fail(request, 404, "The file was removed while it was read.");
	if (r == 0)
		r = active_file_set(request, db, body_form_text(request, "session_id", NULL), &list.files.rows[0], &list.views[0]);
	if (r < 0)
		return r;
	metrics_add(request->server->metrics, METRIC_UPLOADS, 1);
	url_base(request, base, sizeof(base));
	dataset_view_put(answer_begin(request, 200, "application/json"), request->server, request->tenant, base,
			 &list.files.rows[0], &list.views[0]);
	working_file_release(&sink->file);
	return answer_end(request);
}

static int find_result(struct request *request, struct db *db, const uint8_t sha256[DIGEST_SIZE], struct db_result **ret_result)
{
	struct db_params params autoparams = {0};

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_bytes(&params, sha256, DIGEST_SIZE);
	return db_run(db, QUERY_API_DATASET_RESULT, &params, ret_result);
}

static int await_summary(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct upload_sink *sink = request->state;
	struct leased_db leased autodb = {0};
	const char *summary;
	char state;
	int r;

	request->parking_ticket = parking_ticket(request->server->parking);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_result(request, leased.db, sink->sha256, &result);
	if (r == 0 && db_rows(result) > 0) {
		state = db_get_char(result, 0, 0);
		summary = db_get_text(result, 0, 2);
		if (summary && strncmp(summary, summary_front, sizeof(summary_front) - 1) == 0)
			return finish(request, sink, leased.db);
		if (state == 'd' || state == 'f' || state == 'x') {
			leased_db_return(&leased);
			return fail(request, 422, "The file cannot be read as CSV.");
		}
	}
	if (clock_monotonic_ns() < request->parked_until_ns && !atomic_load(&request->server->is_draining))
		return REQUEST_PARKED;
	leased_db_return(&leased);
	return fail(request, 503, "The summary could not be made in time. Try again.");
}

/* What the content is, so that its result can be found. */
static int note_content(struct request *request, struct upload_sink *sink, struct db *db)
{
	struct file_list list autofiles = {0};
	int r = file_find(db, request->tenant->id, sink->file.file_id, &list);

	if (r < 0)
		return r;
	if (!list.rows[0].has_sha256)
		return -EIO;
	memcpy(sink->sha256, list.rows[0].sha256, DIGEST_SIZE);
	return 0;
}

int dataset_store(struct request *request, struct upload_sink *sink)
{
	struct leased_db leased autodb = {0};
	int r;

	if (!check_fields(request, sink)) {
		working_file_release(&sink->file);
		return 0;
	}
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = reserve(request, sink, leased.db);
	leased_db_return(&leased);
	if (r < 0) {
		working_file_release(&sink->file);
		return r == -EEXIST ? answer_error(request, 409, "A file with this name already exists.") : r;
	}
	r = publish(request, sink);
	if (r == 0)
		r = request_lease_db(request, &leased);
	if (r == 0)
		r = settle(request, sink, leased.db);
	if (r == 0)
		r = note_content(request, sink, leased.db);
	leased_db_return(&leased);
	if (r < 0) {
		take_back(request, sink);
		return r == -ECANCELED ? 0 : r;
	}
	request->resume = await_summary;
	request->parked_until_ns = clock_monotonic_ns() + request->server->summary_timeout_ms * NS_PER_MS;
	return await_summary(request);
}

/* --- one, by its name --- */

int dataset_answer(struct request *request, const char *name)
{
	struct dataset_list list autodatasets = {0};
	struct leased_db leased autodb = {0};
	char base[300];
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = dataset_list_find(request, leased.db, name, NULL, &list);
	if (r == 0 && list.files.count == 0)
		r = -ENOENT;
	if (r < 0)
		return r;
	url_base(request, base, sizeof(base));
	dataset_view_put(answer_begin(request, 200, "application/json"), request->server, request->tenant, base,
			 &list.files.rows[0], &list.views[0]);
	return answer_end(request);
}

int dataset_remove(struct request *request, const char *name)
{
	struct dataset_list list autodatasets = {0};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = dataset_list_find(request, leased.db, name, NULL, &list);
	if (r == 0 && list.files.count == 0)
		r = -ENOENT;
	if (r < 0)
		return r;
	leased_db_return(&leased);
	r = file_remove(request, list.files.rows[0].file_id);
	if (r == 0 || r == -ENOENT)
		r = request_lease_db(request, &leased);
	if (r == 0)
		r = forget(request, leased.db, name, NULL);
	return r < 0 ? r : answer_null(request);
}

/* --- all, and the table --- */

static int list(struct request *request)
{
	struct dataset_list list autodatasets = {0};
	struct leased_db leased autodb = {0};
	struct buf *buf;
	char base[300];
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = dataset_list_find(request, leased.db, NULL, NULL, &list);
	if (r < 0)
		return r;
	url_base(request, base, sizeof(base));
	buf = answer_begin(request, 200, "application/json");
	buf_putc(buf, '[');
	for (int i = 0; i < list.files.count; i++) {
		buf_puts(buf, i ? "," : "");
		dataset_view_put(buf, request->server, request->tenant, base, &list.files.rows[i], &list.views[i]);
	}
	buf_putc(buf, ']');
	return answer_end(request);
}

static const struct field tenant_query[] = {{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63}, {0}};
static const struct field session_path[] = {{.name = "session", .type = FIELD_UUID}, {0}};
static const struct field active_fields[] = {
	{.name = "file_name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 255},
	{0},
};
static const struct schema active_schema = {.name = "ActiveFileChoice", .type = FIELD_OBJECT, .fields = active_fields,
					    .flags = FIELD_OPEN};
static const struct schema null_schema = {.type = FIELD_ANY, .about = "null"};

#define TAG "Datasets"

const struct route dataset_routes[] = {
	{.method = "GET", .path = "/api/v1/files", .role = ROLE_READER, .flags = ROUTE_TENANT, .handler = list, .tag = TAG,
	 .name = "listDatasets", .about = "The caller's datasets, the newest first", .query_fields = tenant_query,
	 .answers = {{200, &dataset_list_schema, "The datasets", NULL}}},
	{.method = "POST", .path = "/api/v1/files", .role = ROLE_USER, .flags = ROUTE_TENANT | ROUTE_TENANT_IN_FORM | ROUTE_FILE_SIZE,
	 .handler = file_post, .tag = TAG, .name = "uploadDatasetOrScan",
	 .about = "With file_name, session_id or description: store a dataset; else: scan a file", .query_fields = tenant_query,
	 .body = ROUTE_BODY_FORM, .body_schema = &file_post_schema, .hooks = &upload_sink_hooks,
	 .answers = {{200, &file_post_answer_schema, "A Dataset, or a ScanStarted", NULL}}},
	{.method = "GET", .path = "/api/v1/files/active/{session}", .role = ROLE_READER, .flags = ROUTE_TENANT,
	 .handler = active_file_get_answer, .tag = TAG, .name = "getActiveFile", .about = "The active file of a session",
	 .path_fields = session_path, .query_fields = tenant_query, .answers = {{200, &active_file_schema, "The file", NULL}}},
	{.method = "POST", .path = "/api/v1/files/active/{session}", .role = ROLE_USER, .flags = ROUTE_TENANT,
	 .handler = active_file_set_answer, .tag = TAG, .name = "setActiveFile", .about = "Make a dataset the active one",
	 .path_fields = session_path, .query_fields = tenant_query, .body = ROUTE_BODY_JSON, .body_schema = &active_schema,
	 .answers = {{200, &null_schema, "null", NULL}}},
	{0},
};
