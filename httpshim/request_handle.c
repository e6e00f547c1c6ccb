#include "httpshim/request_handle.h"

#include <errno.h>
#include "httpshim/parking.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/digest.h"
#include "shared/meta/column.h"

/* What the path or the body names: a file, or an extraction, a scan job or an upload by its UUID. NULL: none. */
static const char *named_thing(const struct request *request)
{
	const char *id = request_param(request, "file_id");

	if (!id)
		id = request_param(request, "extraction_id");
	if (!id)
		id = request_param(request, "upload_id");
	if (!id)
		id = json_string_value(json_object_get(request->json, "file_id"));
	if (!id)
		id = json_string_value(json_array_get(json_object_get(request->json, "file_ids"), 0));
	return id && (file_id_is_valid(id, strlen(id)) || schema_is_uuid(id)) ? id : NULL;
}

/* A caller who may see all tenants, or one with a link alone, names a thing and no tenant. */
bool request_must_locate(const struct request *request)
{
	return request->route->flags & ROUTE_ANY_TENANT_BY_ID && !request_query(request, "tenant_code") &&
	       !json_object_get(request->json, "tenant_code") &&
	       (!request->principal.is_known || strcmp(request->principal.tenant, "*") == 0) && named_thing(request);
}

/* The code of the tenant that has it. False: 404 or 503 is set. */
static bool locate(struct request *request, char ret_code[JWT_TENANT_SIZE])
{
	const char *id = named_thing(request);
	struct leased_db leased autodb = {0};
	struct db_result *result autoresult = NULL;
	struct db_params params autoparams = {0};
	int r;

	db_params_init(&params);
	if (schema_is_uuid(id))
		db_param_uuid(&params, id);
	else
		db_param_text(&params, id);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = db_run(leased.db, schema_is_uuid(id) ? QUERY_API_UUID_TENANT : QUERY_API_FILE_TENANT, &params, &result);
	if (r == 0 && db_rows(result) == 0)
		r = -ENOENT;
	if (r < 0) {
		answer_errno(request, r);
		return false;
	}
	column_text(result, 0, 0, ret_code, JWT_TENANT_SIZE);
	return true;
}

bool request_prepare(struct request *request)
{
	char code[JWT_TENANT_SIZE];
	int r;

	if (request->tenant || !(request->route->flags & ROUTE_TENANT))
		return true;
	if (request->route->flags & ROUTE_TENANT_IN_FORM && !auth_tenant_is_named(request))
		return true;
	if (request_must_locate(request) ? !locate(request, code) : !auth_tenant_code(request, code))
		return false;
	r = tenant_cache_get(request->server->tenants, code, &request->tenant);
	if (r == -ENOENT) {
		answer_error(request, 404, "There is no such tenant.");
		return false;
	}
	if (r < 0) {
		answer_errno(request, r);
		return false;
	}
	if (!request->tenant->is_active && !(request->route->flags & ROUTE_INACTIVE)) {
		answer_error(request, 403, "The tenant is not active.");
		return false;
	}
	return true;
}

void request_handle(struct request *request)
{
	int (*run)(struct request *request) = request->resume ? request->resume : request->route->handler;
	int r;

	if (!request_prepare(request)) {
		request_answer(request);
		return;
	}
	r = run(request);
	if (r == REQUEST_PARKED) {
		parking_add(request->server->parking, request);
		return;
	}
	if (r < 0)
		answer_errno(request, r);
	request_answer(request);
}

void request_answer(struct request *request)
{
	struct body *body = &request->body;

	if (request->answer.kind == ANSWER_NONE)
		answer_errno(request, -EPROTO);
	pthread_mutex_lock(&body->lock);
	body->is_draining = body->is_suspended = false;
	body->is_finished = body->is_refused = true;
	pthread_mutex_unlock(&body->lock);
	MHD_resume_connection(request->mhd);
	request_unref(request);
}
