/* POST /admin/cleanup: the sweep that runs by itself every few minutes, now. */
#include <inttypes.h>
#include <string.h>
#include "httpshim/background.h"
#include "httpshim/request.h"
#include "httpshim/server.h"

static int cleanup_now(struct request *request)
{
	struct sweep_counts counts;
	int r;

	if (strcmp(request->principal.tenant, "*") != 0)
		return answer_error(request, 403, "This needs a token for all tenants.");
	r = background_sweep(request->server, &counts);
	if (r < 0)
		return r;
	buf_printf(answer_begin(request, 200, "application/json"),
		   "{\"uploads\":%" PRId64 ",\"working_names\":%" PRId64 ",\"active_files\":%" PRId64 ",\"scan_jobs\":%" PRId64
		   ",\"datasets\":%" PRId64 ",\"revoked_tokens\":%" PRId64 "}",
		   counts.uploads, counts.working_names, counts.active_files, counts.scan_jobs, counts.datasets,
		   counts.revoked_tokens);
	return answer_end(request);
}

static const struct field count_fields[] = {
	{.name = "uploads", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .about = "Unfinished ones that ran out"},
	{.name = "working_names", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "active_files", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "scan_jobs", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "datasets", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "revoked_tokens", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema count_schema = {.name = "Cleanup", .type = FIELD_OBJECT, .fields = count_fields};

const struct route cleanup_routes[] = {
	{.method = "POST", .path = "/admin/cleanup", .role = ROLE_ADMIN, .handler = cleanup_now, .tag = "Administration", .name = "cleanUp",
	 .about = "Remove what has run out, now", .answers = {{200, &count_schema, "How many of each went", NULL}}},
	{0},
};
