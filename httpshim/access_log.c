#include "httpshim/access_log.h"

#include <string.h>
#include <unistd.h>
#include "httpshim/request.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/text.h"

static void put(struct buf *line, const char *key, const char *value)
{
	if (!value || *value == '\0')
		return;
	json_put_key(line, key);
	json_put_string(line, value, strlen(value));
}

/* The path alone: the query may hold a signature or a credential. */
static void put_path(struct buf *line, const struct request *request)
{
	json_put_key(line, "path");
	json_put_string(line, request->target, request->path_length);
}

void access_log_write(const struct request *request, int status, uint64_t bytes_out, int64_t duration_ns)
{
	autobuf struct buf line = BUF_INIT(32 << 10);
	char time[CLOCK_RFC3339_SIZE];

	if (!log_is_enabled(LOG_INFO_) || (request->route && request->route->flags & ROUTE_QUIET && status < 400))
		return;
	clock_format_rfc3339(clock_realtime_ns(), time);
	buf_putc(&line, '{');
	put(&line, "time", time);
	buf_puts(&line, ",\"level\":\"info\",\"program\":\"httpshim\",\"message\":\"request\"");
	put(&line, "request_id", request->id);
	put(&line, "method", request->method);
	put_path(&line, request);
	if (request->route)
		put(&line, "route", request->route->name);
	buf_printf(&line, ",\"status\":%d,\"duration_ms\":%.3f,\"bytes_in\":%llu,\"bytes_out\":%llu", status,
		   (double)duration_ns / 1e6, (unsigned long long)request->body.received, (unsigned long long)bytes_out);
	put(&line, "tenant", request->tenant ? request->tenant->code : NULL);
	put(&line, "sub", request->principal.subject);
	put(&line, "address", request->address);
	put(&line, "user_agent", request_header(request, HEADER_USER_AGENT));
	buf_puts(&line, "}\n");
	/* A log that cannot be written has nobody left to tell. */
	if (buf_error(&line) == 0 && write(STDERR_FILENO, line.data, line.length) < 0)
		return;
}
