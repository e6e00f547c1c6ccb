/* POST: an upload is created, maybe with its first bytes, or put together from partial ones. */
#include "httpshim/routes/tus_creation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/file_view.h"
#include "httpshim/header_value.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/tus_append.h"
#include "httpshim/tenant_cache.h"
#include "shared/validate/validate.h"

static bool check_size(struct request *request, int64_t length)
{
	int64_t max = request->tenant->rules ? rules_max_file_size(request->tenant->rules) : INT64_MAX;

	if (length <= max)
		return true;
	answer_errorf(request, 413, "The file is larger than the %" PRId64 " bytes that the tenant allows.", max);
	return false;
}

/* The name is known now; a rule about it need not wait for the bytes. */
static bool check_name(struct request *request, const json_t *metadata, bool is_partial)
{
	struct bytes name, folder;
	struct verdict verdict = {0};
	const char *reason;

	if (is_partial)
		return true;
	reason = tus_metadata_name(metadata, &name, &folder);
	if (!reason && request->tenant->rules) {
		validate_name(request->tenant->rules, name.data, name.length, &verdict);
		reason = verdict.error ? verdict.reason : NULL;
	}
	if (reason)
		answer_errorf(request, 422, "%s", reason);
	return !reason;
}

/* First of all: the metadata names the tenant. */
static bool take_metadata(struct request *request, struct tus_creation *creation)
{
	if (tus_metadata_parse(request_header(request, HEADER_UPLOAD_METADATA), &creation->metadata) == 0)
		return true;
	answer_error(request, 400, "Upload-Metadata is malformed.");
	return false;
}

/* What the other headers say of the upload to be. False: the answer is set. */
static bool take_headers(struct request *request, struct tus_creation *creation)
{
	const char *defer = request_header(request, HEADER_UPLOAD_DEFER_LENGTH);
	const char *concat = request_header(request, HEADER_UPLOAD_CONCAT);
	const char *type = request_header(request, HEADER_CONTENT_TYPE);

	creation->is_partial = concat && strcmp(concat, "partial") == 0;
	creation->final_of = concat && strncmp(concat, "final;", 6) == 0 ? concat + 6 : NULL;
	if (concat && !creation->is_partial && !creation->final_of) {
		answer_error(request, 400, "Upload-Concat is partial, or final with the partial uploads.");
		return false;
	}
	if (!tus_number(request, "Upload-Length", request_header(request, HEADER_UPLOAD_LENGTH), &creation->length))
		return false;
	if (creation->final_of ? creation->length >= 0 || defer
			       : (creation->length < 0) != (defer && strcmp(defer, "1") == 0)) {
		answer_error(request, 400, "Either Upload-Length or Upload-Defer-Length: 1 is needed, and neither for a final upload.");
		return false;
	}
	if (request->has_body && (creation->final_of || !type || !header_value_is(type, TUS_CONTENT_TYPE))) {
		answer_error(request, 415, "The body must be " TUS_CONTENT_TYPE ".");
		return false;
	}
	return check_size(request, creation->length) && check_name(request, creation->metadata, creation->is_partial);
}

/* Formats that only their extension tells from plain text. Half of one is still of its kind. */
static bool is_text_like(const char *extension)
{
	static const char *const known[] = {"csv", "tsv", "txt", "md", "json", "jsonl", "ndjson", "xml", "html", "htm", "log", "eml", "mbox"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], extension) == 0)
			return true;
	}
	return false;
}

/*
 * The working file. Its name has the extension it will get, so that the object has it too; but where the mount judges parts of a
 * file like whole ones, only for formats of which a part is no broken whole.
 */
static int make_file(struct request *request, const json_t *metadata, char path[UPLOAD_FOLDER_SIZE])
{
	const char *subject = request->principal.subject;
	char extension[17] = "", longer[UPLOAD_FOLDER_SIZE];
	struct bytes name, folder;
	int fd autoclose = -1, r, marked;

	if (!tus_metadata_name(metadata, &name, &folder))
		name_extension(name.data, name.length, extension);
	r = mount_open(request->server->mount, request->tenant, path, O_CREAT | O_EXCL | O_WRONLY, 0660, &fd);
	if (r == 0)
		r = mount_set_privileged(fd, "user.tenantfs.uploaded_by", subject, strlen(subject));
	if (r < 0)
		return r;
	marked = mount_set_privileged(fd, "user.tenantfs.partial", "1", 1);
	if (*extension == '\0' || (marked < 0 && !is_text_like(extension)))
		return 0;
	snprintf(longer, sizeof(longer), "%.60s.%s", path, extension);
	r = mount_rename(request->server->mount, request->tenant, path, longer);
	if (r == 0)
		memcpy(path, longer, sizeof(longer));
	return r;
}

static int make_upload(struct request *request, const struct tus_creation *creation, struct upload_row *row)
{
	struct upload_creation values = {.protocol = 't', .upload_id = row->upload_id, .folder = row->folder,
					 .size_bytes = creation->length, .is_partial = creation->is_partial};
	struct leased_db leased autodb = {0};
	json_t *description;
	int r;

	r = uuid_make(row->upload_id);
	if (r < 0)
		return r;
	upload_folder(row->upload_id, row->folder);
	description = json_pack("{s:O, s:s?}", "metadata", creation->metadata, "header",
				request_header(request, HEADER_UPLOAD_METADATA));
	if (!description)
		return -ENOMEM;
	values.request = row->request = description;
	row->size_bytes = creation->length;
	row->is_partial = creation->is_partial;
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = make_file(request, creation->metadata, row->folder);
	if (r < 0)
		return r;
	r = upload_row_create(request, leased.db, &values, &row->expires_ns);
	if (r < 0)
		mount_remove(request->server->mount, request->tenant, row->folder);
	return r;
}

void tus_put_location(struct request *request, const struct upload_row *row)
{
	char base[300], location[400];
	const char *code = request_query(request, "tenant_code");

	url_base(request, base, sizeof(base));
	snprintf(location, sizeof(location), "%s/api/v1/uploads/%s%s%s", base, row->upload_id, code ? "?tenant_code=" : "",
		 code ? code : "");
	answer_header(request, "Location", location);
}

/* The page names the tenant in the metadata: a token for all tenants has no other place for it there. */
static bool enter_tenant(struct request *request, const struct tus_creation *creation)
{
	const char *code = json_string_value(json_object_get(creation->metadata, "tenant"));
	struct tenant *tenant;
	int r;

	if (!code || !*code || (request->tenant && strcmp(code, request->tenant->code) == 0))
		return request->tenant || (answer_error(request, 400, "No tenant is named."), false);
	r = auth_covers(request, code) ? tenant_cache_get(request->server->tenants, code, &tenant) : -ENOENT;
	if (r < 0) {
		if (r == -ENOENT)
			answer_error(request, 404, "There is no such tenant.");
		else
			answer_errno(request, r);
		return false;
	}
	tenant_unref(request->tenant);
	request->tenant = tenant;
	if (!tenant->is_active)
		answer_error(request, 403, "The tenant is not active.");
	return tenant->is_active;
}

/* 0: the upload is there. 1: it was answered. -ECANCELED: refused, the answer is set. */
static int begin_creation(struct request *request)
{
	struct tus_append *append = calloc(1, sizeof(*append));
	struct tus_creation creation = {0};
	int r = -ECANCELED;

	if (!append)
		return -ENOMEM;
	append->file = WORKING_FILE_NONE;
	request->state = append;
	request->free_state = tus_append_free;
	if (tus_check_version(request) && take_metadata(request, &creation) && enter_tenant(request, &creation) &&
	    take_headers(request, &creation))
		r = creation.final_of ? tus_concatenate(request, &creation) : make_upload(request, &creation, &append->row);
	json_decref(creation.metadata);
	if (r == -EPERM || r == -EDQUOT || r == -ENOSPC) {
		working_file_answer_refusal(request, &append->file, r);
		r = -ECANCELED;
	}
	return r;
}

static int data(struct request *request, const void *bytes, size_t length)
{
	struct tus_append *append = request->state;
	int r;

	if (!append) {
		r = begin_creation(request);
		if (r < 0)
			return r;
		append = request->state;
		r = tus_append_begin(request, append);
		if (r < 0)
			return r;
		append->has_begun = true;
	}
	return tus_append_hooks.data(request, bytes, length);
}

static void abandon(struct request *request)
{
	tus_append_hooks.abandon(request);
}

const struct route_hooks tus_create_hooks = {.data = data, .abandon = abandon, .wants_broken = true};

static int answer_created(struct request *request, const struct upload_row *row)
{
	answer_empty(request, 201);
	tus_put_location(request, row);
	tus_put_expires(request, row->expires_ns);
	answer_header(request, "Upload-Offset", "0");
	return 0;
}

int tus_create(struct request *request)
{
	struct tus_append *append = request->state;
	int r;

	if (!append) {
		r = begin_creation(request);
		if (r != 0)
			return r == 1 || r == -ECANCELED ? 0 : r;
		append = request->state;
	}
	/* An empty file is whole as soon as it is there. */
	if (!append->has_begun && append->row.size_bytes != 0)
		return answer_created(request, &append->row);
	r = append->has_begun ? 0 : tus_append_begin(request, append);
	if (r == 0)
		r = tus_append_end(request, append, 201);
	if (r == 0 && request->answer.status == 201)
		tus_put_location(request, &append->row);
	if (r < 0)
		abandon(request);
	return r == -ECANCELED ? 0 : r;
}
