#include "httpshim/request_headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include "httpshim/request.h"
#include "shared/base/digest.h"
#include "shared/base/text.h"

enum { HEADERS_MAX = 100 };

static const struct {
	const char *name;
	bool may_repeat; /* a list over several lines */
} known[HEADER_COUNT] = {
	[HEADER_AUTHORIZATION] = {"Authorization", false},
	[HEADER_ACCEPT] = {"Accept", true},
	[HEADER_CONTENT_TYPE] = {"Content-Type", false},
	[HEADER_CONTENT_LENGTH] = {"Content-Length", false},
	[HEADER_TRANSFER_ENCODING] = {"Transfer-Encoding", false},
	[HEADER_EXPECT] = {"Expect", false},
	[HEADER_HOST] = {"Host", false},
	[HEADER_ORIGIN] = {"Origin", false},
	[HEADER_RANGE] = {"Range", false},
	[HEADER_IF_RANGE] = {"If-Range", false},
	[HEADER_IF_MATCH] = {"If-Match", true},
	[HEADER_IF_NONE_MATCH] = {"If-None-Match", true},
	[HEADER_IF_MODIFIED_SINCE] = {"If-Modified-Since", false},
	[HEADER_IF_UNMODIFIED_SINCE] = {"If-Unmodified-Since", false},
	[HEADER_USER_AGENT] = {"User-Agent", false},
	[HEADER_FORWARDED_FOR] = {"X-Forwarded-For", true},
	[HEADER_FORWARDED_PROTO] = {"X-Forwarded-Proto", true},
	[HEADER_REQUEST_ID] = {"X-Request-ID", false},
	[HEADER_METHOD_OVERRIDE] = {"X-HTTP-Method-Override", false},
	[HEADER_REQUEST_METHOD] = {"Access-Control-Request-Method", false},
	[HEADER_TUS_RESUMABLE] = {"Tus-Resumable", false},
	[HEADER_UPLOAD_LENGTH] = {"Upload-Length", false},
	[HEADER_UPLOAD_DEFER_LENGTH] = {"Upload-Defer-Length", false},
	[HEADER_UPLOAD_OFFSET] = {"Upload-Offset", false},
	[HEADER_UPLOAD_METADATA] = {"Upload-Metadata", false},
	[HEADER_UPLOAD_CHECKSUM] = {"Upload-Checksum", false},
	[HEADER_UPLOAD_CONCAT] = {"Upload-Concat", false},
};

struct collected {
	const char *values[HEADER_COUNT];
	size_t lengths[HEADER_COUNT];
	const char *more[HEADER_COUNT]; /* the second line of one that may repeat */
	size_t bytes;
	int count;
	const char *refusal; /* NULL: fine so far */
};

static bool is_token(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)name[i] <= 0x20 || (unsigned char)name[i] >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", name[i]))
			return false;
	}
	return length > 0;
}

static bool is_clean(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7F)
			return false;
	}
	return true;
}

static int find_known(const char *name)
{
	for (int id = 0; id < HEADER_COUNT; id++) {
		if (strcasecmp(known[id].name, name) == 0)
			return id;
	}
	return -1;
}

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name, size_t name_length,
			       const char *value, size_t value_length)
{
	struct collected *collected = context;
	int id;

	(void)kind;
	if (++collected->count > HEADERS_MAX) {
		collected->refusal = "There are too many headers.";
		return MHD_NO;
	}
	/* A name with a blank before its colon is how one proxy is made to see a header that the next one does not. */
	if (!is_token(name, name_length) || (value && !is_clean(value, value_length))) {
		collected->refusal = "A header is malformed.";
		return MHD_NO;
	}
	id = find_known(name);
	if (id < 0)
		return MHD_YES;
	collected->bytes += value_length + 1;
	if (!collected->values[id]) {
		collected->values[id] = value ? value : "";
		collected->lengths[id] = value_length;
	} else if (known[id].may_repeat && !collected->more[id]) {
		collected->more[id] = value ? value : "";
		collected->bytes += 2;
	} else {
		collected->refusal = "A header that counts stands there twice.";
		return MHD_NO;
	}
	return MHD_YES;
}

static bool copy(struct request *request, const struct collected *collected)
{
	char *at;

	request->header_storage = at = malloc(collected->bytes + 1);
	if (!at)
		return false;
	for (int id = 0; id < HEADER_COUNT; id++) {
		if (!collected->values[id])
			continue;
		request->headers[id] = at;
		at = mempcpy(at, collected->values[id], collected->lengths[id]);
		if (collected->more[id]) {
			at = mempcpy(at, ", ", 2);
			at = mempcpy(at, collected->more[id], strlen(collected->more[id]));
		}
		/* Blanks at the end are no part of a value. */
		while (at > request->headers[id] && (at[-1] == ' ' || at[-1] == '\t'))
			at--;
		*at++ = '\0';
	}
	return true;
}

static bool is_host(const char *host)
{
	return *host && strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]%") == strlen(host);
}

/* One way alone to say where the body ends. NULL: fine. */
static const char *settle_length(struct request *request, bool is_http_1_1)
{
	const char *length = request_header(request, HEADER_CONTENT_LENGTH);
	const char *encoding = request_header(request, HEADER_TRANSFER_ENCODING);
	int64_t bytes;

	if (length && encoding)
		return "Content-Length and Transfer-Encoding exclude each other.";
	if (encoding) {
		if (!is_http_1_1 || strcasecmp(encoding, "chunked") != 0)
			return "The only Transfer-Encoding is chunked, in HTTP/1.1.";
		request->is_chunked = request->has_body = true;
		request->declared_bytes = UINT64_MAX;
	}
	if (length) {
		if (*length == '\0' || strspn(length, "0123456789") != strlen(length) || int64_parse(length, &bytes) < 0)
			return "Content-Length is no number.";
		request->declared_bytes = (uint64_t)bytes;
		request->has_body = bytes > 0;
	}
	return NULL;
}

static bool is_request_id(const char *id)
{
	size_t length = strlen(id);

	return length > 0 && length < REQUEST_ID_SIZE &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

/* Ids need to differ, not to be secret: one seed a thread from the kernel, then a counter mixed into it (splitmix64). */
static uint64_t next_number(void)
{
	static _Thread_local uint64_t state;
	uint64_t mixed;

	if (state == 0 && getrandom(&state, sizeof(state), 0) != sizeof(state))
		state = (uint64_t)(uintptr_t)&state;
	state += UINT64_C(0x9E3779B97F4A7C15);
	mixed = state;
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
	return mixed ^ mixed >> 31;
}

static void settle_id(struct request *request)
{
	const char *given = request_header(request, HEADER_REQUEST_ID);
	uint64_t bits[2];

	if (given && is_request_id(given)) {
		memcpy(request->id, given, strlen(given) + 1);
		return;
	}
	bits[0] = next_number();
	bits[1] = next_number();
	hex_encode(bits, sizeof(bits), request->id);
}

bool request_headers_take(struct request *request, const char *version)
{
	bool is_http_1_1 = strcmp(version, "HTTP/1.1") == 0;
	struct collected collected = {0};
	const char *host;

	MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, collect, &collected);
	if (!copy(request, &collected))
		collected.refusal = "Out of memory.";
	settle_id(request);
	host = request_header(request, HEADER_HOST);
	if (!collected.refusal && (host ? !is_host(host) : is_http_1_1))
		collected.refusal = "The Host is missing or malformed.";
	if (!collected.refusal)
		collected.refusal = settle_length(request, is_http_1_1);
	if (!collected.refusal)
		return true;
	answer_error(request, 400, collected.refusal);
	return false;
}
