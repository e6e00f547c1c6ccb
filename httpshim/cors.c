#include "httpshim/cors.h"

#include <string.h>
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "shared/base/buf.h"
#include "shared/config/config.h"

static const char exposed[] =
	"X-Request-ID, X-File-Id, ETag, Content-Range, Content-Disposition, Location, Retry-After, Tus-Resumable, Tus-Version, "
	"Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, "
	"Upload-Concat, Upload-Defer-Length";
static const char accepted[] =
	"Authorization, Content-Type, Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, "
	"X-Request-ID, X-HTTP-Method-Override, X-Requested-With, Tus-Resumable, Upload-Length, Upload-Defer-Length, "
	"Upload-Offset, Upload-Metadata, Upload-Checksum, Upload-Concat";

/* The caller's origin when the list has exactly it, else NULL. */
static const char *allowed_origin(const struct request *request)
{
	const char *origin = request_header(request, HEADER_ORIGIN);
	const char *list = config_string(request->server->config, SETTING_CORS_ORIGINS);
	size_t length = origin ? strlen(origin) : 0;

	while (length > 0 && list && *list) {
		size_t item;

		list += strspn(list, " ,");
		item = strcspn(list, ",");
		while (item > 0 && (list[item - 1] == ' ' || list[item - 1] == '/'))
			item--;
		if (item == length && memcmp(list, origin, length) == 0)
			return origin;
		list += strcspn(list, ",");
	}
	return NULL;
}

void cors_decorate(const struct request *request, struct MHD_Response *response)
{
	const char *origin;

	if (!config_string(request->server->config, SETTING_CORS_ORIGINS))
		return;
	MHD_add_response_header(response, "Vary", "Origin");
	origin = allowed_origin(request);
	if (!origin)
		return;
	MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
	MHD_add_response_header(response, "Access-Control-Expose-Headers", exposed);
}

void cors_put(const struct request *request, struct buf *buf)
{
	const char *origin = allowed_origin(request);

	if (origin)
		buf_printf(buf, "Vary: Origin\r\nAccess-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: %s\r\n",
			   origin, exposed);
}

static void put_allow(struct request *request)
{
	char allow[80];

	route_put_allowed(request->match.allowed | ROUTE_OPTIONS, allow, sizeof(allow));
	answer_header(request, "Allow", allow);
}

void cors_answer_options(struct request *request)
{
	answer_empty(request, 204);
	put_allow(request);
	if (!allowed_origin(request))
		return;
	if (request_header(request, HEADER_REQUEST_METHOD)) {
		char allow[80];

		route_put_allowed(request->match.allowed | ROUTE_OPTIONS, allow, sizeof(allow));
		answer_header(request, "Access-Control-Allow-Methods", allow);
		answer_header(request, "Access-Control-Allow-Headers", accepted);
		answer_header(request, "Access-Control-Max-Age", "600");
	}
}

void cors_answer_wrong_method(struct request *request)
{
	answer_error(request, 405, "Method Not Allowed");
	put_allow(request);
}
