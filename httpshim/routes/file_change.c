#include "httpshim/routes/file_change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/answer_cache.h"
#include "httpshim/file_lookup.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/upload_sink.h"
#include "httpshim/working_file.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"

enum { METADATA_BYTES_MAX = 64 << 10 };

static const struct schema tag_item = {.type = FIELD_STRING};
static const struct schema any_object = {.type = FIELD_OBJECT};
static const struct field change_fields[] = {
	{.name = "file_name", .type = FIELD_STRING, .minimum = 1, .maximum = 255},
	{.name = "tags", .type = FIELD_ARRAY, .flags = FIELD_NULLABLE, .maximum = 1000, .of = &tag_item},
	{.name = "metadata", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &any_object},
	{.name = "description", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 65536},
	{.name = "visibility", .type = FIELD_STRING, .words = "private|public"},
	{0},
};
const struct schema file_change_schema = {.name = "FileChange", .type = FIELD_OBJECT, .fields = change_fields, .flags = FIELD_OPEN,
					  .about = "What is to change; what is left out stays"};

static int set_text(struct request *request, const char *file_id, const char *attribute, const char *text, size_t length)
{
	return mount_set_attribute(request->server->mount, request->tenant, file_id, attribute, text, length);
}

static int set_tags(struct request *request, const char *file_id, const json_t *tags)
{
	autobuf struct buf text = BUF_INIT(64 << 10);
	autobuf struct buf list = BUF_INIT(64 << 10);
	char *json autofree = json_dumps(tags, JSON_COMPACT);
	int r = json ? upload_tags_normalise(json, strlen(json), &list) : -ENOMEM;

	if (json_is_null(tags))
		return set_text(request, file_id, "user.xdg.tags", NULL, 0);
	if (r == -EINVAL || r == -EOVERFLOW) {
		answer_invalid(request, "body", "tags", "Input should be a list of tags without commas, of 64 KiB in all");
		return -ECANCELED;
	}
	return r < 0 ? r : set_text(request, file_id, "user.xdg.tags", list.data, list.length);
}

static int set_metadata(struct request *request, const char *file_id, const json_t *metadata)
{
	char *text autofree = json_dumps(metadata, JSON_COMPACT);
	size_t length = text ? strlen(text) : 0;

	if (!text)
		return -ENOMEM;
	if (json_is_null(metadata))
		return set_text(request, file_id, "user.tenantfs.metadata", NULL, 0);
	if (length > METADATA_BYTES_MAX) {
		answer_invalid(request, "body", "metadata", "Input should be at most 64 KiB");
		return -ECANCELED;
	}
	return set_text(request, file_id, "user.tenantfs.metadata", text, length);
}

/* The new name in the folder the file is in. */
static int set_name(struct request *request, const char *file_id, const json_t *name)
{
	const char *text = json_string_value(name), *reason = working_file_check_name(text, json_string_length(name));
	struct leased_db leased autodb = {0};
	struct file_list list autofiles = {0};
	char from[1024], to[1024];
	struct bytes *path;
	size_t folder;
	int r;

	if (reason) {
		answer_error(request, 422, reason);
		return -ECANCELED;
	}
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = file_find(leased.db, request->tenant->id, file_id, &list);
	if (r < 0)
		return r;
	path = &list.rows[0].path;
	folder = path->length;
	while (folder > 0 && path->data[folder - 1] != '/')
		folder--;
	if (path->length - folder == strlen(text) && memcmp(path->data + folder, text, strlen(text)) == 0)
		return 0;
	if (path->length >= sizeof(from) || folder + strlen(text) >= sizeof(to))
		return -ENAMETOOLONG;
	snprintf(from, sizeof(from), "%.*s", (int)path->length, path->data);
	snprintf(to, sizeof(to), "%.*s%s", (int)folder, path->data, text);
	leased_db_return(&leased);
	return mount_rename(request->server->mount, request->tenant, from, to);
}

static int apply(struct request *request, const char *file_id)
{
	const json_t *value;
	int r = 0;

	/* The name first: it is what is refused most often, and then nothing else is changed. */
	if ((value = json_object_get(request->json, "file_name")))
		r = set_name(request, file_id, value);
	if (r == 0 && (value = json_object_get(request->json, "tags")))
		r = set_tags(request, file_id, value);
	if (r == 0 && (value = json_object_get(request->json, "metadata")))
		r = set_metadata(request, file_id, value);
	if (r == 0 && (value = json_object_get(request->json, "description")))
		r = set_text(request, file_id, "user.xdg.comment", json_string_value(value), json_string_length(value));
	if (r == 0 && (value = json_object_get(request->json, "visibility")))
		r = set_text(request, file_id, "user.tenantfs.visibility", json_string_value(value), json_string_length(value));
	return r;
}

int file_change(struct request *request)
{
	const char *file_id = request_param(request, "file_id");
	int r;

	if (!file_id_is_valid(file_id, strlen(file_id)))
		return -ENOENT;
	r = apply(request, file_id);
	if (r == -ECANCELED)
		return 0;
	if (r == -EPERM || r == -EDQUOT || r == -ENOSPC) {
		struct working_file refused = {.server = request->server, .tenant = request->tenant, .fd = -1};

		memcpy(refused.file_id, file_id, strlen(file_id) + 1);
		return working_file_answer_refusal(request, &refused, r);
	}
	if (r == 0)
		r = mount_wait_committed(request->server->mount, request->tenant);
	if (r < 0)
		return r;
	answer_cache_forget(request->server->answers, request->tenant->id);
	return file_lookup_answer(request, 200, file_id);
}

int file_remove(struct request *request, const char *file_id)
{
	int r = mount_remove_file(request->server->mount, request->tenant, file_id);

	if (r == 0)
		r = mount_wait_committed(request->server->mount, request->tenant);
	if (r == 0)
		answer_cache_forget(request->server->answers, request->tenant->id);
	return r;
}
