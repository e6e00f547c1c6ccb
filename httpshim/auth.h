/* Who is calling, and in which tenant. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/model/jwt.h"

struct request;
struct server;

enum auth_mode { AUTH_REQUIRED, AUTH_OPTIONAL, AUTH_NONE };

struct principal {
	bool is_known; /* by a token, or by AUTH=optional or none */
	bool is_anonymous;
	char subject[JWT_SUBJECT_SIZE];
	char tenant[JWT_TENANT_SIZE]; /* a code; "*": all; "": the default */
	enum role role;
};

/*
 * Fills request->principal from its token. False: the answer is set (401). A request without a token passes when the route is
 * public or may be opened by a signature.
 */
bool auth_identify(struct request *request);
/* The role against the route's. False: 401 or 403 is set. */
bool auth_allows(struct request *request);
/*
 * The code of the tenant that the request acts in, by its path, its query or its token, into ret_code. False: the answer is set: 404
 * for another tenant's, 400 when none is named and there is no default.
 */
bool auth_tenant_code(struct request *request, char ret_code[JWT_TENANT_SIZE]);
/* Whether anything but the body names a tenant. */
bool auth_tenant_is_named(const struct request *request);
/* Whether the caller may act in the tenant of this code. */
bool auth_covers(const struct request *request, const char *code);
