#include "httpshim/routes/active_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/dataset_lookup.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/text.h"
#include "shared/cache/cache.h"

enum { ACTIVE_TTL_S = 3600, KEY_SIZE = 400, PAIRS_MAX = 32 };

static const struct field active_fields[] = {
	{.name = "file_name", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "storage_uri", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "description", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "summary", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{0},
};
const struct schema active_file_schema = {.name = "ActiveFile", .type = FIELD_OBJECT, .fields = active_fields};

static void redis_key(const struct request *request, const char *session_id, char key[KEY_SIZE])
{
	char lower[37];

	/* A UUID is the same in capitals; the key must be, too. */
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = (char)(session_id[i] >= 'A' && session_id[i] <= 'F' ? session_id[i] | 0x20 : session_id[i]);
	snprintf(key, KEY_SIZE, "active_file:user%s:session:%s", request->principal.subject, lower);
}

static void put_uri(struct buf *buf, const struct request *request, const struct file_row *row,
		    const struct dataset_view *dataset)
{
	buf_printf(buf, "local://%s/%s/", dataset->mount_path, request->tenant->code);
	buf_append(buf, row->path.data, row->path.length);
}

/* Redis holds what its readers know, and whose it is: a sub may be somebody else's in another tenant. */
static void keep_in_redis(const struct request *request, const char *session_id, const struct file_row *row,
			  const struct dataset_view *dataset)
{
	autobuf struct buf uri = BUF_INIT(16 << 10);
	char key[KEY_SIZE], tenant_id[24];

	put_uri(&uri, request, row, dataset);
	snprintf(tenant_id, sizeof(tenant_id), "%lld", (long long)request->tenant->id);
	if (buf_error(&uri) == 0) {
		const char *pairs[] = {
			"file_name", dataset->name, "storage_uri", uri.data, "description", dataset->description,
			"summary", dataset->summary ? dataset->summary : "", "storage_type", "local",
			"user_id", request->principal.subject, "tenant_id", tenant_id, "file_id", row->file_id, NULL,
		};

		redis_key(request, session_id, key);
		cache_hash_set(request->server->cache, key, ACTIVE_TTL_S, pairs);
	}
}

int active_file_set(struct request *request, struct db *db, const char *session_id, const struct file_row *row,
		    const struct dataset_view *dataset)
{
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, request->principal.subject);
	db_param_uuid(&params, session_id);
	db_param_text(&params, row->file_id);
	db_param_int(&params, ACTIVE_TTL_S);
	r = db_run(db, QUERY_API_ACTIVE_SET, &params, NULL);
	if (r == 0)
		keep_in_redis(request, session_id, row, dataset);
	return r;
}

void active_file_forget(struct request *request, const char *session_id)
{
	char key[KEY_SIZE];

	redis_key(request, session_id, key);
	cache_delete(request->server->cache, key);
}

static void put_member(struct buf *buf, const char *name, const char *value, size_t length)
{
	json_put_key(buf, name);
	if (value)
		json_put_string(buf, value, length);
	else
		buf_puts(buf, "null");
}

static int answer_dataset(struct request *request, const struct file_row *row, const struct dataset_view *dataset)
{
	autobuf struct buf uri = BUF_INIT(16 << 10);
	struct buf *buf = answer_begin(request, 200, "application/json");

	put_uri(&uri, request, row, dataset);
	buf_putc(buf, '{');
	put_member(buf, "file_name", dataset->name, strlen(dataset->name));
	put_member(buf, "storage_uri", uri.data, uri.length);
	put_member(buf, "description", dataset->description, strlen(dataset->description));
	put_member(buf, "summary", dataset->summary, dataset->summary ? strlen(dataset->summary) : 0);
	buf_putc(buf, '}');
	return answer_end(request);
}

static const char *pair(char **pairs, const char *name)
{
	for (int i = 0; pairs && pairs[i] && i < PAIRS_MAX; i += 2) {
		if (strcmp(pairs[i], name) == 0)
			return pairs[i + 1];
	}
	return NULL;
}

/* PostgreSQL is away: what Redis has is the best there is. */
static int answer_from_redis(struct request *request, char **pairs, int error)
{
	static const char *const names[] = {"file_name", "storage_uri", "description", "summary"};
	const char *tenant_id = pair(pairs, "tenant_id");
	struct buf *buf;

	if (!tenant_id || strtoll(tenant_id, NULL, 10) != request->tenant->id)
		return error;
	buf = answer_begin(request, 200, "application/json");
	buf_putc(buf, '{');
	for (size_t i = 0; i < 4; i++) {
		const char *value = pair(pairs, names[i]);

		put_member(buf, names[i], value ? value : "", value ? strlen(value) : 0);
	}
	buf_putc(buf, '}');
	return answer_end(request);
}

/* Which file it is, by PostgreSQL, and its time begins anew. -ENOENT: none. */
static int find_active(struct request *request, struct db *db, const char *session_id, char ret_file_id[FILE_ID_SIZE])
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	size_t length;
	const char *id;
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_text(&params, request->principal.subject);
	db_param_uuid(&params, session_id);
	db_param_int(&params, ACTIVE_TTL_S);
	r = db_run(db, QUERY_API_ACTIVE_GET, &params, &result);
	if (r < 0)
		return r;
	id = db_rows(result) > 0 ? db_get_bytes(result, 0, 0, &length) : NULL;
	if (!id || length >= FILE_ID_SIZE)
		return -ENOENT;
	memcpy(ret_file_id, id, length + 1);
	return 0;
}

int active_file_get_answer(struct request *request)
{
	const char *session_id = request_param(request, "session");
	struct dataset_list list autodatasets = {0};
	struct leased_db leased autodb = {0};
	char **pairs autofree = NULL, key[KEY_SIZE], file_id[FILE_ID_SIZE];
	bool is_in_redis;
	int r;

	redis_key(request, session_id, key);
	is_in_redis = cache_hash_get(request->server->cache, key, ACTIVE_TTL_S, &pairs) == 0;
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_active(request, leased.db, session_id, file_id);
	if (r == 0)
		r = dataset_list_find(request, leased.db, NULL, file_id, &list);
	if (r == -EAGAIN || r == -ETIMEDOUT)
		return answer_from_redis(request, pairs, r);
	if (r == -ENOENT || (r == 0 && list.files.count == 0)) {
		if (is_in_redis)
			active_file_forget(request, session_id);
		return answer_error(request, 404, "No active file found for this session.");
	}
	if (r < 0)
		return r;
	if (!is_in_redis)
		keep_in_redis(request, session_id, &list.files.rows[0], &list.views[0]);
	return answer_dataset(request, &list.files.rows[0], &list.views[0]);
}

int active_file_set_answer(struct request *request)
{
	const char *name = json_string_value(json_object_get(request->json, "file_name"));
	struct dataset_list list autodatasets = {0};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = dataset_list_find(request, leased.db, name, NULL, &list);
	if (r == 0 && list.files.count == 0)
		return answer_error(request, 404, "There is no such file.");
	if (r == 0)
		r = active_file_set(request, leased.db, request_param(request, "session"), &list.files.rows[0], &list.views[0]);
	return r < 0 ? r : answer_null(request);
}
