#include "httpshim/file_view.h"

#include <inttypes.h>
#include <string.h>
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/signed_url.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"
#include "shared/validate/validate.h"

static const struct schema any_object = {.type = FIELD_OBJECT, .about = "The user's own metadata"};
static const struct schema text_item = {.type = FIELD_STRING};
#define SHARED_FIELDS \
	{.name = "id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED}, \
	{.name = "file_id", .type = FIELD_FILE_ID, .flags = FIELD_REQUIRED, .about = "The same as id"}, \
	{.name = "tenant_id", .type = FIELD_UUID, .flags = FIELD_REQUIRED}, \
	{.name = "tenant_code", .type = FIELD_STRING, .flags = FIELD_REQUIRED}, \
	{.name = "original_filename", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "The name as it was sent"}, \
	{.name = "stored_filename", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE}, \
	{.name = "file_path", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE}, \
	{.name = "file_size", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED}, \
	{.name = "file_size_bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .about = "The same as file_size"}, \
	{.name = "mime_type", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "Found in the content"}, \
	{.name = "media_type", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "The same as mime_type"}, \
	{.name = "file_extension", .type = FIELD_STRING, .flags = FIELD_REQUIRED}, \
	{.name = "file_hash", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .about = "SHA-256 of the content, in hex"}, \
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "uploading|uploaded|processing|completed|error"}, \
	{.name = "validation_status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "pending|passed|failed"}, \
	{.name = "tags", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &text_item}, \
	{.name = "metadata", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &any_object}, \
	{.name = "visibility", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "private|public"}, \
	{.name = "uploaded_by", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE}, \
	{.name = "uploaded_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED | FIELD_NULLABLE}, \
	{.name = "time_created", .type = FIELD_TIME, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .about = "The same as uploaded_at"}, \
	{.name = "processed_at", .type = FIELD_TIME, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .about = "When its extraction ended"}, \
	{.name = "download_url", .type = FIELD_STRING, .flags = FIELD_REQUIRED, \
	 .about = "Opens the file without a token; of a private file, for a while"},

static const struct field file_fields[] = {
	SHARED_FIELDS
	{.name = "file_name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "The name it has now"},
	{.name = "description", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{0},
};
static const struct field dataset_fields[] = {
	SHARED_FIELDS
	{.name = "file_name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .about = "The dataset's name, without extension"},
	{.name = "description", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "storage_uri", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "summary", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .about = "Markdown: rows, columns and their types"},
	{0},
};
const struct schema dataset_schema = {.name = "Dataset", .type = FIELD_OBJECT, .fields = dataset_fields};
const struct schema dataset_list_schema = {.type = FIELD_ARRAY, .of = &dataset_schema};
const struct schema file_schema = {.name = "File", .type = FIELD_OBJECT, .fields = file_fields, .about = "A stored file"};
const struct schema file_list_schema = {.type = FIELD_ARRAY, .of = &file_schema};

void url_base(const struct request *request, char *ret_base, size_t size)
{
	const char *host = request_header(request, HEADER_HOST);
	const char *protocol = request->is_behind_proxy ? request_header(request, HEADER_FORWARDED_PROTO) : NULL;
	bool is_https = protocol && strcmp(protocol, "https") == 0;

	if (*request->server->public_url)
		snprintf(ret_base, size, "%s", request->server->public_url);
	else
		snprintf(ret_base, size, "%s://%s", is_https ? "https" : "http", host && *host ? host : "localhost");
}

static void put_bytes(struct buf *buf, const char *key, const struct bytes *bytes)
{
	json_put_key(buf, key);
	if (bytes->data)
		json_put_string(buf, bytes->data, bytes->length);
	else
		buf_puts(buf, "null");
}

static void put_text(struct buf *buf, const char *key, const char *text)
{
	json_put_key(buf, key);
	json_put_string(buf, text, strlen(text));
}

static void put_time(struct buf *buf, const char *key, int64_t time_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	json_put_key(buf, key);
	if (time_ns == 0) {
		buf_puts(buf, "null");
		return;
	}
	clock_format_rfc3339(time_ns, text);
	buf_printf(buf, "\"%s\"", text);
}

static void put_number(struct buf *buf, const char *key, int64_t number)
{
	json_put_key(buf, key);
	buf_printf(buf, "%" PRId64, number);
}

/* user.xdg.tags: divided by commas. */
static void put_tags(struct buf *buf, const struct bytes *tags)
{
	const char *at = tags->data, *end = at ? at + tags->length : NULL;
	bool is_first = true;

	json_put_key(buf, "tags");
	buf_putc(buf, '[');
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end, *next = stop + 1;

		while (at < stop && *at == ' ')
			at++;
		while (stop > at && stop[-1] == ' ')
			stop--;
		if (stop > at) {
			buf_puts(buf, is_first ? "" : ",");
			json_put_string(buf, at, (size_t)(stop - at));
			is_first = false;
		}
		at = next;
	}
	buf_putc(buf, ']');
}

void file_view_put_url(struct buf *buf, const struct server *server, const char *tenant_code, const char *base,
		       const char *file_id, bool is_public)
{
	int64_t expires_s = clock_realtime_ns() / NS_PER_S + server->url_lifetime_s;
	char signature[SIGNATURE_SIZE];

	buf_printf(buf, "%s/api/v1/files/%s/download?tenant_code=%s", base, file_id, tenant_code);
	if (is_public || !server->key)
		return;
	if (signed_url_make(server->key, tenant_code, file_id, expires_s, signature) == 0)
		buf_printf(buf, "&expires=%" PRId64 "&signature=%s", expires_s, signature);
}

static void put_place(struct buf *buf, const struct tenant *tenant, const struct file_row *row)
{
	const char *slash = strrchr(row->object_path, '/');
	char extension[17];

	json_put_key(buf, "stored_filename");
	if (slash)
		json_put_string(buf, slash + 1, strlen(slash + 1));
	else
		buf_puts(buf, "null");
	json_put_key(buf, "file_path");
	if (slash)
		buf_printf(buf, "\"%s/%s\"", tenant->code, row->object_path);
	else
		buf_puts(buf, "null");
	name_extension(row->name.data, row->name.length, extension);
	put_text(buf, "file_extension", extension);
}

static void put_content(struct buf *buf, const struct file_row *row)
{
	static const char empty_hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct bytes type = row->media_type;
	char hash[DIGEST_HEX_SIZE];

	if (!type.data)
		type = (struct bytes){"inode/x-empty", 13};
	put_number(buf, "file_size", row->size_bytes);
	put_number(buf, "file_size_bytes", row->size_bytes);
	put_bytes(buf, "mime_type", &type);
	put_bytes(buf, "media_type", &type);
	json_put_key(buf, "file_hash");
	if (row->has_sha256)
		hex_encode(row->sha256, DIGEST_SIZE, hash);
	buf_printf(buf, row->has_sha256 || row->size_bytes == 0 ? "\"%s\"" : "null", row->has_sha256 ? hash : empty_hash);
}

/* All members that a file and a dataset have in common, without the closing brace. */
static void put_shared(struct buf *buf, const struct server *server, const struct tenant *tenant, const char *base,
		       const struct file_row *row)
{
	const struct bytes *original = row->original_name.data ? &row->original_name : &row->name;
	const char *validation = row->validation == 'o' ? "passed" : row->validation == 'f' ? "failed" : "pending";

	buf_putc(buf, '{');
	put_text(buf, "id", row->file_id);
	put_text(buf, "file_id", row->file_id);
	put_text(buf, "tenant_id", tenant->uuid);
	put_text(buf, "tenant_code", tenant->code);
	put_bytes(buf, "original_filename", original);
	put_place(buf, tenant, row);
	put_content(buf, row);
	put_text(buf, "status", file_status_names[row->status]);
	put_text(buf, "validation_status", validation);
	put_tags(buf, &row->tags);
	json_put_key(buf, "metadata");
	buf_append(buf, row->metadata.data ? row->metadata.data : "{}", row->metadata.data ? row->metadata.length : 2);
	put_text(buf, "visibility", row->is_public ? "public" : "private");
	put_bytes(buf, "uploaded_by", &row->uploaded_by);
	put_time(buf, "uploaded_at", row->uploaded_at_ns);
	put_time(buf, "time_created", row->uploaded_at_ns);
	put_time(buf, "processed_at", row->processed_at_ns);
	json_put_key(buf, "download_url");
	buf_putc(buf, '"');
	file_view_put_url(buf, server, tenant->code, base, row->file_id, row->is_public);
	buf_putc(buf, '"');
}

void file_view_put(struct buf *buf, const struct server *server, const struct tenant *tenant, const char *base,
		   const struct file_row *row)
{
	put_shared(buf, server, tenant, base, row);
	put_bytes(buf, "file_name", &row->name);
	put_bytes(buf, "description", &row->description);
	buf_putc(buf, '}');
}

void dataset_view_put(struct buf *buf, const struct server *server, const struct tenant *tenant, const char *base,
		      const struct file_row *row, const struct dataset_view *dataset)
{
	autobuf struct buf uri = BUF_INIT(64 << 10);

	put_shared(buf, server, tenant, base, row);
	put_text(buf, "file_name", dataset->name);
	put_text(buf, "description", dataset->description);
	buf_printf(&uri, "local://%s/%s/", dataset->mount_path, tenant->code);
	buf_append(&uri, row->path.data, row->path.length);
	json_put_key(buf, "storage_uri");
	json_put_string(buf, uri.data, uri.length);
	json_put_key(buf, "summary");
	if (dataset->summary)
		json_put_string(buf, dataset->summary, strlen(dataset->summary));
	else
		buf_puts(buf, "null");
	buf_putc(buf, '}');
}

int file_view_put_based(struct buf *buf, const char *text, size_t length, const char *base)
{
	const char *at = text, *end = text + length, *mark;

	while ((mark = memchr(at, FILE_VIEW_BASE_MARK[0], (size_t)(end - at)))) {
		buf_append(buf, at, (size_t)(mark - at));
		buf_puts(buf, base);
		at = mark + 1;
	}
	return buf_append(buf, at, (size_t)(end - at));
}
