#include "httpshim/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/cors.h"
#include "httpshim/header_value.h"
#include "httpshim/multipart.h"
#include "httpshim/rate_limit.h"
#include "httpshim/request_headers.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum { TARGET_BYTES_MAX = 8192 };

struct request *request_new(struct server *server, const char *target)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->target = strdup(target ? target : "");
	if (!request->target) {
		free(request);
		return NULL;
	}
	request->server = server;
	atomic_init(&request->references, 1);
	request->started_ns = clock_monotonic_ns();
	request->answer.fd = -1;
	body_init(&request->body);
	return request;
}

struct request *request_ref(struct request *request)
{
	atomic_fetch_add_explicit(&request->references, 1, memory_order_relaxed);
	return request;
}

void request_unref(struct request *request)
{
	if (!request || atomic_fetch_sub_explicit(&request->references, 1, memory_order_acq_rel) > 1)
		return;
	if (request->free_state)
		request->free_state(request->state);
	body_release(&request->body);
	json_decref(request->json);
	problems_release(&request->problems);
	answer_release(&request->answer);
	query_release(&request->query);
	tenant_unref(request->tenant);
	free(request->header_storage);
	free(request->target);
	free(request);
}

/* Splits the target: an absolute form ("http://host/path") loses its front, the query begins behind the first question mark. */
static bool take_target(struct request *request)
{
	size_t length = strlen(request->target);
	char *path = request->target;

	if (length > TARGET_BYTES_MAX) {
		answer_error(request, 414, "The URL is too long.");
		return false;
	}
	if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0) {
		path = strchr(strchr(path, ':') + 3, '/');
		if (path)
			memmove(request->target, path, strlen(path) + 1);
	}
	for (const char *at = request->target; *at; at++) {
		if ((unsigned char)*at <= 0x20 || *at == 0x7F || *at == '#') {
			answer_error(request, 400, "The URL holds a character that must be escaped.");
			return false;
		}
	}
	request->path_length = strcspn(request->target, "?");
	request->raw_query = request->target + request->path_length + (request->target[request->path_length] == '?');
	return true;
}

/* tus clients behind proxies that let no PATCH through say so in a header. */
static void take_method(struct request *request, const char *method)
{
	static const char tus_path[] = "/api/v1/uploads";
	const char *override = request_header(request, HEADER_METHOD_OVERRIDE);
	size_t length;

	if (override && strcmp(method, "POST") == 0 && strncmp(request->target, tus_path, sizeof(tus_path) - 1) == 0 &&
	    (strcmp(override, "PATCH") == 0 || strcmp(override, "DELETE") == 0))
		method = override;
	length = strlen(method);
	if (length >= sizeof(request->method))
		length = sizeof(request->method) - 1;
	memcpy(request->method, method, length);
	request->is_head = strcmp(request->method, "HEAD") == 0;
}

static bool take_route(struct request *request)
{
	int r = route_find(request->method, request->target, request->path_length, &request->match);

	if (r == 0) {
		request->route = request->match.route;
		return true;
	}
	if (strcmp(request->method, "OPTIONS") == 0 && r == -ENOTSUP)
		cors_answer_options(request);
	else if (r == -ENOTSUP)
		cors_answer_wrong_method(request);
	else if (r == -ENOENT)
		answer_error(request, 404, "Not Found");
	else
		answer_error(request, 400, "The path holds an escape that is malformed or not allowed.");
	return false;
}

static const struct field *find_field(const struct field *fields, const char *name)
{
	for (const struct field *field = fields; field && field->name; field++) {
		if (strcmp(field->name, name) == 0)
			return field;
	}
	return NULL;
}

static bool take_query(struct request *request)
{
	int r = query_parse(request->raw_query, strlen(request->raw_query), &request->query);

	if (r == -ENOMEM) {
		answer_errno(request, r);
		return false;
	}
	if (r < 0) {
		answer_error(request, 400, r == -E2BIG ? "The query has too many values." : "The query is malformed.");
		return false;
	}
	for (int i = 0; i < request->query.count; i++) {
		const struct query_pair *pair = &request->query.pairs[i];
		const struct field *field = find_field(request->route->query_fields, pair->name);

		if (field)
			schema_check_text(field, pair->value, pair->value_length, "query", &request->problems);
	}
	for (const struct field *field = request->route->path_fields; field && field->name; field++) {
		const char *value = route_param(&request->match, field->name);

		if (value)
			schema_check_text(field, value, strlen(value), "path", &request->problems);
	}
	return true;
}

static bool is_json_type(const char *type)
{
	return !type || header_value_is(type, "application/json") || header_value_is(type, "application/problem+json") ||
	       header_value_is(type, "text/json");
}

/* What is said of the body before any of it is read. */
static bool check_declared_body(struct request *request)
{
	const struct route *route = request->route;
	const char *type = request_header(request, HEADER_CONTENT_TYPE);
	char boundary[MULTIPART_BOUNDARY_MAX + 1];

	request->body.size_max = route->body == ROUTE_BODY_JSON ? ROUTE_BODY_BYTES : UINT64_MAX;
	if (route->body == ROUTE_BODY_NONE)
		return true;
	if (!request->has_body && !request_header(request, HEADER_CONTENT_LENGTH) &&
	    !(route->flags & ROUTE_BODY_OPTIONAL)) {
		answer_error(request, 411, "A body is needed, and its length.");
		return false;
	}
	if (route->body == ROUTE_BODY_JSON && request->has_body && !is_json_type(type)) {
		answer_error(request, 415, "The body must be application/json.");
		return false;
	}
	if (route->body == ROUTE_BODY_FORM && request->has_body &&
	    !(type && (multipart_boundary(type, boundary) == 0 ||
		       (header_value_is(type, "application/x-www-form-urlencoded"))))) {
		bool is_multipart = type && header_value_is(type, "multipart/form-data");

		answer_error(request, is_multipart ? 400 : 415,
			     is_multipart ? "The boundary of the form is missing or malformed."
					  : "The body must be multipart/form-data.");
		return false;
	}
	if (!request->is_chunked && request->declared_bytes > request->body.size_max) {
		answer_errorf(request, 413, "The body is larger than %llu bytes.",
			      (unsigned long long)request->body.size_max);
		return false;
	}
	return true;
}

bool request_begin(struct request *request, const char *method, const char *version)
{
	request->has_begun = true;
	if (!request_headers_take(request, version)) {
		request->wants_early_answer = true;
		return false;
	}
	if (!take_target(request)) {
		request->wants_early_answer = true;
		return false;
	}
	take_method(request, method);
	if (!take_route(request) || !auth_identify(request) || !rate_limit_allows(request) || !auth_allows(request) ||
	    !take_query(request))
		return false;
	if (request->problems.list) {
		answer_problems(request, &request->problems);
		return false;
	}
	return check_declared_body(request);
}

const char *request_query(const struct request *request, const char *name)
{
	return query_get(&request->query, name);
}

int64_t request_query_int(const struct request *request, const char *name, int64_t otherwise)
{
	const char *text = request_query(request, name);
	int64_t value;

	return text && int64_parse(text, &value) == 0 ? value : otherwise;
}

const char *request_param(const struct request *request, const char *name)
{
	return route_param(&request->match, name);
}
