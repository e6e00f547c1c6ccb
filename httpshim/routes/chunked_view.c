#include "httpshim/routes/chunked_view.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "httpshim/body_reader.h"
#include "httpshim/file_view.h"
#include "httpshim/request.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_rows.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

static const struct schema any_object = {.type = FIELD_OBJECT};

#define ENVELOPE(data_schema)                                                                                              \
	{.name = "data", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &data_schema},                               \
		{.name = "message", .type = FIELD_STRING, .flags = FIELD_REQUIRED},                                        \
		{.name = "success", .type = FIELD_BOOLEAN, .flags = FIELD_REQUIRED}, {0},

static const struct field init_data_fields[] = {
	{.name = "upload_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "chunk_size", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema init_data = {.name = "UploadInitData", .type = FIELD_OBJECT, .fields = init_data_fields};
static const struct field init_fields[] = {ENVELOPE(init_data)};
const struct schema chunked_init_schema = {.name = "UploadInit", .type = FIELD_OBJECT, .fields = init_fields};

static const struct field chunk_data_fields[] = {
	{.name = "upload_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED},
	{.name = "chunk_index", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema chunk_data = {.name = "ChunkStoredData", .type = FIELD_OBJECT, .fields = chunk_data_fields};
static const struct field chunk_fields[] = {ENVELOPE(chunk_data)};
const struct schema chunked_chunk_schema = {.name = "ChunkStored", .type = FIELD_OBJECT, .fields = chunk_fields};

static const struct field file_data_fields[] = {
	{.name = "id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED},
	{.name = "path", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "content_type", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "As it was sent"},
	{.name = "detail", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .of = &any_object},
	{.name = "credential", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .of = &any_object},
	{.name = "download_url", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "Of a private file signed, and good for a while"},
	{0},
};
static const struct schema file_data = {.name = "UploadedFileData", .type = FIELD_OBJECT, .fields = file_data_fields};
static const struct field file_fields[] = {ENVELOPE(file_data)};
const struct schema chunked_file_schema = {.name = "UploadedFile", .type = FIELD_OBJECT, .fields = file_fields};

static const struct field status_data_fields[] = {
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "PENDING|STARTED|SUCCESS|FAILURE"},
	{0},
};
static const struct schema status_data = {.name = "UploadStatusData", .type = FIELD_OBJECT, .fields = status_data_fields};
static const struct field status_fields[] = {ENVELOPE(status_data)};
const struct schema chunked_status_schema = {.name = "UploadStatus", .type = FIELD_OBJECT, .fields = status_fields};

const char *chunked_status(const struct upload_row *row)
{
	if (strcmp(row->state, "done") == 0)
		return "SUCCESS";
	if (strcmp(row->state, "failed") == 0)
		return "FAILURE";
	return row->is_worked_on ? "STARTED" : "PENDING";
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void put_text(struct buf *buf, const char *key, const char *text)
{
	json_put_key(buf, key);
	json_put_string(buf, text, strlen(text));
}

static void put_json(struct buf *buf, const char *key, const json_t *value)
{
	char *text autofree = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_put_key(buf, key);
	buf_puts(buf, text ? text : "null");
}

int chunked_answer(struct request *request, const struct upload_row *row)
{
	struct buf *buf = answer_begin(request, 200, "application/json");
	bool is_public = !row->credential;
	char base[300], path[96];

	url_base(request, base, sizeof(base));
	snprintf(path, sizeof(path), "%s/%s.%s", is_public ? "public" : "private", row->upload_id,
		 text_of(row->request, "file_extension"));
	buf_puts(buf, "{\"data\":{");
	put_text(buf, "id", row->file_id);
	put_text(buf, "path", path);
	put_text(buf, "content_type", text_of(row->request, "content_type"));
	put_json(buf, "detail", json_object_get(row->request, "detail"));
	put_json(buf, "credential", row->credential);
	json_put_key(buf, "download_url");
	buf_putc(buf, '"');
	file_view_put_url(buf, request->server, request->tenant->code, base, row->file_id, is_public);
	buf_puts(buf, "\"},\"message\":\"\",\"success\":true}");
	return answer_end(request);
}

/* A value as clients write it into a query: True and true are the same. */
static bool is_same(const json_t *value, const char *text)
{
	char *json autofree = NULL;

	if (!text)
		return false;
	if (json_is_string(value))
		return strcmp(json_string_value(value), text) == 0;
	json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return json && (json_is_boolean(value) || json_is_null(value) ? strcasecmp(json, text) : strcmp(json, text)) == 0;
}

bool chunked_query_opens(const struct request *request, const struct upload_row *row)
{
	const char *name;
	json_t *value;

	json_object_foreach(row->credential, name, value)
	{
		if (!is_same(value, request_query(request, name)))
			return false;
	}
	for (int i = 0; row->credential && i < request->query.count; i++) {
		if (!json_object_get(row->credential, request->query.pairs[i].name) &&
		    strcmp(request->query.pairs[i].name, "tenant_code") != 0)
			return false;
	}
	return true;
}

bool chunked_form_opens(const struct request *request, const struct upload_row *row)
{
	const char *text = body_form_text(request, "credential", NULL);
	json_t *given;
	bool opens;

	if (!row->credential)
		return true;
	given = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	opens = given && json_equal(given, row->credential);
	json_decref(given);
	return opens;
}
