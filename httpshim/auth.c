#include "httpshim/auth.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/token_cache.h"
#include "shared/base/clock.h"

static bool refuse(struct request *request, const char *reason)
{
	char challenge[160];

	answer_error(request, 401, reason ? reason : "Not authenticated");
	if (reason)
		snprintf(challenge, sizeof(challenge), "Bearer realm=\"tenantfs\", error=\"invalid_token\", error_description=\"%s\"",
			 reason);
	else
		snprintf(challenge, sizeof(challenge), "Bearer realm=\"tenantfs\"");
	answer_header(request, "WWW-Authenticate", challenge);
	return false;
}

static void become_anonymous(struct request *request)
{
	const struct server *server = request->server;
	struct principal *principal = &request->principal;
	bool may_everything = server->auth_mode == AUTH_NONE;

	*principal = (struct principal){.is_known = true, .is_anonymous = true};
	memcpy(principal->subject, "anonymous", sizeof("anonymous"));
	memcpy(principal->tenant, may_everything ? "*" : "", may_everything ? 2 : 1);
	principal->role = may_everything ? ROLE_ADMIN : server->anonymous_role;
}

static bool take_token(struct request *request, const char *token)
{
	struct server *server = request->server;
	struct principal *principal = &request->principal;
	struct jwt_claims claims;
	int r;

	if (!server->key)
		return refuse(request, "tokens are not in use here");
	r = token_cache_verify(server->tokens, token, strlen(token), clock_realtime_ns() / NS_PER_S, &claims);
	if (r < 0)
		return refuse(request, r == -EACCES ? "the token was revoked" : jwt_reason(r));
	*principal = (struct principal){.is_known = true, .role = claims.role};
	memcpy(principal->subject, claims.subject, sizeof(principal->subject));
	memcpy(principal->tenant, claims.tenant, sizeof(principal->tenant));
	return true;
}

bool auth_identify(struct request *request)
{
	const char *header = request_header(request, HEADER_AUTHORIZATION);
	const struct route *route = request->route;

	if (header) {
		if (strncasecmp(header, "Bearer ", 7) != 0)
			return refuse(request, "a Bearer token is expected");
		return take_token(request, header + 7 + strspn(header + 7, " "));
	}
	if (request->server->auth_mode != AUTH_REQUIRED) {
		become_anonymous(request);
		return true;
	}
	if (route->role == ROLE_NONE || route->flags & ROUTE_SIGNED)
		return true;
	return refuse(request, NULL);
}

bool auth_allows(struct request *request)
{
	if (!request->principal.is_known || request->principal.role >= request->route->role)
		return true;
	answer_errorf(request, 403, "This needs the role %s.", role_name(request->route->role));
	return false;
}

bool auth_covers(const struct request *request, const char *code)
{
	const char *own = request->principal.tenant;

	if (!request->principal.is_known)
		return false;
	if (strcmp(own, "*") == 0)
		return true;
	if (*own == '\0')
		own = request->server->default_tenant;
	return strcmp(own, code) == 0;
}

/* The code that the path, the query, a JSON body, the token or the settings name; "" when none does. */
static const char *named_tenant(const struct request *request)
{
	const char *code = request_param(request, "tenant_code"), *own = request->principal.tenant;

	if (!code)
		code = request_query(request, "tenant_code");
	if (!code)
		code = json_string_value(json_object_get(request->json, "tenant_code"));
	if (!code)
		code = *own && strcmp(own, "*") != 0 ? own : request->server->default_tenant;
	return code;
}

bool auth_tenant_is_named(const struct request *request)
{
	return *named_tenant(request) != '\0';
}

bool auth_tenant_code(struct request *request, char ret_code[JWT_TENANT_SIZE])
{
	const char *code = named_tenant(request);

	if (*code == '\0') {
		answer_error(request, 400, "No tenant is named: neither by the path, nor by tenant_code, nor by the token.");
		return false;
	}
	/* A link that opens without a token also opens with one of another tenant: by what the link has, not by the token. */
	if (request->route->flags & ROUTE_SIGNED && request->principal.is_known && !auth_covers(request, code))
		request->principal.is_known = false;
	/* Another tenant's things are as if they did not exist, and so is the tenant. */
	if (strlen(code) >= JWT_TENANT_SIZE || (request->principal.is_known && !auth_covers(request, code))) {
		answer_error(request, 404, "There is no such tenant.");
		return false;
	}
	memcpy(ret_code, code, strlen(code) + 1);
	return true;
}
