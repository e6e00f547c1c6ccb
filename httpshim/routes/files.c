/* Files: upload, one file's metadata, changing it, removing it. */
#include <errno.h>
#include <string.h>
#include "httpshim/answer_cache.h"
#include "httpshim/file_lookup.h"
#include "httpshim/file_view.h"
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/datasets.h"
#include "httpshim/routes/file_change.h"
#include "httpshim/routes/file_list.h"
#include "httpshim/routes/file_post.h"
#include "httpshim/routes/scans.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_sink.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"

enum { BULK_MAX = 1000 };

/* --- upload --- */

static const struct field upload_fields[] = {
	{.name = "file", .type = FIELD_BINARY, .flags = FIELD_REQUIRED, .about = "The file, with its name"},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{.name = "tags", .type = FIELD_STRING, .maximum = 8192, .about = "Divided by commas, or a JSON list"},
	{.name = "metadata", .type = FIELD_JSON_TEXT, .maximum = 65536, .about = "A JSON object"},
	{.name = "description", .type = FIELD_STRING, .maximum = 65536},
	{.name = "visibility", .type = FIELD_STRING, .words = "private|public"},
	{0},
};
static const struct schema upload_schema = {.name = "Upload", .type = FIELD_OBJECT, .fields = upload_fields, .flags = FIELD_OPEN};

static int upload(struct request *request)
{
	struct upload_sink *sink = upload_sink_of(request);
	int r;

	if (!sink)
		return 0;
	r = upload_sink_settle_tenant(request);
	if (r == 0)
		r = file_post_store(request, sink);
	if (r == 0) {
		metrics_add(request->server->metrics, METRIC_UPLOADS, 1);
		r = file_lookup_answer_fresh(request, 201, sink->file.file_id);
		if (r == 0)
			answer_header(request, "X-File-Id", sink->file.file_id);
	}
	working_file_release(&sink->file);
	return r == -ECANCELED ? 0 : r;
}

/* --- one file --- */

static bool is_file_id(const char *id)
{
	return file_id_is_valid(id, strlen(id));
}

/* An fs_… is a file, a UUID a scan job, anything else a dataset's name. */
static int get(struct request *request)
{
	const char *id = request_param(request, "file_id");

	if (is_file_id(id))
		return file_lookup_answer(request, 200, id);
	return schema_is_uuid(id) ? scan_answer(request, id) : dataset_answer(request, id);
}

static bool get_fast(struct request *request)
{
	const char *id = request_param(request, "file_id");
	const char *code = request_query(request, "tenant_code"), *own = request->principal.tenant;

	if (!is_file_id(id) || request->problems.list)
		return false;
	if (!code)
		code = *own ? own : request->server->default_tenant;
	return strcmp(code, "*") != 0 && auth_covers(request, code) && file_lookup_fast(request, code, id);
}

static int remove_file(struct request *request)
{
	const char *id = request_param(request, "file_id");
	int r;

	if (schema_is_uuid(id))
		return answer_error(request, 404, "There is no such file.");
	if (!is_file_id(id))
		return dataset_remove(request, id);
	r = file_remove(request, id);
	if (r < 0)
		return r;
	buf_printf(answer_begin(request, 200, "application/json"), "{\"id\":\"%s\",\"deleted\":true,\"message\":\"File deleted\"}", id);
	return answer_end(request);
}

/* --- many --- */

static const struct schema file_id_item = {.type = FIELD_STRING};
static const struct field bulk_fields[] = {
	{.name = "file_ids", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = BULK_MAX, .of = &file_id_item},
	{0},
};
static const struct schema bulk_schema = {.name = "FileIds", .type = FIELD_OBJECT, .fields = bulk_fields, .flags = FIELD_OPEN};
static const struct field bulk_result_fields[] = {
	{.name = "id", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "deleted|not_found|failed"},
	{.name = "detail", .type = FIELD_STRING, .about = "Why it failed"},
	{0},
};
static const struct schema bulk_result_schema = {.name = "BulkDeleteResult", .type = FIELD_OBJECT, .fields = bulk_result_fields};
static const struct field bulk_answer_fields[] = {
	{.name = "results", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &bulk_result_schema},
	{.name = "deleted", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "not_found", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "failed", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema bulk_answer_schema = {.name = "BulkDelete", .type = FIELD_OBJECT, .fields = bulk_answer_fields};

static int bulk_delete(struct request *request)
{
	const json_t *ids = json_object_get(request->json, "file_ids");
	autobuf struct buf results = BUF_INIT(1 << 20);
	int deleted = 0, not_found = 0, failed = 0, r;

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		r = is_file_id(id) ? mount_remove_file(request->server->mount, request->tenant, id) : -ENOENT;
		deleted += r == 0;
		not_found += r == -ENOENT;
		failed += r < 0 && r != -ENOENT;
		buf_puts(&results, i ? ",{" : "{");
		json_put_key(&results, "id");
		json_put_string(&results, id, strlen(id));
		buf_printf(&results, ",\"status\":\"%s\"", r == 0 ? "deleted" : r == -ENOENT ? "not_found" : "failed");
		if (r < 0 && r != -ENOENT)
			buf_printf(&results, ",\"detail\":\"%s\"", strerrorname_np(-r));
		buf_putc(&results, '}');
	}
	r = mount_wait_committed(request->server->mount, request->tenant);
	if (r < 0)
		return r;
	answer_cache_forget(request->server->answers, request->tenant->id);
	buf_printf(answer_begin(request, 200, "application/json"), "{\"results\":[%s],\"deleted\":%d,\"not_found\":%d,\"failed\":%d}",
		   results.data ? results.data : "", deleted, not_found, failed);
	return answer_end(request);
}

/* --- the table --- */

static const struct field tenant_query[] = {
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63, .about = "For a token that opens all tenants"},
	{0},
};
static const struct field removed_fields[] = {
	{.name = "id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED},
	{.name = "deleted", .type = FIELD_BOOLEAN, .flags = FIELD_REQUIRED},
	{.name = "message", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema removed_schema = {.name = "FileDeleted", .type = FIELD_OBJECT, .fields = removed_fields,
					     .flags = FIELD_NULLABLE, .about = "null for a dataset"};
static const struct schema any_schema = {.name = "FileOrJobOrDataset", .type = FIELD_ANY,
					 .about = "A File for fs_…, a ScanJob for a UUID, else a Dataset"};

#define CHANGE_ROUTE(verb, operation)                                                                                      \
	{                                                                                                                  \
		.method = verb, .path = "/api/v1/files/{file_id}", .role = ROLE_USER,                                      \
		.flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID, .handler = file_change, .tag = "Files", .name = operation, \
		.about = "Change a file's name, tags, metadata, description or visibility", .query_fields = tenant_query,  \
		.body = ROUTE_BODY_JSON, .body_schema = &file_change_schema,                                               \
		.answers = {{200, &file_schema, "The file as it is now", NULL}},                                           \
	}

const struct route file_routes[] = {
	{.method = "POST", .path = "/api/v1/files/upload", .role = ROLE_USER,
	 .flags = ROUTE_TENANT | ROUTE_TENANT_IN_FORM | ROUTE_FILE_SIZE, .handler = upload, .tag = "Files", .name = "uploadFile",
	 .about = "Store a file", .query_fields = tenant_query, .body = ROUTE_BODY_FORM, .body_schema = &upload_schema,
	 .hooks = &upload_sink_hooks, .answers = {{201, &file_schema, "The stored file", NULL}}},
	{.method = "GET", .path = "/api/v1/files/tenant/{tenant_code}", .role = ROLE_READER, .flags = ROUTE_TENANT,
	 .handler = file_list_answer, .tag = "Files", .name = "listFiles", .about = "The files of a tenant, a page at a time",
	 .query_fields = file_list_query, .answers = {{200, &file_page_schema, "A page", NULL}}},
	{.method = "POST", .path = "/api/v1/files/search", .role = ROLE_READER, .flags = ROUTE_TENANT, .handler = file_search_answer,
	 .tag = "Files", .name = "searchFiles", .about = "Find files by name, type, tags, metadata, size, time, state or text",
	 .query_fields = tenant_query, .body = ROUTE_BODY_JSON, .body_schema = &file_search_schema,
	 .answers = {{200, &file_search_answer_schema, "A page of what was found", NULL}}},
	{.method = "POST", .path = "/api/v1/files/bulk-delete", .role = ROLE_USER,
	 .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID, .handler = bulk_delete,
	 .tag = "Files", .name = "bulkDeleteFiles", .about = "Remove many files; each is removed whole or not at all",
	 .query_fields = tenant_query, .body = ROUTE_BODY_JSON, .body_schema = &bulk_schema,
	 .answers = {{200, &bulk_answer_schema, "What became of each", NULL}}},
	{.method = "GET", .path = "/api/v1/files/{file_id}", .role = ROLE_READER, .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID,
	 .handler = get, .fast = get_fast, .tag = "Files", .name = "getFile",
	 .about = "A file by its id, a scan job by its UUID, a dataset by its name", .query_fields = tenant_query,
	 .answers = {{200, &any_schema, "What has this id", NULL}}},
	CHANGE_ROUTE("PATCH", "changeFile"),
	CHANGE_ROUTE("PUT", "replaceFileFields"),
	{.method = "DELETE", .path = "/api/v1/files/{file_id}", .role = ROLE_USER, .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID,
	 .handler = remove_file, .tag = "Files", .name = "deleteFile", .about = "Remove a file, or a dataset by its name",
	 .query_fields = tenant_query, .answers = {{200, &removed_schema, "It is gone", NULL}}},
	{0},
};
