/*
 * The one table of routes: method, path, least role, handler, and the schemas that check what comes in and write the OpenAPI
 * document. The tests walk the same table through /openapi.json.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "shared/model/jwt.h"
#include "httpshim/schema.h"

struct request;
struct multipart_part;

enum { ROUTE_PARAMS_MAX = 2, ROUTE_SEGMENTS_MAX = 8, ROUTE_SEGMENT_SIZE = 513, ROUTE_ANSWERS_MAX = 8, ROUTE_BODY_BYTES = 4 << 20 };

enum route_body {
	ROUTE_BODY_NONE,
	ROUTE_BODY_JSON,
	ROUTE_BODY_FORM,   /* multipart, with files; or urlencoded when no field is a file */
	ROUTE_BODY_STREAM, /* raw bytes, given to the hooks as they come */
};

enum {
	ROUTE_TENANT = 1,	    /* acts in one tenant: the path's, the query's, the token's, the default */
	ROUTE_SIGNED = 2,	    /* also opens without a token, by signature or because the file is public */
	ROUTE_TUS = 4,		    /* speaks tus: Tus-Resumable in every answer */
	ROUTE_BODY_OPTIONAL = 8,
	ROUTE_ANY_TENANT_BY_ID = 16,   /* a token for all tenants finds the tenant by what the path or the body names */
	ROUTE_INACTIVE = 32,	       /* also in a tenant that is switched off */
	ROUTE_TENANT_IN_FORM = 256,    /* the tenant may be named by the form's tenant_code alone */
	ROUTE_QUIET = 64,	       /* probes: not in the log */
	ROUTE_FILE_SIZE = 128,	       /* the body is one file: its declared length is held against the tenant's largest */
};

struct route_answer {
	int status;
	const struct schema *schema; /* NULL: no body, or another media type */
	const char *about;
	const char *media_type; /* NULL: application/json */
};

/* What a form or a stream is given to while it arrives, on a worker thread. Any may be NULL. */
struct route_hooks {
	int (*part_begin)(struct request *request, const struct multipart_part *part); /* a file begins */
	int (*data)(struct request *request, const void *bytes, size_t length);
	int (*part_end)(struct request *request);
	void (*abandon)(struct request *request); /* the body broke off, or was refused: leave nothing behind */
	bool wants_broken; /* of a body that broke off, what had arrived is given to data() first */
};

struct route {
	const char *method;
	const char *path; /* "/api/v1/files/{file_id}/download" */
	enum role role;	  /* ROLE_NONE: public */
	unsigned flags;
	/* 0 when the request has its answer, REQUEST_PARKED when somebody will wake it, or a negative errno. On a worker. */
	int (*handler)(struct request *request);
	/* On the epoll thread, never waiting: true when it answered, false to go the slow way. May be NULL. */
	bool (*fast)(struct request *request);
	const char *tag, *name, *about; /* name: the operationId */
	const struct field *path_fields, *query_fields;
	enum route_body body;
	const struct schema *body_schema;
	const struct route_hooks *hooks;
	struct route_answer answers[ROUTE_ANSWERS_MAX]; /* of success, and errors beyond the usual; closed by status 0 */
};

/* A group of routes: an array closed by method NULL. */
extern const struct route tenant_routes[], file_routes[], download_routes[], dataset_routes[], extraction_routes[],
	chunked_routes[], tus_routes[], health_routes[], document_routes[], page_routes[], cleanup_routes[];
extern const struct route *const route_groups[];

struct route_match {
	const struct route *route;
	int number; /* of the route over all groups, from 0: for counters */
	char params[ROUTE_PARAMS_MAX][ROUTE_SEGMENT_SIZE]; /* decoded, in the order of the path */
	unsigned allowed;				   /* bits of enum route_method that the path knows */
};

enum { ROUTE_GET = 1, ROUTE_HEAD = 2, ROUTE_POST = 4, ROUTE_PUT = 8, ROUTE_PATCH = 16, ROUTE_DELETE = 32, ROUTE_OPTIONS = 64 };

/*
 * Finds the route of a raw path (no query). A trailing slash does not matter. 0; -ENOENT: no such path; -ENOTSUP: the path is
 * there for other methods (ret_match->allowed); -EINVAL: a segment that does not decode.
 */
int route_find(const char *method, const char *path, size_t length, struct route_match *ret_match);
unsigned route_method_bit(const char *method); /* 0: unknown */
void route_put_allowed(unsigned allowed, char *ret_text, size_t size); /* "GET, HEAD, OPTIONS" */
int route_count(void);
const struct route *route_at(int number);
/* The value of the path parameter of that name, NULL: the path has none of that name. */
const char *route_param(const struct route_match *match, const char *name);
