/*
 * One request from its first header to its last byte.
 *
 * Life: made by the epoll thread of its connection when the request line is there. From then on either that thread or one worker
 * has it at a time; only the body's two buffers (body.h) are shared between the two, under their lock. It is freed when both have
 * let go: the connection may end while a worker still writes.
 */
#pragma once
#include <jansson.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "httpshim/answer.h"
#include "httpshim/auth.h"
#include "httpshim/body.h"
#include "httpshim/query.h"
#include "httpshim/range.h"
#include "httpshim/route.h"
#include "httpshim/workers.h"

struct server;
struct connection;
struct tenant;
struct db;

enum { REQUEST_PARKED = 1, REQUEST_ID_SIZE = 65 };

/* The headers that anything looks at; others are not kept. */
enum header_id {
	HEADER_AUTHORIZATION,
	HEADER_ACCEPT,
	HEADER_CONTENT_TYPE,
	HEADER_CONTENT_LENGTH,
	HEADER_TRANSFER_ENCODING,
	HEADER_EXPECT,
	HEADER_HOST,
	HEADER_ORIGIN,
	HEADER_RANGE,
	HEADER_IF_RANGE,
	HEADER_IF_MATCH,
	HEADER_IF_NONE_MATCH,
	HEADER_IF_MODIFIED_SINCE,
	HEADER_IF_UNMODIFIED_SINCE,
	HEADER_USER_AGENT,
	HEADER_FORWARDED_FOR,
	HEADER_FORWARDED_PROTO,
	HEADER_REQUEST_ID,
	HEADER_METHOD_OVERRIDE,
	HEADER_REQUEST_METHOD,	/* of CORS */
	HEADER_TUS_RESUMABLE,
	HEADER_UPLOAD_LENGTH,
	HEADER_UPLOAD_DEFER_LENGTH,
	HEADER_UPLOAD_OFFSET,
	HEADER_UPLOAD_METADATA,
	HEADER_UPLOAD_CHECKSUM,
	HEADER_UPLOAD_CONCAT,
	HEADER_COUNT
};

struct request {
	struct server *server;
	struct MHD_Connection *mhd; /* NULL once the connection let go */
	struct connection *connection;
	atomic_int references;
	struct job job;

	/* --- what was asked; constant after request_begin() --- */
	char *target;	      /* as sent */
	const char *raw_query; /* in target; "" */
	size_t path_length;   /* of target */
	char method[16];
	char *headers[HEADER_COUNT]; /* in header_storage, NULL: absent */
	char *header_storage;
	char id[REQUEST_ID_SIZE];
	char address[46];
	struct route_match match;
	const struct route *route; /* NULL: none fits */
	struct query query;
	bool has_body, is_chunked, is_head, is_behind_proxy;
	uint64_t declared_bytes; /* Content-Length, UINT64_MAX when chunked */
	struct principal principal;
	int64_t started_ns; /* monotonic */

	/* --- while it runs --- */
	bool has_begun, wants_early_answer, is_preparing;
	struct tenant *tenant; /* a reference; NULL: the route needs none */
	struct body body;
	json_t *json;	       /* of a JSON body, checked */
	struct problems problems;
	struct answer answer;
	void *state; /* the handler's own, freed by free_state */
	void (*free_state)(void *state);
	/* A parked request goes on here; NULL: the handler anew. */
	int (*resume)(struct request *request);
	struct request *next_parked;
	uint64_t parking_ticket;
	int64_t parked_until_ns; /* monotonic: when what it waits for is given up */
};

/* From the epoll thread when the request line is there; NULL on no memory, which closes the connection. */
struct request *request_new(struct server *server, const char *target);
struct request *request_ref(struct request *request);
void request_unref(struct request *request);

/*
 * Reads the headers and decides whether the request goes on. True: it does. False: its answer is set (400, 401, 403, 404, 405, 413,
 * 429), and wants_early_answer says that the connection must not be used again.
 */
bool request_begin(struct request *request, const char *method, const char *version);

static inline const char *request_header(const struct request *request, enum header_id id)
{
	return request->headers[id];
}
/* A value of the query, checked against the route's fields; NULL: not there. */
const char *request_query(const struct request *request, const char *name);
/* The same as a number; absent: the default. */
int64_t request_query_int(const struct request *request, const char *name, int64_t otherwise);
/* A parameter of the path. Never NULL for one that the route has. */
const char *request_param(const struct request *request, const char *name);
