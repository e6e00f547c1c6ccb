#include "httpshim/request_handle.h"

#include <errno.h>
#include "httpshim/parking.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"

bool request_prepare(struct request *request)
{
	char code[JWT_TENANT_SIZE];
	int r;

	if (request->tenant || !(request->route->flags & ROUTE_TENANT))
		return true;
	if (!auth_tenant_code(request, code))
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
