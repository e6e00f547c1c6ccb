/* Concatenation: a final upload is made of partial ones that are whole, in the order given, and they are gone then. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/tus_append.h"
#include "httpshim/routes/tus_creation.h"
#include "httpshim/tenant_cache.h"
#include "shared/validate/validate.h"

enum { COPY_BYTES = 256 << 10 };

struct parts {
	struct upload_row rows[TUS_PARTS_MAX];
	int count;
};

static void parts_release(struct parts *parts)
{
	for (int i = 0; i < parts->count; i++)
		upload_row_release(&parts->rows[i]);
}

/* The id at the end of a URL or a path. False: none. */
static bool take_id(const char *url, size_t length, char ret_id[UUID_SIZE])
{
	const char *end = memchr(url, '?', length);

	if (end)
		length = (size_t)(end - url);
	if (length > 0 && url[length - 1] == '/')
		length--;
	if (length < UUID_SIZE - 1)
		return false;
	memcpy(ret_id, url + length - (UUID_SIZE - 1), UUID_SIZE - 1);
	ret_id[UUID_SIZE - 1] = '\0';
	return schema_is_uuid(ret_id);
}

static bool refuse(struct request *request, const char *detail)
{
	answer_error(request, 400, detail);
	return false;
}

/* False: the answer is set. */
static bool take_parts(struct request *request, const char *urls, struct parts *parts)
{
	while (*urls) {
		struct leased_db leased autodb = {0};
		size_t length = strcspn(urls, " ");
		struct upload_row *row = &parts->rows[parts->count];
		char id[UUID_SIZE];
		int r;

		if (length == 0) {
			urls++;
			continue;
		}
		if (parts->count == TUS_PARTS_MAX)
			return refuse(request, "Upload-Concat names too many uploads.");
		r = take_id(urls, length, id) ? tus_find(request, &leased, id, row) : -ENOENT;
		if (r == -ENOENT)
			return refuse(request, "Upload-Concat names an upload that is not there.");
		if (r < 0) {
			answer_errno(request, r);
			return false;
		}
		parts->count++;
		if (!row->is_partial || strcmp(row->state, "done") != 0)
			return refuse(request, "Upload-Concat names an upload that is not partial, or not whole yet.");
		urls += length;
	}
	return parts->count > 0 || refuse(request, "Upload-Concat names no upload.");
}

static int copy_part(struct request *request, const struct upload_row *row, struct working_file *file, char *bytes)
{
	int fd autoclose = -1, r;
	ssize_t n;

	r = mount_open(request->server->mount, request->tenant, row->folder, O_RDONLY, 0, &fd);
	while (r == 0 && (n = read(fd, bytes, COPY_BYTES)) != 0)
		r = n < 0 ? -errno : working_file_write(file, bytes, (size_t)n);
	return r;
}

static int copy_parts(struct request *request, const struct parts *parts, const json_t *metadata, struct working_file *file)
{
	char *bytes autofree = malloc(COPY_BYTES), extension[17] = "";
	struct bytes name, folder;
	int r = bytes ? 0 : -ENOMEM;

	if (!tus_metadata_name(metadata, &name, &folder))
		name_extension(name.data, name.length, extension);
	if (r == 0)
		r = working_file_begin(request->server, request->tenant, request->principal.subject, extension, file);
	for (int i = 0; r == 0 && i < parts->count; i++)
		r = copy_part(request, &parts->rows[i], file, bytes);
	return r;
}

/* A row that says what became of it, for who asks by HEAD; and the parts are forgotten. */
static int note(struct request *request, const struct parts *parts, struct upload_row *row, struct tus_append *append)
{
	struct upload_creation creation = {.protocol = 't', .upload_id = row->upload_id, .folder = "", .size_bytes = row->size_bytes,
					   .request = row->request};
	struct leased_db leased autodb = {0};
	int r;

	r = request_lease_db(request, &leased);
	if (r == 0)
		r = upload_row_create(request, leased.db, &creation, &row->expires_ns);
	for (int i = 0; r == 0 && i < parts->count; i++) {
		r = mount_remove(request->server->mount, request->tenant, parts->rows[i].folder);
		if (r == 0 || r == -ENOENT)
			r = upload_row_delete(leased.db, request->tenant->id, parts->rows[i].upload_id);
	}
	leased_db_return(&leased);
	return r < 0 ? r : tus_append_note(request, append, "done", NULL);
}

int tus_concatenate(struct request *request, const struct tus_creation *creation)
{
	struct tus_append *append = request->state;
	struct parts parts cleanup(parts_release) = {0};
	const char *header = request_header(request, HEADER_UPLOAD_METADATA);
	int r;

	if (!take_parts(request, creation->final_of, &parts))
		return -ECANCELED;
	append->row.request = json_pack("{s:O, s:s?, s:s}", "metadata", creation->metadata, "header", header, "concat",
					request_header(request, HEADER_UPLOAD_CONCAT));
	r = append->row.request ? uuid_make(append->row.upload_id) : -ENOMEM;
	if (r == 0)
		r = copy_parts(request, &parts, creation->metadata, &append->file);
	append->row.size_bytes = append->offset = (int64_t)append->file.size_bytes;
	if (r == 0)
		r = tus_finish(request, &append->row, &append->file);
	if (r == 0)
		r = note(request, &parts, &append->row, append);
	if (r == 0) {
		answer_empty(request, 201);
		tus_put_location(request, &append->row);
		answer_header(request, "X-File-Id", append->file.file_id);
		r = 1;
	}
	working_file_release(&append->file);
	return r;
}
