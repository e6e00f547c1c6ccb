#include "httpshim/routes/tus.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "httpshim/cors.h"
#include "httpshim/mount.h"
#include "httpshim/range.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/tus_append.h"
#include "httpshim/routes/tus_creation.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/config/config.h"

bool tus_check_version(struct request *request)
{
	const char *version = request_header(request, HEADER_TUS_RESUMABLE);

	if (version && strcmp(version, TUS_VERSION) == 0)
		return true;
	answer_error(request, 412, "Tus-Resumable must be " TUS_VERSION ".");
	answer_header(request, "Tus-Version", TUS_VERSION);
	return false;
}

bool tus_number(struct request *request, const char *name, const char *text, int64_t *ret_number)
{
	*ret_number = -1;
	if (!text)
		return true;
	if (*text && strspn(text, "0123456789") == strlen(text) && int64_parse(text, ret_number) == 0)
		return true;
	answer_errorf(request, 400, "%s is no number.", name);
	return false;
}

void tus_put_expires(struct request *request, int64_t expires_ns)
{
	char date[HTTP_DATE_SIZE];

	http_date_format(expires_ns / NS_PER_S, date);
	answer_header(request, "Upload-Expires", date);
}

int tus_find(struct request *request, struct leased_db *leased, const char *upload_id, struct upload_row *ret_row)
{
	struct upload_row row autoupload = {0};
	int r;

	r = request_lease_db(request, leased);
	if (r == 0)
		r = schema_is_uuid(upload_id) ? upload_row_find(leased->db, request->tenant->id, upload_id, NULL, &row) : -ENOENT;
	if (r == 0 && (row.protocol != 't' ||
		       (strcmp(row.subject, request->principal.subject) != 0 && request->principal.role < ROLE_ADMIN)))
		r = -ENOENT;
	if (r < 0)
		return r;
	*ret_row = row;
	row = (struct upload_row){0};
	return 0;
}

int tus_offset(struct request *request, const struct upload_row *row, int64_t *ret_offset)
{
	int fd autoclose = -1, r;
	struct stat stat;

	r = mount_open(request->server->mount, request->tenant, row->folder, O_PATH, 0, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &stat) < 0)
		return -errno;
	*ret_offset = stat.st_size;
	return 0;
}

/* --- what there is of it --- */

static void put_length(struct request *request, const struct upload_row *row)
{
	if (row->size_bytes >= 0)
		answer_header_number(request, "Upload-Length", row->size_bytes);
	else
		answer_header(request, "Upload-Defer-Length", "1");
}

static int answer_state(struct request *request, const struct upload_row *row, int64_t offset)
{
	const char *metadata = json_string_value(json_object_get(row->request, "header"));
	const char *concat = json_string_value(json_object_get(row->request, "concat"));

	answer_empty(request, 200);
	answer_header_number(request, "Upload-Offset", offset);
	put_length(request, row);
	if (metadata)
		answer_header(request, "Upload-Metadata", metadata);
	if (row->is_partial || concat)
		answer_header(request, "Upload-Concat", row->is_partial ? "partial" : concat);
	if (row->file_id[0])
		answer_header(request, "X-File-Id", row->file_id);
	if (strcmp(row->state, "done") != 0)
		tus_put_expires(request, row->expires_ns);
	return 0;
}

static int head(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int64_t offset = 0;
	int r;

	if (!tus_check_version(request))
		return 0;
	r = tus_find(request, &leased, request_param(request, "upload_id"), &row);
	if (r < 0)
		return r;
	leased_db_return(&leased);
	if (row.is_expired || strcmp(row.state, "failed") == 0)
		return answer_error(request, 410, row.error ? row.error : "The upload has expired.");
	if (strcmp(row.state, "done") == 0)
		return answer_state(request, &row, row.size_bytes);
	r = tus_offset(request, &row, &offset);
	if (r == -ENOENT)
		return answer_error(request, 410, "The upload is gone.");
	return r < 0 ? r : answer_state(request, &row, offset);
}

static int terminate(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int r;

	if (!tus_check_version(request))
		return 0;
	r = tus_find(request, &leased, request_param(request, "upload_id"), &row);
	if (r < 0)
		return r;
	/* What became a file is removed as one. */
	if (row.folder[0] && (strcmp(row.state, "done") != 0 || row.is_partial))
		r = mount_remove(request->server->mount, request->tenant, row.folder);
	if (r == 0 || r == -ENOENT)
		r = upload_row_delete(leased.db, request->tenant->id, row.upload_id);
	return r < 0 ? r : answer_empty(request, 204);
}

static int options(struct request *request)
{
	char max[24];

	cors_answer_options(request);
	snprintf(max, sizeof(max), "%" PRId64, config_int(request->server->config, SETTING_MAX_FILE_SIZE));
	answer_header(request, "Tus-Version", TUS_VERSION);
	answer_header(request, "Tus-Extension", TUS_EXTENSIONS);
	answer_header(request, "Tus-Checksum-Algorithm", TUS_CHECKSUMS);
	answer_header(request, "Tus-Max-Size", max);
	return 0;
}

/* --- the table --- */

static const struct field tenant_query[] = {{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63}, {0}};
static const struct field id_path[] = {{.name = "upload_id", .type = FIELD_UUID}, {0}};
static const struct schema bytes_schema = {.type = FIELD_BINARY};

#define TAG "Resumable uploads (tus)"
#define NO_BODY "text/plain"

const struct route tus_routes[] = {
	{.method = "OPTIONS", .path = "/api/v1/uploads", .flags = ROUTE_TUS, .handler = options, .tag = TAG, .name = "tusOptions",
	 .about = "What of tus is spoken here", .answers = {{204, NULL, "In the headers", NO_BODY}}},
	{.method = "POST", .path = "/api/v1/uploads", .role = ROLE_USER,
	 .flags = ROUTE_TENANT | ROUTE_TENANT_IN_FORM | ROUTE_TUS | ROUTE_BODY_OPTIONAL, .handler = tus_create, .tag = TAG,
	 .name = "tusCreate", .about = "Create an upload; its first bytes may come along", .query_fields = tenant_query,
	 .body = ROUTE_BODY_STREAM, .body_schema = &bytes_schema, .hooks = &tus_create_hooks,
	 .answers = {{201, NULL, "Location says where it is", NO_BODY}}},
	{.method = "HEAD", .path = "/api/v1/uploads/{upload_id}", .role = ROLE_READER,
	 .flags = ROUTE_TENANT | ROUTE_TUS | ROUTE_ANY_TENANT_BY_ID, .handler = head, .tag = TAG, .name = "tusOffset",
	 .about = "How far an upload is", .path_fields = id_path, .query_fields = tenant_query,
	 .answers = {{200, NULL, "In Upload-Offset", NO_BODY}}},
	{.method = "PATCH", .path = "/api/v1/uploads/{upload_id}", .role = ROLE_USER,
	 .flags = ROUTE_TENANT | ROUTE_TUS | ROUTE_ANY_TENANT_BY_ID | ROUTE_BODY_OPTIONAL, .handler = tus_append, .tag = TAG,
	 .name = "tusAppend", .about = "Go on with an upload", .path_fields = id_path, .query_fields = tenant_query,
	 .body = ROUTE_BODY_STREAM, .body_schema = &bytes_schema, .hooks = &tus_append_hooks,
	 .answers = {{204, NULL, "Upload-Offset says how far it is; X-File-Id, when it is whole, which file it became", NO_BODY}}},
	{.method = "DELETE", .path = "/api/v1/uploads/{upload_id}", .role = ROLE_USER,
	 .flags = ROUTE_TENANT | ROUTE_TUS | ROUTE_ANY_TENANT_BY_ID, .handler = terminate, .tag = TAG, .name = "tusTerminate",
	 .about = "Give an upload up", .path_fields = id_path, .query_fields = tenant_query,
	 .answers = {{204, NULL, "It is gone", NO_BODY}}},
	{0},
};
