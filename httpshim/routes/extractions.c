/* Extractions: asked for, shown by type, searched, tried again. The work is extractd's; here are rows and what is shown of them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/extraction_view.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/extractor_version.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"

enum { LIST_TEXT_BYTES = 16 << 10, LIMIT_DEFAULT = 50, LIMIT_MAX = 200, PENDING_MAX = 1000, BULK_MAX = 1000, PATTERN_SIZE = 2100 };

/* --- asking --- */

static int insert(struct request *request, struct db *db, const json_t *file_ids, struct db_result **ret_result)
{
	const char *type = json_string_value(json_object_get(request->json, "extraction_type"));
	struct db_params params autoparams = {0};
	struct db_array ids;
	int r;

	db_params_init(&params);
	db_array_init(&ids, DB_TYPE_TEXT);
	for (size_t i = 0; i < json_array_size(file_ids); i++) {
		const json_t *id = json_array_get(file_ids, i);

		db_array_bytes(&ids, json_string_value(id), json_string_length(id));
	}
	db_param_int(&params, request->tenant->id);
	db_param_array(&params, &ids);
	db_param_text(&params, type ? type : "full");
	db_param_int(&params, EXTRACTOR_VERSION);
	db_param_bool(&params, json_is_true(json_object_get(request->json, "force")));
	r = db_run(db, QUERY_API_EXTRACTION_CREATE, &params, ret_result);
	db_array_release(&ids);
	return r;
}

static int find(struct request *request, struct db *db, const char *id, struct db_result **ret_result)
{
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, id);
	r = db_run(db, QUERY_API_EXTRACTION_FIND, &params, ret_result);
	return r == 0 && db_rows(*ret_result) == 0 ? -ENOENT : r;
}

static int answer_one(struct request *request, struct db *db, int status, const char *id)
{
	struct db_result *result autoresult = NULL;
	int r = find(request, db, id, &result);

	if (r < 0)
		return r;
	extraction_put(answer_begin(request, status, "application/json"), request->tenant, result, 0, 0);
	return answer_end(request);
}

static int create(struct request *request)
{
	json_t *ids = json_pack("[O]", json_object_get(request->json, "file_id"));
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	char id[37];
	int r;

	r = ids ? request_lease_db(request, &leased) : -ENOMEM;
	if (r == 0)
		r = insert(request, leased.db, ids, &result);
	json_decref(ids);
	if (r == 0 && db_rows(result) == 0)
		return answer_error(request, 404, "There is no such file.");
	if (r < 0)
		return r;
	db_get_uuid(result, 0, 0, id);
	return answer_one(request, leased.db, 202, id);
}

static int get(struct request *request)
{
	struct leased_db leased autodb = {0};
	int r = request_lease_db(request, &leased);

	return r < 0 ? r : answer_one(request, leased.db, 200, request_param(request, "extraction_id"));
}

static bool was_created(const struct db_result *result, const char *file_id, int *ret_row)
{
	for (int row = 0; row < db_rows(result); row++) {
		if (strcmp(db_get_text(result, row, 1), file_id) == 0) {
			*ret_row = row;
			return true;
		}
	}
	return false;
}

static int bulk(struct request *request)
{
	const json_t *ids = json_object_get(request->json, "file_ids");
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct buf *buf;
	size_t missing = 0;
	int r, row;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = insert(request, leased.db, ids, &result);
	if (r < 0)
		return r;
	buf = answer_begin(request, 202, "application/json");
	buf_puts(buf, "{\"extractions\":[");
	for (row = 0; row < db_rows(result); row++) {
		char id[37];

		db_get_uuid(result, row, 0, id);
		buf_printf(buf, "%s{\"id\":\"%s\",\"file_id\":\"%s\",\"status\":\"pending\"}", row ? "," : "", id,
			   db_get_text(result, row, 1));
	}
	buf_puts(buf, "],\"not_found\":[");
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const json_t *id = json_array_get(ids, i);

		if (was_created(result, json_string_value(id), &row))
			continue;
		buf_puts(buf, missing++ ? "," : "");
		json_put_string(buf, json_string_value(id), json_string_length(id));
	}
	buf_puts(buf, "]}");
	return answer_end(request);
}

/* --- looking --- */

static bool has_file(struct request *request, struct db *db)
{
	struct file_list list autofiles = {0};

	return file_find(db, request->tenant->id, request_param(request, "file_id"), &list) == 0;
}

static int of_file(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, request_param(request, "file_id"));
	db_param_int(&params, LIST_TEXT_BYTES);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_OF_FILE, &params, &result);
	if (r == 0 && db_rows(result) == 0 && !has_file(request, leased.db))
		return answer_error(request, 404, "There is no such file.");
	if (r < 0)
		return r;
	extraction_put_list(answer_begin(request, 200, "application/json"), request->tenant, result, 0);
	return answer_end(request);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : NULL;
}

static void add_time(struct db_params *params, const json_t *object, const char *name)
{
	const char *text = text_of(object, name);
	int64_t time_ns;

	if (text && schema_time_parse(text, &time_ns) == 0)
		db_param_time(params, time_ns);
	else
		db_param_null(params);
}

/* Words are looked for as they are: what means something to LIKE is escaped. */
static const char *like_pattern(const char *text, char pattern[PATTERN_SIZE])
{
	size_t used = 0;

	if (!text)
		return NULL;
	pattern[used++] = '%';
	for (; *text && used < PATTERN_SIZE - 4; text++) {
		if (strchr("%_\\", *text))
			pattern[used++] = '\\';
		pattern[used++] = *text;
	}
	pattern[used++] = '%';
	pattern[used] = '\0';
	return pattern;
}

static int search(struct request *request)
{
	const json_t *json = request->json, *filters = json_object_get(json, "filters"), *pages = json_object_get(json, "pagination");
	int64_t page = json_integer_value(json_object_get(pages, "page")), limit = json_integer_value(json_object_get(pages, "limit"));
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	char pattern[PATTERN_SIZE];
	int64_t total;
	struct buf *buf;
	int r;

	page = page > 0 ? page : 1;
	limit = limit > 0 ? limit : LIMIT_DEFAULT;
	filters = filters && !json_is_null(filters) ? filters : json;
	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, text_of(filters, "file_id"));
	db_param_text(&params, text_of(filters, "extraction_type"));
	db_param_text(&params, text_of(filters, "status"));
	db_param_text(&params, like_pattern(text_of(filters, "text"), pattern));
	add_time(&params, filters, "created_after");
	add_time(&params, filters, "created_before");
	db_param_int(&params, (page - 1) * limit);
	db_param_int(&params, limit);
	db_param_int(&params, LIST_TEXT_BYTES);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_SEARCH, &params, &result);
	if (r < 0)
		return r;
	total = db_get_int(result, 0, 0);
	buf = answer_begin(request, 200, "application/json");
	buf_puts(buf, "{\"extractions\":");
	extraction_put_list(buf, request->tenant, result, 1);
	buf_printf(buf, ",\"pagination\":{\"page\":%" PRId64 ",\"limit\":%" PRId64 ",\"total_pages\":%" PRId64 ",\"total_extractions\":%" PRId64 "}}",
		   page, limit, (total + limit - 1) / limit, total);
	return answer_end(request);
}

static int pending(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_int(&params, request_query_int(request, "limit", PENDING_MAX));
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_PENDING, &params, &result);
	if (r < 0)
		return r;
	extraction_put_list(answer_begin(request, 200, "application/json"), request->tenant, result, 0);
	return answer_end(request);
}

/* --- trying again, figures, cleaning --- */

static void add_ids(struct db_params *params, const json_t *ids)
{
	struct db_array array;

	if (!json_is_array(ids)) {
		db_param_null(params);
		return;
	}
	db_array_init(&array, DB_TYPE_TEXT);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const json_t *id = json_array_get(ids, i);
		char text[37];
		size_t length = json_string_length(id) < sizeof(text) ? json_string_length(id) : sizeof(text) - 1;

		for (size_t at = 0; at < length; at++)
			text[at] = (char)(json_string_value(id)[at] | (json_string_value(id)[at] >= 'A' ? 0x20 : 0));
		db_array_bytes(&array, text, length);
	}
	db_param_array(params, &array);
	db_array_release(&array);
}

static int retry(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	const char *ids;
	struct buf *buf;
	int r, count = 0;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	add_ids(&params, json_object_get(request->json, "extraction_ids"));
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_RETRY, &params, &result);
	if (r < 0)
		return r;
	ids = db_get_text(result, 0, 0);
	buf = answer_begin(request, 202, "application/json");
	buf_puts(buf, "{\"extraction_ids\":[");
	while (*ids) {
		size_t length = strcspn(ids, ",");

		buf_puts(buf, count++ ? "," : "");
		json_put_string(buf, ids, length);
		ids += length + (ids[length] == ',');
	}
	buf_printf(buf, "],\"retried\":%d}", count);
	return answer_end(request);
}

/* An admin of one tenant sees and cleans that one, an admin of all all. */
static void add_scope(struct db_params *params, const struct request *request)
{
	bool is_all = strcmp(request->principal.tenant, "*") == 0 && !request_query(request, "tenant_code");

	db_params_init(params);
	db_param_int_or_null(params, is_all ? 0 : request->tenant->id, is_all);
}

static int stats(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	size_t length;
	const char *text;
	int r;

	add_scope(&params, request);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_STATS, &params, &result);
	if (r < 0)
		return r;
	text = db_get_bytes(result, 0, 0, &length);
	buf_append(answer_begin(request, 200, "application/json"), text, length);
	return answer_end(request);
}

static int cleanup_old(struct request *request)
{
	struct db_result *result autoresult = NULL;
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	int r;

	add_scope(&params, request);
	db_param_int(&params, request_query_int(request, "days_old", 30));
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_EXTRACTION_CLEANUP, &params, &result);
	if (r < 0)
		return r;
	buf_printf(answer_begin(request, 200, "application/json"),
		   "{\"deleted_extractions\":%" PRId64 ",\"deleted_results\":%" PRId64 ",\"deleted_jobs\":%" PRId64 "}",
		   db_get_int(result, 0, 0), db_get_int(result, 0, 1), db_get_int(result, 0, 2));
	return answer_end(request);
}

/* --- the table --- */

static const struct field tenant_query[] = {{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63}, {0}};
static const struct field id_path[] = {{.name = "extraction_id", .type = FIELD_UUID}, {0}};
static const struct field pending_query[] = {
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{.name = "limit", .type = FIELD_INTEGER, .minimum = 1, .maximum = PENDING_MAX},
	{0},
};
static const struct field cleanup_query[] = {
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{.name = "days_old", .type = FIELD_INTEGER, .minimum = 0, .maximum = 36500, .about = "30 when left out"},
	{0},
};
static const struct schema text_item = {.type = FIELD_STRING};
static const struct field create_fields[] = {
	{.name = "file_id", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 64},
	{.name = "extraction_type", .type = FIELD_STRING, .words = EXTRACTION_TYPES},
	{.name = "force", .type = FIELD_BOOLEAN, .about = "Read the content anew although there is a result"},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{0},
};
static const struct schema create_schema = {.name = "ExtractionCreate", .type = FIELD_OBJECT, .fields = create_fields, .flags = FIELD_OPEN};
static const struct field bulk_fields[] = {
	{.name = "file_ids", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = BULK_MAX, .of = &text_item},
	{.name = "extraction_type", .type = FIELD_STRING, .words = EXTRACTION_TYPES},
	{.name = "force", .type = FIELD_BOOLEAN},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{0},
};
static const struct schema bulk_schema = {.name = "ExtractionBulk", .type = FIELD_OBJECT, .fields = bulk_fields, .flags = FIELD_OPEN};
static const struct field started_fields[] = {
	{.name = "id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "file_id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED},
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema started_schema = {.name = "ExtractionStarted", .type = FIELD_OBJECT, .fields = started_fields};
static const struct field bulk_answer_fields[] = {
	{.name = "extractions", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &started_schema},
	{.name = "not_found", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &text_item},
	{0},
};
static const struct schema bulk_answer_schema = {.name = "ExtractionBulkAnswer", .type = FIELD_OBJECT, .fields = bulk_answer_fields};

#define FILTER_FIELDS                                                                                                      \
	{.name = "file_id", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 64},                                 \
		{.name = "extraction_type", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .words = EXTRACTION_TYPES},                \
		{.name = "status", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .words = EXTRACTION_STATUSES},                      \
		{.name = "text", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 1024},                          \
		{.name = "created_after", .type = FIELD_TIME, .flags = FIELD_NULLABLE},                                    \
		{.name = "created_before", .type = FIELD_TIME, .flags = FIELD_NULLABLE},

static const struct field filter_fields[] = {FILTER_FIELDS{0}};
static const struct schema filter_schema = {.name = "ExtractionFilters", .type = FIELD_OBJECT, .fields = filter_fields, .flags = FIELD_OPEN};
static const struct field pagination_fields[] = {
	{.name = "page", .type = FIELD_INTEGER, .minimum = 1, .maximum = INT32_MAX},
	{.name = "limit", .type = FIELD_INTEGER, .minimum = 1, .maximum = LIMIT_MAX},
	{0},
};
static const struct schema pagination_schema = {.name = "ExtractionPagination", .type = FIELD_OBJECT, .fields = pagination_fields,
						.flags = FIELD_OPEN};
static const struct field search_fields[] = {
	FILTER_FIELDS{.name = "filters", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &filter_schema},
	{.name = "pagination", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &pagination_schema},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{0},
};
static const struct schema search_schema = {.name = "ExtractionSearch", .type = FIELD_OBJECT, .fields = search_fields, .flags = FIELD_OPEN,
					    .about = "The filters, at the top or under filters"};
static const struct field page_info_fields[] = {
	{.name = "page", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "limit", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "total_pages", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "total_extractions", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema page_info_schema = {.name = "ExtractionPageInfo", .type = FIELD_OBJECT, .fields = page_info_fields};
static const struct field search_answer_fields[] = {
	{.name = "extractions", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &extraction_schema},
	{.name = "pagination", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &page_info_schema},
	{0},
};
static const struct schema search_answer_schema = {.name = "ExtractionSearchAnswer", .type = FIELD_OBJECT, .fields = search_answer_fields};
static const struct field retry_fields[] = {
	{.name = "extraction_ids", .type = FIELD_ARRAY, .flags = FIELD_NULLABLE, .maximum = BULK_MAX, .of = &text_item,
	 .about = "All failed ones when left out"},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{0},
};
static const struct schema retry_schema = {.name = "ExtractionRetry", .type = FIELD_OBJECT, .fields = retry_fields, .flags = FIELD_OPEN};
static const struct field retry_answer_fields[] = {
	{.name = "extraction_ids", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &text_item},
	{.name = "retried", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema retry_answer_schema = {.name = "ExtractionRetryAnswer", .type = FIELD_OBJECT, .fields = retry_answer_fields};
static const struct schema stats_schema = {.name = "ExtractionStats", .type = FIELD_OBJECT,
					   .about = "total, by_status, by_extractor, requested, averages"};
static const struct field cleaned_fields[] = {
	{.name = "deleted_extractions", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "deleted_results", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "deleted_jobs", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema cleaned_schema = {.name = "ExtractionCleanup", .type = FIELD_OBJECT, .fields = cleaned_fields};

#define TAG "Extractions"

const struct route extraction_routes[] = {
	{.method = "POST", .path = "/api/v1/extractions", .role = ROLE_USER, .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID,
	 .handler = create, .tag = TAG, .name = "createExtraction", .about = "Ask for an extraction of a file", .query_fields = tenant_query,
	 .body = ROUTE_BODY_JSON, .body_schema = &create_schema, .answers = {{202, &extraction_schema, "It will be done", NULL}}},
	{.method = "POST", .path = "/api/v1/extractions/search", .role = ROLE_READER, .flags = ROUTE_TENANT, .handler = search, .tag = TAG,
	 .name = "searchExtractions", .about = "Find extractions by file, type, status, text or time", .query_fields = tenant_query,
	 .body = ROUTE_BODY_JSON, .body_schema = &search_schema, .answers = {{200, &search_answer_schema, "A page", NULL}}},
	{.method = "GET", .path = "/api/v1/extractions/file/{file_id}", .role = ROLE_READER,
	 .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID, .handler = of_file, .tag = TAG, .name = "listExtractionsOfFile",
	 .about = "The extractions of a file, the newest first", .query_fields = tenant_query,
	 .answers = {{200, &extraction_list_schema, "The extractions", NULL}}},
	{.method = "POST", .path = "/api/v1/extractions/bulk", .role = ROLE_USER, .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID,
	 .handler = bulk, .tag = TAG, .name = "bulkCreateExtractions", .about = "Ask for extractions of many files",
	 .query_fields = tenant_query, .body = ROUTE_BODY_JSON, .body_schema = &bulk_schema,
	 .answers = {{202, &bulk_answer_schema, "They will be done", NULL}}},
	{.method = "POST", .path = "/api/v1/extractions/retry", .role = ROLE_USER, .flags = ROUTE_TENANT | ROUTE_BODY_OPTIONAL,
	 .handler = retry, .tag = TAG, .name = "retryExtractions", .about = "Try failed extractions again", .query_fields = tenant_query,
	 .body = ROUTE_BODY_JSON, .body_schema = &retry_schema, .answers = {{202, &retry_answer_schema, "What is tried again", NULL}}},
	{.method = "GET", .path = "/api/v1/extractions/queue/pending", .role = ROLE_READER, .flags = ROUTE_TENANT, .handler = pending,
	 .tag = TAG, .name = "listPendingExtractions", .about = "What waits or runs, the oldest first", .query_fields = pending_query,
	 .answers = {{200, &extraction_list_schema, "The queue", NULL}}},
	{.method = "GET", .path = "/api/v1/extractions/stats/global", .role = ROLE_ADMIN, .flags = ROUTE_TENANT | ROUTE_TENANT_IN_FORM,
	 .handler = stats, .tag = TAG, .name = "extractionStats", .about = "Figures, of all tenants or of the admin's own",
	 .query_fields = tenant_query, .answers = {{200, &stats_schema, "The figures", NULL}}},
	{.method = "POST", .path = "/api/v1/extractions/admin/cleanup", .role = ROLE_ADMIN, .flags = ROUTE_TENANT | ROUTE_TENANT_IN_FORM,
	 .handler = cleanup_old, .tag = TAG, .name = "cleanUpExtractions",
	 .about = "Forget old extractions of content that no file holds any more", .query_fields = cleanup_query,
	 .answers = {{200, &cleaned_schema, "How many went", NULL}}},
	{.method = "GET", .path = "/api/v1/extractions/{extraction_id}", .role = ROLE_READER,
	 .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID, .handler = get, .tag = TAG, .name = "getExtraction", .about = "An extraction, as its type shows it", .path_fields = id_path,
	 .query_fields = tenant_query, .answers = {{200, &extraction_schema, "The extraction", NULL}}},
	{0},
};
