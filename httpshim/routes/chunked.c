/* Chunked uploads: init, chunks in any order, complete; then get, status and retry by the file's id. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "httpshim/assembly.h"
#include "httpshim/background.h"
#include "httpshim/body_reader.h"
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/chunked_view.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_rows.h"
#include "httpshim/working_file.h"
#include "shared/base/text.h"
#include "shared/validate/validate.h"

enum { CHUNKS_MAX = 100000 };

/* --- init --- */

static int init(struct request *request)
{
	char upload_id[UUID_SIZE], folder[UPLOAD_FOLDER_SIZE];
	struct upload_creation creation = {.protocol = 'c', .upload_id = upload_id, .folder = folder, .size_bytes = -1};
	struct leased_db leased autodb = {0};
	json_t *empty;
	int64_t expires_ns;
	int r;

	r = uuid_make(upload_id);
	if (r < 0)
		return r;
	upload_folder(upload_id, folder);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = mount_make_folder(request->server->mount, request->tenant, folder);
	if (r < 0)
		return r;
	creation.request = empty = json_object();
	r = upload_row_create(request, leased.db, &creation, &expires_ns);
	json_decref(empty);
	if (r < 0) {
		mount_remove_folder(request->server->mount, request->tenant, folder);
		return r;
	}
	buf_printf(answer_begin(request, 200, "application/json"),
		   "{\"data\":{\"upload_id\":\"%s\",\"chunk_size\":%" PRId64 "},\"message\":\"\",\"success\":true}", upload_id,
		   request->server->chunk_bytes_max);
	return answer_end(request);
}

/* --- a chunk: its fields come in any order, so it is written under a working name first --- */

static void free_chunk(void *state)
{
	free(state);
}

static int chunk_begin(struct request *request, const struct multipart_part *part)
{
	struct working_file *file = calloc(1, sizeof(*file));
	int r;

	(void)part;
	if (!file)
		return -ENOMEM;
	*file = WORKING_FILE_NONE;
	request->state = file;
	request->free_state = free_chunk;
	r = working_file_begin(request->server, request->tenant, request->principal.subject, "", file);
	if (r == 0)
		r = working_file_mark_partial(file);
	if (r == 0)
		return 0;
	working_file_answer_refusal(request, file, r);
	return -ECANCELED;
}

static int chunk_data(struct request *request, const void *bytes, size_t length)
{
	struct working_file *file = request->state;
	int r;

	if (file->size_bytes + length > (uint64_t)request->server->chunk_bytes_max) {
		answer_invalid(request, "body", "file", "The chunk is larger than chunk_size allows");
		return -ECANCELED;
	}
	r = working_file_write(file, bytes, length);
	if (r == 0)
		return 0;
	working_file_answer_refusal(request, file, r);
	return -ECANCELED;
}

static void chunk_abandon(struct request *request)
{
	if (request->state)
		working_file_release(request->state);
}

static const struct route_hooks chunk_hooks = {.part_begin = chunk_begin, .data = chunk_data, .abandon = chunk_abandon};

static int64_t form_number(const struct request *request, const char *name, int64_t otherwise)
{
	const char *text = body_form_text(request, name, NULL);
	int64_t value;

	return text && int64_parse(text, &value) == 0 ? value : otherwise;
}

/* The caller's upload of that id. -ENOENT: none. */
static int find_upload(struct request *request, struct db *db, const char *upload_id, struct upload_row *row)
{
	int r = upload_row_find(db, request->tenant->id, upload_id, NULL, row);

	if (r == 0 && (row->protocol != 'c' || row->is_expired))
		r = -ENOENT;
	if (r == 0 && strcmp(row->subject, request->principal.subject) != 0 && request->principal.role < ROLE_ADMIN)
		r = -ENOENT;
	return r;
}

static int note_chunk(struct request *request, struct db *db, const struct upload_row *row, int64_t index, uint64_t size_bytes)
{
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, row->upload_id);
	db_param_int(&params, index);
	db_param_int(&params, (int64_t)size_bytes);
	db_param_int(&params, request->server->upload_lifetime_s);
	r = db_run(db, QUERY_API_UPLOAD_CHUNK_PUT, &params, &result);
	return r == 0 && db_rows(result) == 0 ? -EBUSY : r;
}

static int store_chunk(struct request *request, struct working_file *file, struct leased_db *leased, const struct upload_row *row)
{
	int64_t index = form_number(request, "chunk_index", 0);
	char path[CHUNK_PATH_SIZE];
	int r;

	assembly_chunk_path(row->folder, (long long)index, path);
	r = working_file_close(file);
	if (r == 0)
		r = mount_replace(request->server->mount, request->tenant, file->path, path);
	if (r < 0)
		return r;
	file->has_name = false;
	return note_chunk(request, leased->db, row, index, file->size_bytes);
}

static int chunk(struct request *request)
{
	struct working_file *file = request->state;
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int r;

	if (!file)
		return answer_invalid(request, "body", "file", "Field required");
	if (form_number(request, "chunk_size", 0) > request->server->chunk_bytes_max)
		r = answer_invalid(request, "body", "chunk_size", "The chunk is larger than allowed");
	else
		r = request_lease_db(request, &leased);
	if (r == 0 && request->answer.kind == ANSWER_NONE) {
		r = find_upload(request, leased.db, body_form_text(request, "upload_id", NULL), &row);
		if (r == -ENOENT || (r == 0 && strcmp(row.state, "open") != 0 && strcmp(row.state, "failed") != 0))
			r = answer_invalid(request, "body", "upload_id", "There is no such upload, or it takes no more chunks");
		else if (r == 0)
			r = store_chunk(request, file, &leased, &row);
	}
	if (r == 0 && request->answer.kind == ANSWER_NONE)
		buf_printf(answer_begin(request, 200, "application/json"),
			   "{\"data\":{\"upload_id\":\"%s\",\"chunk_index\":%" PRId64 "},\"message\":\"\",\"success\":true}", row.upload_id,
			   form_number(request, "chunk_index", 0));
	if (r == -EBUSY)
		r = answer_invalid(request, "body", "upload_id", "The upload takes no more chunks");
	if (r < 0)
		r = working_file_answer_refusal(request, file, r);
	working_file_release(file);
	return r;
}

/* --- complete --- */

/* What the file will be made from, out of the form. NULL: the answer is set. */
static json_t *describe(struct request *request, char extension[17])
{
	const char *given = body_form_text(request, "file_extension", NULL), *detail = body_form_text(request, "detail", NULL);
	static const char *const kept[] = {"appointment_id", "user_id"};
	json_t *json, *more = detail && *detail ? json_loads(detail, 0, NULL) : json_object();
	char name[24];

	given += *given == '.';
	snprintf(name, sizeof(name), "x.%.17s", given);
	name_extension(name, strlen(name), extension);
	if (*extension == '\0') {
		json_decref(more);
		answer_invalid(request, "body", "file_extension", "Input should be 1 to 16 letters and digits");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = body_form_text(request, kept[i], NULL);

		if (value && *value)
			json_object_set_new(more, kept[i], json_string(value));
	}
	json = json_pack("{s:s, s:s, s:I, s:I, s:o}", "file_extension", extension, "content_type",
			 body_form_text(request, "content_type", NULL), "total_chunks",
			 (json_int_t)form_number(request, "total_chunks", 0), "total_size",
			 (json_int_t)form_number(request, "total_size", 0), "detail", more);
	if (!json)
		answer_errno(request, -ENOMEM);
	return json;
}

/* All chunks are there, none besides, and together they are as long as was said. False: the answer is set. */
static bool check_chunks(struct request *request, const struct upload_row *row, int64_t total_chunks, int64_t total_size,
			 struct db *db)
{
	struct upload_chunk *chunks autofree = NULL;
	int64_t size_bytes = 0, missing = -1;
	char message[96];
	int count, r;

	r = upload_row_chunks(db, request->tenant->id, row->upload_id, &chunks, &count);
	if (r < 0) {
		answer_errno(request, r);
		return false;
	}
	for (int i = 0; i < count; i++) {
		size_bytes += chunks[i].size_bytes;
		if (missing < 0 && chunks[i].index != i)
			missing = i;
	}
	if (missing < 0 && count < total_chunks)
		missing = count;
	if (missing >= 0 || count > total_chunks) {
		snprintf(message, sizeof(message), missing >= 0 ? "Chunk %" PRId64 " is missing" : "There are %" PRId64 " chunks",
			 missing >= 0 ? missing : (int64_t)count);
		answer_invalid(request, "body", "total_chunks", message);
		return false;
	}
	if (size_bytes != total_size) {
		snprintf(message, sizeof(message), "The chunks are %" PRId64 " bytes together", size_bytes);
		answer_invalid(request, "body", "total_size", message);
	}
	return size_bytes == total_size;
}

/* The tenant's rule about extensions, before anything is put together. */
static bool check_extension(struct request *request, const struct upload_row *row, const char *extension)
{
	struct verdict verdict;
	char name[64];

	if (!request->tenant->rules)
		return true;
	snprintf(name, sizeof(name), "%s.%s", row->upload_id, extension);
	validate_name(request->tenant->rules, name, strlen(name), &verdict);
	if (verdict.error == 0)
		return true;
	answer_invalid(request, "body", "file_extension", verdict.reason);
	return false;
}

/* From the state before to assembling, once: who comes second finds it done. */
static int begin_assembly(struct request *request, struct db *db, struct upload_row *row, const json_t *description,
			  const char *credential)
{
	char *text autofree = json_dumps(description, JSON_COMPACT);
	char file_id[FILE_ID_SIZE];
	struct db_params params autoparams = {0};
	int r;

	if (!text)
		return -ENOMEM;
	r = assembly_make_file(request->server, request->tenant, row, json_string_value(json_object_get(description, "file_extension")),
			       file_id);
	if (r < 0)
		return r;
	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, row->upload_id);
	db_param_text(&params, row->state);
	db_param_text(&params, file_id);
	db_param_json(&params, text, strlen(text));
	db_param_json(&params, credential, credential ? strlen(credential) : 0);
	db_param_int(&params, json_integer_value(json_object_get(description, "total_size")));
	db_param_int(&params, request->server->upload_lifetime_s);
	r = db_run(db, QUERY_API_UPLOAD_COMPLETE, &params, NULL);
	if (r == 0)
		background_wake(request->server->background);
	return r;
}

static int answer_upload(struct request *request, struct db *db, const char *upload_id)
{
	struct upload_row row autoupload = {0};
	int r = upload_row_find(db, request->tenant->id, upload_id, NULL, &row);

	return r < 0 ? r : chunked_answer(request, &row);
}

static int start_assembly(struct request *request, struct db *db, struct upload_row *row)
{
	const char *credential = body_form_text(request, "credential", NULL);
	int64_t total_chunks = form_number(request, "total_chunks", 0), total_size = form_number(request, "total_size", 0);
	json_t *description;
	char extension[17];
	int r = 0;

	description = describe(request, extension);
	if (!description)
		return -ECANCELED;
	if (!check_chunks(request, row, total_chunks, total_size, db) || !check_extension(request, row, extension))
		r = -ECANCELED;
	if (r == 0)
		r = begin_assembly(request, db, row, description, credential && *credential ? credential : NULL);
	json_decref(description);
	return r;
}

static int complete(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_upload(request, leased.db, body_form_text(request, "upload_id", NULL), &row);
	if (r == -ENOENT)
		return answer_invalid(request, "body", "upload_id", "There is no such upload");
	/* Asked again it says the same again. */
	if (r == 0 && strcmp(row.state, "open") == 0)
		r = start_assembly(request, leased.db, &row);
	if (r == -ECANCELED)
		return 0;
	return r < 0 ? r : answer_upload(request, leased.db, row.upload_id);
}

/* --- by the file's id --- */

static int find_by_file(struct request *request, struct db *db, const char *id, struct upload_row *row)
{
	int r = -ENOENT;

	if (schema_is_uuid(id))
		r = upload_row_find(db, request->tenant->id, id, NULL, row);
	else if (file_id_is_valid(id, strlen(id)))
		r = upload_row_find(db, request->tenant->id, NULL, id, row);
	return r == 0 && (row->protocol != 'c' || row->file_id[0] == '\0') ? -ENOENT : r;
}

static int get(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_by_file(request, leased.db, request_param(request, "file_id"), &row);
	if (r == -ENOENT)
		return answer_error(request, 404, "There is no such file.");
	if (r < 0)
		return r;
	return chunked_query_opens(request, &row) ? chunked_answer(request, &row)
						  : answer_error(request, 403, "This file needs its credential.");
}

static int status(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_by_file(request, leased.db, request_param(request, "file_id"), &row);
	if (r == -ENOENT)
		return answer_error(request, 404, "There is no such file.");
	if (r < 0)
		return r;
	if (!chunked_query_opens(request, &row))
		return answer_error(request, 403, "This file needs its credential.");
	buf_printf(answer_begin(request, 200, "application/json"), "{\"data\":{\"status\":\"%s\"},\"message\":\"\",\"success\":true}",
		   chunked_status(&row));
	return answer_end(request);
}

static int retry(struct request *request)
{
	struct upload_row row autoupload = {0};
	struct leased_db leased autodb = {0};
	char *credential autofree = NULL;
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = find_by_file(request, leased.db, body_form_text(request, "file_id", NULL), &row);
	if (r == -ENOENT)
		return answer_error(request, 404, "There is no such file.");
	if (r < 0)
		return r;
	if (!chunked_form_opens(request, &row))
		return answer_error(request, 403, "This file needs its credential.");
	if (strcmp(row.state, "failed") != 0)
		return answer_error(request, 400, strcmp(row.state, "done") == 0 ? "The file is there already." : "It is still running.");
	if (!check_chunks(request, &row, json_integer_value(json_object_get(row.request, "total_chunks")),
			  json_integer_value(json_object_get(row.request, "total_size")), leased.db))
		return 0;
	credential = row.credential ? json_dumps(row.credential, JSON_COMPACT) : NULL;
	r = begin_assembly(request, leased.db, &row, row.request, credential);
	return r < 0 ? r : answer_upload(request, leased.db, row.upload_id);
}

/* --- the table --- */

static const struct field tenant_query[] = {{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63}, {0}};
static const struct field chunk_fields[] = {
	{.name = "upload_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "chunk_index", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .minimum = 0, .maximum = CHUNKS_MAX - 1},
	{.name = "chunk_size", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .minimum = 0, .maximum = INT64_MAX},
	{.name = "file", .type = FIELD_BINARY, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema chunk_schema = {.name = "Chunk", .type = FIELD_OBJECT, .fields = chunk_fields, .flags = FIELD_OPEN};
static const struct field complete_fields[] = {
	{.name = "upload_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "total_chunks", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = CHUNKS_MAX},
	{.name = "total_size", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .minimum = 0, .maximum = INT64_MAX},
	{.name = "file_extension", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 17},
	{.name = "content_type", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 255},
	{.name = "credential", .type = FIELD_JSON_TEXT, .maximum = 4096, .about = "With one the file is private"},
	{.name = "detail", .type = FIELD_JSON_TEXT, .maximum = 65536},
	{.name = "appointment_id", .type = FIELD_STRING, .maximum = 255, .about = "Kept in detail"},
	{.name = "user_id", .type = FIELD_STRING, .maximum = 255, .about = "Kept in detail"},
	{0},
};
static const struct schema complete_schema = {.name = "UploadComplete", .type = FIELD_OBJECT, .fields = complete_fields,
					      .flags = FIELD_OPEN};
static const struct field retry_fields[] = {
	{.name = "file_id", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .minimum = 1, .maximum = 64},
	{.name = "credential", .type = FIELD_JSON_TEXT, .maximum = 4096},
	{0},
};
static const struct schema retry_schema = {.name = "UploadRetry", .type = FIELD_OBJECT, .fields = retry_fields, .flags = FIELD_OPEN};

#define TAG "Chunked uploads"

const struct route chunked_routes[] = {
	{.method = "POST", .path = "/api/v1/file/upload/init", .role = ROLE_USER, .flags = ROUTE_TENANT, .handler = init, .tag = TAG,
	 .name = "initUpload", .about = "Begin a chunked upload", .query_fields = tenant_query,
	 .answers = {{200, &chunked_init_schema, "Its id, and the largest chunk", NULL}}},
	{.method = "POST", .path = "/api/v1/file/upload/chunk", .role = ROLE_USER, .flags = ROUTE_TENANT, .handler = chunk, .tag = TAG,
	 .name = "uploadChunk", .about = "Send a chunk; any order, several at once, the same one twice", .query_fields = tenant_query,
	 .body = ROUTE_BODY_FORM, .body_schema = &chunk_schema, .hooks = &chunk_hooks,
	 .answers = {{200, &chunked_chunk_schema, "It is stored", NULL}}},
	{.method = "POST", .path = "/api/v1/file/upload/complete", .role = ROLE_USER, .flags = ROUTE_TENANT, .handler = complete,
	 .tag = TAG, .name = "completeUpload", .about = "All chunks are sent: put them together in the background",
	 .query_fields = tenant_query, .body = ROUTE_BODY_FORM, .body_schema = &complete_schema,
	 .answers = {{200, &chunked_file_schema, "The file that it becomes", NULL}}},
	{.method = "POST", .path = "/api/v1/file/upload/retry", .role = ROLE_USER, .flags = ROUTE_TENANT, .handler = retry, .tag = TAG,
	 .name = "retryUpload", .about = "Put a failed upload together again", .query_fields = tenant_query, .body = ROUTE_BODY_FORM,
	 .body_schema = &retry_schema, .answers = {{200, &chunked_file_schema, "The file that it becomes", NULL}}},
	{.method = "GET", .path = "/api/v1/file/get/{file_id}", .role = ROLE_READER, .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID,
	 .handler = get, .tag = TAG, .name = "getUploadedFile",
	 .about = "A file that was uploaded in chunks; a private one with its credential in the query", .query_fields = tenant_query,
	 .answers = {{200, &chunked_file_schema, "The file", NULL}}},
	{.method = "GET", .path = "/api/v1/file/status/{file_id}", .role = ROLE_READER,
	 .flags = ROUTE_TENANT | ROUTE_ANY_TENANT_BY_ID, .handler = status, .tag = TAG, .name = "getUploadStatus",
	 .about = "How far an upload is", .query_fields = tenant_query, .answers = {{200, &chunked_status_schema, "The status", NULL}}},
	{0},
};
