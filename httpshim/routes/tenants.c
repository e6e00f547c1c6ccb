/* Tenants: create, list, show, change, delete, figures. What they hold is the mount's; here are only their settings. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "httpshim/parking.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/meta/tenants.h"
#include "shared/validate/validate.h"

enum { LIST_MAX = 1000, DELETE_TIMEOUT_S = 60 };

static const struct schema any_object = {.type = FIELD_OBJECT};

#define TENANT_VALUE_FIELDS                                                                                                \
	{.name = "name", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 1024},                                  \
		{.name = "description", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 65536},                  \
		{.name = "is_active", .type = FIELD_BOOLEAN},                                                              \
		{.name = "storage_quota_bytes", .type = FIELD_INTEGER, .flags = FIELD_NULLABLE, .minimum = 0,              \
		 .maximum = INT64_MAX, .about = "null: no limit"},                                                         \
		{.name = "file_count_limit", .type = FIELD_INTEGER, .flags = FIELD_NULLABLE, .minimum = 0,                 \
		 .maximum = INT64_MAX, .about = "null: no limit"},                                                         \
		{.name = "configuration", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &any_object,                \
		 .about = "allowed_extensions, denied_extensions, allowed_media_types, denied_media_types, max_file_size, " \
			  "max_zip_depth, retention_days"},

static const struct field create_fields[] = {
	{.name = "code", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 63},
	TENANT_VALUE_FIELDS{0},
};
static const struct schema create_schema = {.name = "TenantCreate", .type = FIELD_OBJECT, .fields = create_fields, .flags = FIELD_OPEN};
static const struct field change_fields[] = {
	{.name = "code", .type = FIELD_STRING, .about = "Never changes: 409 when it differs"},
	TENANT_VALUE_FIELDS{0},
};
static const struct schema change_schema = {.name = "TenantChange", .type = FIELD_OBJECT, .fields = change_fields, .flags = FIELD_OPEN};

static const struct schema stats_schema = {.name = "TenantStats", .type = FIELD_OBJECT,
					   .about = "files, bytes, quota, by_status, by_media_type, by_month, extractions"};
#define TENANT_ANSWER_FIELDS                                                                                               \
	{.name = "id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},                                                       \
		{.name = "_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED, .about = "The same as id"},                   \
		{.name = "code", .type = FIELD_STRING, .flags = FIELD_REQUIRED},                                           \
		{.name = "name", .type = FIELD_STRING, .flags = FIELD_REQUIRED},                                           \
		{.name = "description", .type = FIELD_STRING, .flags = FIELD_REQUIRED},                                    \
		{.name = "is_active", .type = FIELD_BOOLEAN, .flags = FIELD_REQUIRED},                                     \
		{.name = "storage_quota_bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED | FIELD_NULLABLE},          \
		{.name = "file_count_limit", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED | FIELD_NULLABLE},             \
		{.name = "configuration", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &any_object},               \
		{.name = "created_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED},                                       \
		{.name = "updated_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED},

static const struct field tenant_fields[] = {TENANT_ANSWER_FIELDS{0}};
static const struct schema tenant_schema = {.name = "Tenant", .type = FIELD_OBJECT, .fields = tenant_fields};
static const struct field tenant_stats_fields[] = {
	TENANT_ANSWER_FIELDS{.name = "stats", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &stats_schema},
	{0},
};
static const struct schema tenant_with_stats_schema = {.name = "TenantWithStats", .type = FIELD_OBJECT, .fields = tenant_stats_fields};
static const struct schema tenant_list_schema = {.type = FIELD_ARRAY, .of = &tenant_schema};

/* --- a tenant as JSON --- */

static void put_text(struct buf *buf, const char *key, const char *text, size_t length)
{
	json_put_key(buf, key);
	json_put_string(buf, text ? text : "", length);
}

static void put_limit(struct buf *buf, const char *key, int64_t limit)
{
	json_put_key(buf, key);
	if (limit < 0)
		buf_puts(buf, "null");
	else
		buf_printf(buf, "%" PRId64, limit);
}

static void put_time(struct buf *buf, const char *key, int64_t time_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(time_ns, text);
	put_text(buf, key, text, strlen(text));
}

/* Leaves the object open for more members. */
static void put_tenant(struct buf *buf, const struct tenant_row *row)
{
	buf_putc(buf, '{');
	put_text(buf, "id", row->uuid, strlen(row->uuid));
	put_text(buf, "_id", row->uuid, strlen(row->uuid));
	put_text(buf, "code", row->code, strlen(row->code));
	put_text(buf, "name", row->name.data, row->name.length);
	put_text(buf, "description", row->description.data, row->description.length);
	json_put_key(buf, "is_active");
	buf_puts(buf, row->is_active ? "true" : "false");
	put_limit(buf, "storage_quota_bytes", row->storage_quota_bytes);
	put_limit(buf, "file_count_limit", row->file_count_limit);
	json_put_key(buf, "configuration");
	buf_append(buf, row->configuration.data ? row->configuration.data : "{}",
		   row->configuration.data ? row->configuration.length : 2);
	put_time(buf, "created_at", row->created_at_ns);
	put_time(buf, "updated_at", row->updated_at_ns);
}

static int answer_tenant(struct request *request, int status, const struct tenant_row *row)
{
	struct buf *buf = answer_begin(request, status, "application/json");

	put_tenant(buf, row);
	buf_putc(buf, '}');
	return answer_end(request);
}

/* --- what is set --- */

struct change_texts {
	char *configuration;
};

static void change_texts_release(struct change_texts *texts)
{
	free(texts->configuration);
}

/* The rules as the mount will read them: what it would not understand is refused here. False: the answer is set. */
static bool check_configuration(struct request *request, const char *text)
{
	struct rules *rules;
	char error[256];
	int r;

	r = rules_parse(text, strlen(text), request->server->config, &rules, error, sizeof(error));
	if (r == 0) {
		rules_unref(rules);
		return true;
	}
	if (r == -EINVAL)
		answer_invalid(request, "body", "configuration", error);
	else
		answer_errno(request, r);
	return false;
}

static bool take_limits(const json_t *json, struct tenant_change *change)
{
	const json_t *value;

	if ((value = json_object_get(json, "storage_quota_bytes"))) {
		change->fields |= TENANT_QUOTA;
		change->storage_quota_bytes = json_is_null(value) ? -1 : json_integer_value(value);
	}
	if ((value = json_object_get(json, "file_count_limit"))) {
		change->fields |= TENANT_FILE_LIMIT;
		change->file_count_limit = json_is_null(value) ? -1 : json_integer_value(value);
	}
	if ((value = json_object_get(json, "is_active"))) {
		change->fields |= TENANT_ACTIVE;
		change->is_active = json_is_true(value);
	}
	return (change->fields & (TENANT_QUOTA | TENANT_FILE_LIMIT | TENANT_ACTIVE)) != 0;
}

static bool take_values(struct request *request, struct tenant_change *change, struct change_texts *texts)
{
	const json_t *value;

	/* What a tenant may use is for whoever runs the installation to say, not for the tenant's own admin. */
	if (take_limits(request->json, change) && strcmp(request->principal.tenant, "*") != 0) {
		answer_error(request, 403, "Limits and is_active are set with a token for all tenants.");
		return false;
	}
	if ((value = json_object_get(request->json, "name"))) {
		change->fields |= TENANT_NAME;
		change->name = json_is_null(value) ? "" : json_string_value(value);
	}
	if ((value = json_object_get(request->json, "description"))) {
		change->fields |= TENANT_DESCRIPTION;
		change->description = json_is_null(value) ? "" : json_string_value(value);
	}
	value = json_object_get(request->json, "configuration");
	if (!value || json_is_null(value))
		return true;
	texts->configuration = json_dumps(value, JSON_COMPACT);
	if (!texts->configuration) {
		answer_errno(request, -ENOMEM);
		return false;
	}
	change->fields |= TENANT_CONFIGURATION;
	change->configuration = (struct bytes){texts->configuration, strlen(texts->configuration)};
	return check_configuration(request, texts->configuration);
}

/* --- handlers --- */

static int create(struct request *request)
{
	const char *code = json_string_value(json_object_get(request->json, "code"));
	struct change_texts texts cleanup(change_texts_release) = {0};
	struct leased_db leased autodb = {0};
	struct tenant_list list autotenants = {0};
	struct tenant_change change = {0};
	int r;

	if (strcmp(request->principal.tenant, "*") != 0)
		return answer_error(request, 403, "Tenants are created with a token for all tenants.");
	if (!tenant_code_is_valid(code))
		return answer_invalid(request, "body", "code",
				      "Input should be 1 to 63 of A-Z a-z 0-9 _ -, begin with a letter or digit, and be no month");
	if (!take_values(request, &change, &texts))
		return 0;
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_create(leased.db, code, &change, &list);
	if (r == -EEXIST)
		return answer_error(request, 409, "A tenant with this code already exists.");
	return r < 0 ? r : answer_tenant(request, 201, &list.rows[0]);
}

static int list_one(struct request *request, struct db *db, const char *code)
{
	struct tenant_list list autotenants = {0};
	struct buf *buf;
	int r;

	r = *code ? tenant_find(db, code, &list) : -ENOENT;
	if (r < 0 && r != -ENOENT)
		return r;
	buf = answer_begin(request, 200, "application/json");
	buf_putc(buf, '[');
	if (r == 0 && !list.rows[0].is_deleting) {
		put_tenant(buf, &list.rows[0]);
		buf_putc(buf, '}');
	}
	buf_putc(buf, ']');
	return answer_end(request);
}

static int list_all(struct request *request, struct db *db)
{
	int64_t limit = request_query_int(request, "limit", 100);
	struct tenant_list list autotenants = {0};
	struct buf *buf;
	int r, shown = 0;

	r = tenant_list(db, request_query(request, "cursor"), request_query_int(request, "skip", 0), limit, &list);
	if (r < 0)
		return r;
	buf = answer_begin(request, 200, "application/json");
	buf_putc(buf, '[');
	for (int i = 0; i < list.count; i++) {
		if (list.rows[i].is_deleting)
			continue;
		buf_puts(buf, shown++ ? "," : "");
		put_tenant(buf, &list.rows[i]);
		buf_putc(buf, '}');
	}
	buf_putc(buf, ']');
	/* The cursor is the last code; a plain list has no room for it but a header. */
	if (list.count == limit && list.count > 0)
		answer_header(request, "X-Next-Cursor", list.rows[list.count - 1].code);
	return answer_end(request);
}

static int list(struct request *request)
{
	const char *own = request->principal.tenant;
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r < 0)
		return r;
	if (strcmp(own, "*") == 0)
		return list_all(request, leased.db);
	return list_one(request, leased.db, *own ? own : request->server->default_tenant);
}

static int get(struct request *request)
{
	autobuf struct buf stats = BUF_INIT(1 << 20);
	struct leased_db leased autodb = {0};
	struct tenant_list list autotenants = {0};
	struct buf *buf;
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_find_by_id(leased.db, request->tenant->id, &list);
	if (r == 0 && list.rows[0].is_deleting)
		r = -ENOENT;
	if (r == 0)
		r = tenant_stats(leased.db, request->tenant->id, &stats);
	if (r < 0)
		return r;
	buf = answer_begin(request, 200, "application/json");
	put_tenant(buf, &list.rows[0]);
	json_put_key(buf, "stats");
	buf_append(buf, stats.data, stats.length);
	buf_putc(buf, '}');
	return answer_end(request);
}

static int stats(struct request *request)
{
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_stats(leased.db, request->tenant->id, answer_begin(request, 200, "application/json"));
	return r < 0 ? r : answer_end(request);
}

static int change(struct request *request)
{
	const json_t *code = json_object_get(request->json, "code");
	struct change_texts texts cleanup(change_texts_release) = {0};
	struct leased_db leased autodb = {0};
	struct tenant_list list autotenants = {0};
	struct tenant_change values = {0};
	int r;

	if (json_is_string(code) && strcmp(json_string_value(code), request->tenant->code) != 0)
		return answer_error(request, 409, "A tenant's code never changes.");
	if (!take_values(request, &values, &texts))
		return 0;
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_change(leased.db, request->tenant->id, &values, &list);
	if (r < 0)
		return r;
	tenant_cache_forget(request->server->tenants, request->tenant->id);
	return answer_tenant(request, 200, &list.rows[0]);
}

/* --- deletion: asked for here, done by whoever holds the lease; the request is parked until the row is gone --- */

struct deletion {
	int64_t files, bytes;
};

static int deletion_answer(struct request *request)
{
	const struct deletion *deletion = request->state;
	struct buf *buf = answer_begin(request, 200, "application/json");

	buf_putc(buf, '{');
	put_text(buf, "code", request->tenant->code, strlen(request->tenant->code));
	put_text(buf, "id", request->tenant->uuid, strlen(request->tenant->uuid));
	buf_printf(buf, ",\"deleted\":true,\"files\":%" PRId64 ",\"bytes\":%" PRId64 "}", deletion->files, deletion->bytes);
	return answer_end(request);
}

static int await_deletion(struct request *request)
{
	struct tenant_list list autotenants = {0};
	struct leased_db leased autodb = {0};
	int r;

	request->parking_ticket = parking_ticket(request->server->parking);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_find_by_id(leased.db, request->tenant->id, &list);
	if (r == -ENOENT)
		return deletion_answer(request);
	if (r < 0)
		return r;
	if (clock_monotonic_ns() >= request->parked_until_ns || atomic_load(&request->server->is_draining))
		return answer_error(request, 503, "The tenant is being deleted; that takes longer. Ask again.");
	return REQUEST_PARKED;
}

static int delete(struct request *request)
{
	struct tenant_list list autotenants = {0};
	struct leased_db leased autodb = {0};
	struct deletion *deletion;
	int r;

	if (strcmp(request->principal.tenant, "*") != 0)
		return answer_error(request, 403, "Tenants are deleted with a token for all tenants.");
	deletion = calloc(1, sizeof(*deletion));
	if (!deletion)
		return -ENOMEM;
	request->state = deletion;
	request->free_state = free;
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = tenant_find_by_id(leased.db, request->tenant->id, &list);
	if (r == 0)
		r = tenant_request_delete(leased.db, request->tenant->id);
	if (r < 0)
		return r;
	deletion->files = list.usage[0].file_count;
	deletion->bytes = list.usage[0].used_bytes;
	leased_db_return(&leased);
	tenant_cache_forget(request->server->tenants, request->tenant->id);
	request->resume = await_deletion;
	request->parked_until_ns = clock_monotonic_ns() + DELETE_TIMEOUT_S * NS_PER_S;
	return await_deletion(request);
}

/* --- the table --- */

static const struct field list_query[] = {
	{.name = "skip", .type = FIELD_INTEGER, .minimum = 0, .maximum = INT32_MAX},
	{.name = "limit", .type = FIELD_INTEGER, .minimum = 1, .maximum = LIST_MAX},
	{.name = "cursor", .type = FIELD_STRING, .maximum = 63, .about = "X-Next-Cursor of the page before"},
	{0},
};
static const struct field deleted_fields[] = {
	{.name = "code", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "deleted", .type = FIELD_BOOLEAN, .flags = FIELD_REQUIRED},
	{.name = "files", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema deleted_schema = {.name = "TenantDeleted", .type = FIELD_OBJECT, .fields = deleted_fields};

const struct route tenant_routes[] = {
	{.method = "POST", .path = "/api/v1/tenants", .role = ROLE_ADMIN, .handler = create, .tag = "Tenants", .name = "createTenant",
	 .about = "Create a tenant", .body = ROUTE_BODY_JSON, .body_schema = &create_schema,
	 .answers = {{201, &tenant_schema, "The tenant", NULL}}},
	{.method = "GET", .path = "/api/v1/tenants", .role = ROLE_READER, .handler = list, .tag = "Tenants", .name = "listTenants",
	 .about = "The tenants that the caller may see", .query_fields = list_query,
	 .answers = {{200, &tenant_list_schema, "In the order of their codes", NULL}}},
	{.method = "GET", .path = "/api/v1/tenants/{tenant_code}", .role = ROLE_READER, .flags = ROUTE_TENANT | ROUTE_INACTIVE,
	 .handler = get, .tag = "Tenants", .name = "getTenant", .about = "A tenant with its figures",
	 .answers = {{200, &tenant_with_stats_schema, "The tenant", NULL}}},
	{.method = "PUT", .path = "/api/v1/tenants/{tenant_code}", .role = ROLE_ADMIN, .flags = ROUTE_TENANT | ROUTE_INACTIVE,
	 .handler = change, .tag = "Tenants", .name = "replaceTenantFields", .about = "Change a tenant", .body = ROUTE_BODY_JSON,
	 .body_schema = &change_schema, .answers = {{200, &tenant_schema, "The tenant as it is now", NULL}}},
	{.method = "PATCH", .path = "/api/v1/tenants/{tenant_code}", .role = ROLE_ADMIN, .flags = ROUTE_TENANT | ROUTE_INACTIVE,
	 .handler = change, .tag = "Tenants", .name = "changeTenant", .about = "Change a tenant", .body = ROUTE_BODY_JSON,
	 .body_schema = &change_schema, .answers = {{200, &tenant_schema, "The tenant as it is now", NULL}}},
	{.method = "DELETE", .path = "/api/v1/tenants/{tenant_code}", .role = ROLE_ADMIN, .flags = ROUTE_TENANT | ROUTE_INACTIVE,
	 .handler = delete, .tag = "Tenants", .name = "deleteTenant", .about = "Delete a tenant with all its files",
	 .answers = {{200, &deleted_schema, "What was removed", NULL}}},
	{.method = "GET", .path = "/api/v1/tenants/{tenant_code}/stats", .role = ROLE_READER, .flags = ROUTE_TENANT | ROUTE_INACTIVE,
	 .handler = stats, .tag = "Tenants", .name = "getTenantStats", .about = "Files, bytes and extractions in figures",
	 .answers = {{200, &stats_schema, "The figures", NULL}}},
	{0},
};
