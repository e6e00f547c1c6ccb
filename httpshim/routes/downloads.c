/* Downloads: whole or one range, conditional, with a token, by a signed link, or for everybody when the file is public. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "httpshim/file_lookup.h"
#include "httpshim/header_value.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/signed_url.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"

/* Whatever is in a file, it is nobody's page: no script, no origin of ours, no plug-in. */
static const char sandbox[] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; sandbox";

static bool has_signature(const struct request *request, const char *file_id, int *ret_error)
{
	const char *signature = request_query(request, "signature");
	int64_t expires_s = request_query_int(request, "expires", 0);

	*ret_error = 0;
	if (!signature || !request->server->key)
		return false;
	*ret_error = signed_url_check(request->server->key, request->tenant->code, file_id, expires_s, signature,
				      clock_realtime_ns() / NS_PER_S);
	return *ret_error == 0;
}

/* False: the answer is set. Without a right to it a file is as if it were not there, unless the link only is too old. */
static bool may_read(struct request *request, const struct file_row *row)
{
	int error;

	if (request->principal.is_known && request->principal.role >= ROLE_READER)
		return true;
	if (row->is_public || has_signature(request, row->file_id, &error))
		return true;
	if (error == -EKEYEXPIRED) {
		answer_error(request, 403, "The link has expired.");
	} else if (request_query(request, "signature")) {
		answer_error(request, 403, "The signature of the link is not valid.");
	} else {
		answer_error(request, 401, "Not authenticated");
		answer_header(request, "WWW-Authenticate", "Bearer realm=\"tenantfs\"");
	}
	return false;
}

static bool is_script_like(const char *type)
{
	static const char *const types[] = {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml",
					    "text/javascript", "application/javascript", "application/ecmascript"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (header_value_is(type, types[i]))
			return true;
	}
	return false;
}

struct representation {
	struct file_row *row;
	char etag[DIGEST_HEX_SIZE + 2];
	char type[160];
	int64_t modified_s;
	uint64_t size_bytes;
};

static void describe(const struct file_row *row, struct representation *representation)
{
	static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	char hash[DIGEST_HEX_SIZE];

	if (row->has_sha256)
		hex_encode(row->sha256, DIGEST_SIZE, hash);
	else
		memcpy(hash, empty, sizeof(empty));
	snprintf(representation->etag, sizeof(representation->etag), "\"%s\"", hash);
	representation->modified_s = row->mtime_ns / NS_PER_S;
	representation->size_bytes = (uint64_t)row->size_bytes;
	snprintf(representation->type, sizeof(representation->type), "%.*s",
		 row->media_type.data ? (int)row->media_type.length : 24,
		 row->media_type.data ? row->media_type.data : "application/octet-stream");
}

static void put_headers(struct request *request, const struct representation *representation)
{
	const struct file_row *row = representation->row;
	const struct bytes *name = row->original_name.data ? &row->original_name : &row->name;
	const char *wants_inline = request_query(request, "inline");
	bool is_inline = wants_inline && strchr("1tyo", *wants_inline) && strcmp(wants_inline, "off") != 0 &&
			 !is_script_like(representation->type);
	autobuf struct buf disposition = BUF_INIT(16 << 10);
	char date[HTTP_DATE_SIZE];

	http_date_format(representation->modified_s, date);
	answer_header(request, "ETag", representation->etag);
	answer_header(request, "Last-Modified", date);
	answer_header(request, "Accept-Ranges", "bytes");
	answer_header(request, "Cache-Control", row->is_public ? "public, max-age=0, must-revalidate" : "private, no-cache");
	answer_header(request, "Content-Security-Policy", sandbox);
	answer_header(request, "Cross-Origin-Resource-Policy", row->is_public ? "cross-origin" : "same-origin");
	if (header_put_disposition(&disposition, is_inline, name->data, name->length) == 0)
		answer_header(request, "Content-Disposition", disposition.data);
}

/* Without bytes: 304, 412, 416. */
static int answer_bare(struct request *request, int status, const struct representation *representation)
{
	char range[48];

	if (status == 416)
		answer_error(request, 416, "The range lies behind the end of the file.");
	else if (status == 412)
		answer_error(request, 412, "The file has changed.");
	else
		answer_empty(request, status);
	put_headers(request, representation);
	if (status == 416) {
		snprintf(range, sizeof(range), "bytes */%" PRIu64, representation->size_bytes);
		answer_header(request, "Content-Range", range);
	}
	return 0;
}

static struct conditions conditions_of(const struct request *request)
{
	return (struct conditions){
		.if_match = request_header(request, HEADER_IF_MATCH),
		.if_none_match = request_header(request, HEADER_IF_NONE_MATCH),
		.if_modified_since = request_header(request, HEADER_IF_MODIFIED_SINCE),
		.if_unmodified_since = request_header(request, HEADER_IF_UNMODIFIED_SINCE),
		.if_range = request_header(request, HEADER_IF_RANGE),
	};
}

/*
 * The file is opened first and asked what it is: between the row and the open it may have been written anew, and then its size and
 * its hash are those of the open file.
 */
static int open_file(struct request *request, struct representation *representation, int *ret_fd)
{
	char hash[DIGEST_HEX_SIZE];
	int fd autoclose = -1, r;
	struct stat stat;

	r = mount_open_file(request->server->mount, request->tenant, representation->row->file_id, O_RDONLY, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &stat) < 0)
		return -errno;
	r = mount_get_attribute(fd, "user.tenantfs.sha256", hash, sizeof(hash));
	if (r == 0)
		snprintf(representation->etag, sizeof(representation->etag), "\"%s\"", hash);
	else if (r != -ENODATA)
		return r;
	representation->size_bytes = (uint64_t)stat.st_size;
	representation->modified_s = stat.st_mtim.tv_sec;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int send_file(struct request *request, struct representation *representation)
{
	struct conditions conditions = conditions_of(request);
	const char *header = request_header(request, HEADER_RANGE);
	enum condition_answer answer;
	struct range range;
	char text[96];
	int fd autoclose = -1, r;

	r = open_file(request, representation, &fd);
	if (r < 0)
		return r;
	answer = conditions_check(&conditions, representation->etag, representation->modified_s);
	if (answer != CONDITION_GO_ON)
		return answer_bare(request, answer == CONDITION_FAILED ? 412 : 304, representation);
	if (!conditions_allow_range(&conditions, representation->etag, representation->modified_s))
		header = NULL;
	range_parse(header, representation->size_bytes, &range);
	if (range.kind == RANGE_UNSATISFIABLE)
		return answer_bare(request, 416, representation);
	answer_file(request, range.kind == RANGE_PART ? 206 : 200, representation->type, take_fd(&fd), range.first, range.length);
	put_headers(request, representation);
	if (range.kind == RANGE_PART) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first, range.first + range.length - 1,
			 representation->size_bytes);
		answer_header(request, "Content-Range", text);
	}
	return 0;
}

static int download(struct request *request)
{
	struct leased_db leased autodb = {0};
	struct file_list list autofiles = {0};
	struct representation representation;
	int r;

	r = file_lookup_row(request, &leased, request_param(request, "file_id"), &list);
	/* Who has no token learns nothing of what exists. */
	if (r == -ENOENT && !request->principal.is_known)
		return answer_error(request, 404, "Not Found");
	if (r < 0)
		return r;
	leased_db_return(&leased);
	if (!may_read(request, &list.rows[0]))
		return 0;
	representation = (struct representation){.row = &list.rows[0]};
	describe(&list.rows[0], &representation);
	return send_file(request, &representation);
}

static const struct field download_query[] = {
	{.name = "inline", .type = FIELD_BOOLEAN, .about = "To be shown, not saved; never for what could run script"},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{.name = "expires", .type = FIELD_INTEGER, .minimum = 0, .maximum = INT64_MAX, .about = "Of a signed link"},
	{.name = "signature", .type = FIELD_STRING, .maximum = 64, .about = "Of a signed link"},
	{0},
};

#define BINARY "application/octet-stream"

const struct route download_routes[] = {
	{.method = "GET", .path = "/api/v1/files/{file_id}/download", .role = ROLE_READER,
	 .flags = ROUTE_TENANT | ROUTE_SIGNED | ROUTE_ANY_TENANT_BY_ID, .handler = download, .tag = "Files", .name = "downloadFile",
	 .about = "The bytes of a file", .query_fields = download_query,
	 .answers = {{200, NULL, "All of it", BINARY},
		     {206, NULL, "The range asked for", BINARY},
		     {304, NULL, "What the client has is current", BINARY}}},
	{0},
};
