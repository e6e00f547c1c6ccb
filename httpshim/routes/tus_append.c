/* PATCH, and the body of a creation-with-upload: bytes go to the end of the working file. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "httpshim/header_value.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/routes/tus.h"
#include "httpshim/routes/tus_append.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"

enum { LOCK_EVERY_S = 20, CHECKSUM_MISMATCH = 460 };

void tus_append_free(void *state)
{
	struct tus_append *append = state;

	EVP_MD_CTX_free(append->digest);
	upload_row_release(&append->row);
	free(append);
}

/* --- the lock: a row that says who appends --- */

static int lock(struct request *request, struct tus_append *append, int64_t *ret_expires_ns)
{
	struct leased_db leased autodb = {0};
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, append->row.upload_id);
	db_param_text(&params, append->worker);
	db_param_int(&params, request->server->upload_lifetime_s);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, QUERY_API_UPLOAD_LOCK, &params, &result);
	if (r == 0 && db_rows(result) == 0)
		return -EBUSY;
	if (r == 0)
		*ret_expires_ns = db_get_time(result, 0, 0);
	append->locked_ns = clock_monotonic_ns();
	return r;
}

int tus_append_note(struct request *request, struct tus_append *append, const char *state, const char *error)
{
	struct leased_db leased autodb = {0};
	struct db_params params autoparams = {0};
	bool is_done = strcmp(state, "done") == 0 && !append->row.is_partial;
	int r;

	db_params_init(&params);
	db_param_int(&params, request->tenant->id);
	db_param_uuid(&params, append->row.upload_id);
	db_param_text(&params, append->worker);
	db_param_int(&params, append->offset);
	db_param_int_or_null(&params, append->row.size_bytes, append->row.size_bytes < 0);
	db_param_text(&params, state);
	db_param_text(&params, is_done ? append->file.file_id : NULL);
	db_param_text(&params, error);
	r = request_lease_db(request, &leased);
	return r < 0 ? r : db_run(leased.db, QUERY_API_UPLOAD_PROGRESS, &params, NULL);
}

/* --- the checksum: of this request's bytes --- */

/* "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=". False: 400 is set. */
static bool take_checksum(struct request *request, struct tus_append *append)
{
	const char *header = request_header(request, HEADER_UPLOAD_CHECKSUM), *space;
	unsigned char bytes[128];
	char name[16];
	const EVP_MD *kind;
	int length;

	if (!header)
		return true;
	space = strchr(header, ' ');
	if (!space || (size_t)(space - header) >= sizeof(name) || strlen(space + 1) > 100 || strlen(space + 1) % 4 != 0) {
		answer_error(request, 400, "Upload-Checksum is malformed.");
		return false;
	}
	memcpy(name, header, (size_t)(space - header));
	name[space - header] = '\0';
	kind = strcmp(name, "sha1") == 0     ? EVP_sha1()
	       : strcmp(name, "sha256") == 0 ? EVP_sha256()
	       : strcmp(name, "md5") == 0    ? EVP_md5()
					     : NULL;
	length = kind ? EVP_DecodeBlock(bytes, (const unsigned char *)space + 1, (int)strlen(space + 1)) : -1;
	if (!kind || length < EVP_MD_size(kind)) {
		answer_error(request, 400, "Upload-Checksum is of no kind that is known here, or malformed.");
		return false;
	}
	memcpy(append->checksum, bytes, (size_t)EVP_MD_size(kind));
	append->digest = EVP_MD_CTX_new();
	if (append->digest && EVP_DigestInit_ex(append->digest, kind, NULL) == 1)
		return true;
	answer_errno(request, -ENOMEM);
	return false;
}

static bool checksum_matches(struct tus_append *append)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (!append->digest)
		return true;
	return EVP_DigestFinal_ex(append->digest, digest, &length) == 1 && memcmp(digest, append->checksum, length) == 0;
}

/* --- beginning --- */

static int open_file(struct request *request, struct tus_append *append)
{
	struct working_file *file = &append->file;
	struct stat stat;
	int r;

	file->server = request->server;
	memcpy(file->path, append->row.folder, sizeof(append->row.folder));
	clock_format_month(clock_realtime_ns(), file->folder);
	r = mount_open(request->server->mount, request->tenant, file->path, O_WRONLY, 0, &file->fd);
	if (r < 0)
		return r;
	file->tenant = tenant_ref(request->tenant);
	r = mount_get_attribute(file->fd, "user.tenantfs.id", file->file_id, sizeof(file->file_id));
	if (r == 0 && fstat(file->fd, &stat) < 0)
		r = -errno;
	if (r == 0 && lseek(file->fd, stat.st_size, SEEK_SET) < 0)
		r = -errno;
	append->begun_at = append->offset = r == 0 ? (int64_t)stat.st_size : 0;
	return r;
}

int tus_append_begin(struct request *request, struct tus_append *append)
{
	int64_t expires_ns = 0;
	int r;

	snprintf(append->worker, sizeof(append->worker), "request %s", request->id);
	if (!take_checksum(request, append))
		return -ECANCELED;
	r = lock(request, append, &expires_ns);
	if (r == -EBUSY) {
		answer_error(request, 423, "Another request is appending to this upload.");
		return -ECANCELED;
	}
	if (r == 0) {
		append->is_locked = true;
		append->row.expires_ns = expires_ns;
		r = open_file(request, append);
	}
	if (r == -ENOENT) {
		answer_error(request, 410, "The upload is gone.");
		return -ECANCELED;
	}
	return r;
}

/* Upload-Length of an upload whose length was deferred. False: the answer is set. */
static bool take_length(struct request *request, struct upload_row *row)
{
	int64_t length;

	if (!tus_number(request, "Upload-Length", request_header(request, HEADER_UPLOAD_LENGTH), &length))
		return false;
	if (length < 0)
		return true;
	if (row->size_bytes >= 0 && row->size_bytes != length) {
		answer_error(request, 400, "Upload-Length was told before, and differently.");
		return false;
	}
	row->size_bytes = length;
	return true;
}

static int begin_patch(struct request *request)
{
	struct tus_append *append = calloc(1, sizeof(*append));
	const char *type = request_header(request, HEADER_CONTENT_TYPE);
	struct leased_db leased autodb = {0};
	int64_t offset;
	int r;

	if (!append)
		return -ENOMEM;
	append->file = WORKING_FILE_NONE;
	request->state = append;
	request->free_state = tus_append_free;
	if (!tus_check_version(request) || !tus_number(request, "Upload-Offset", request_header(request, HEADER_UPLOAD_OFFSET), &offset))
		return -ECANCELED;
	if (!type || !header_value_is(type, TUS_CONTENT_TYPE)) {
		answer_error(request, 415, "The body must be " TUS_CONTENT_TYPE ".");
		return -ECANCELED;
	}
	if (offset < 0) {
		answer_error(request, 400, "Upload-Offset is missing.");
		return -ECANCELED;
	}
	r = tus_find(request, &leased, request_param(request, "upload_id"), &append->row);
	leased_db_return(&leased);
	if (r < 0)
		return r;
	if (strcmp(append->row.state, "open") != 0) {
		answer_error(request, strcmp(append->row.state, "failed") == 0 ? 422 : 403,
			     append->row.error ? append->row.error : "The upload is complete.");
		return -ECANCELED;
	}
	if (!take_length(request, &append->row))
		return -ECANCELED;
	r = tus_append_begin(request, append);
	if (r == 0 && append->offset != offset) {
		answer_errorf(request, 409, "The upload stands at %lld.", (long long)append->offset);
		return -ECANCELED;
	}
	return r;
}

/* --- bytes --- */

static int data(struct request *request, const void *bytes, size_t length)
{
	struct tus_append *append = request->state;
	int64_t expires_ns;
	int r = 0;

	if (!append || !append->has_begun) {
		r = append ? tus_append_begin(request, append) : begin_patch(request);
		if (r < 0)
			return r;
		append = request->state;
		append->has_begun = true;
	}
	if (append->row.size_bytes >= 0 && append->offset + (int64_t)length > append->row.size_bytes) {
		answer_error(request, 413, "The body goes beyond Upload-Length.");
		return -ECANCELED;
	}
	if (append->digest)
		EVP_DigestUpdate(append->digest, bytes, length);
	r = working_file_write(&append->file, bytes, length);
	if (r < 0) {
		working_file_answer_refusal(request, &append->file, r);
		return -ECANCELED;
	}
	append->offset += (int64_t)length;
	if (clock_monotonic_ns() - append->locked_ns > LOCK_EVERY_S * NS_PER_S)
		r = lock(request, append, &expires_ns);
	return r;
}

/* What came before the connection broke is kept, unless a checksum should have told whether it is right. */
static void abandon(struct request *request)
{
	struct tus_append *append = request->state;

	if (!append)
		return;
	if (append->digest && append->file.fd >= 0 && ftruncate(append->file.fd, append->begun_at) == 0)
		append->offset = append->begun_at;
	working_file_release(&append->file);
	if (append->is_locked)
		tus_append_note(request, append, "open", NULL);
}

const struct route_hooks tus_append_hooks = {.data = data, .abandon = abandon, .wants_broken = true};

/* --- the end of the body --- */

static int reject_checksum(struct request *request, struct tus_append *append)
{
	abandon(request);
	append->is_locked = false;
	return answer_error(request, CHECKSUM_MISMATCH, "The checksum does not match.");
}

static int put_progress(struct request *request, const struct tus_append *append, int status)
{
	answer_empty(request, status);
	answer_header_number(request, "Upload-Offset", append->offset);
	tus_put_expires(request, append->row.expires_ns);
	return 0;
}

int tus_append_end(struct request *request, struct tus_append *append, int status)
{
	bool is_whole = append->row.size_bytes >= 0 && append->offset == append->row.size_bytes;
	const char *state = is_whole ? "done" : "open";
	int r = 0;

	if (!checksum_matches(append))
		return reject_checksum(request, append);
	if (is_whole && !append->row.is_partial) {
		r = tus_finish(request, &append->row, &append->file);
		if (r == -ECANCELED) {
			/* A rule refused it: asking again would not help, and the reason is kept for who asks. */
			tus_append_note(request, append, append->file.was_refused ? "failed" : "open",
					append->file.was_refused ? "A rule refused the file." : NULL);
			working_file_release(&append->file);
			return 0;
		}
	} else {
		r = working_file_close(&append->file);
	}
	if (r == 0)
		r = tus_append_note(request, append, state, NULL);
	if (r == 0) {
		put_progress(request, append, status);
		if (is_whole && !append->row.is_partial)
			answer_header(request, "X-File-Id", append->file.file_id);
	} else {
		working_file_answer_refusal(request, &append->file, r);
	}
	working_file_release(&append->file);
	return 0;
}

int tus_append(struct request *request)
{
	struct tus_append *append = request->state;
	int r;

	if (!append) {
		r = begin_patch(request); /* an empty body: none of it came to the hooks */
		if (r < 0) {
			abandon(request);
			return r == -ECANCELED ? 0 : r;
		}
		append = request->state;
	}
	return tus_append_end(request, append, 204);
}
