/*
 * The answer to a request, built on any thread and handed to the connection by its own.
 *
 * The first answer wins: a handler that failed half-way may set an error over what it began, so every answer_* call replaces
 * what was there, but the connection takes it once only.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

struct request;
struct problems;
struct shared_bytes;

enum { ANSWER_HEADERS_MAX = 14, ANSWER_BODY_MAX = 256 << 20, RETRY_AFTER_S = 2 };

enum answer_kind { ANSWER_NONE, ANSWER_BYTES, ANSWER_SHARED, ANSWER_FILE };

struct answer_header {
	const char *name; /* a constant */
	char *value;
};

struct answer {
	enum answer_kind kind;
	int status;
	const char *content_type; /* a constant, or owned_type */
	char *owned_type;
	struct buf body;
	struct shared_bytes *shared; /* a reference */
	int fd;
	uint64_t offset, length; /* of the file's part */
	struct answer_header headers[ANSWER_HEADERS_MAX];
	int header_count;
	bool must_close;
	uint64_t sent_bytes; /* of the body, noted when it was handed to the connection */
};

/* Bytes that several answers hold at once: a cached answer, a file of the page. */
struct shared_bytes *shared_bytes_new(const void *bytes, size_t length);	    /* a copy with a NUL behind it; NULL on no memory */
struct shared_bytes *shared_bytes_static(const void *bytes, size_t length); /* not copied, lives for ever */
struct shared_bytes *shared_bytes_ref(struct shared_bytes *shared);
void shared_bytes_unref(struct shared_bytes *shared);
const void *shared_bytes_data(const struct shared_bytes *shared, size_t *ret_length);

void answer_release(struct answer *answer);

/* Begins an empty answer; returns the buffer that its body goes into. */
struct buf *answer_begin(struct request *request, int status, const char *content_type);
/* A copied header; CR, LF and NUL in the value become blanks. */
void answer_header(struct request *request, const char *name, const char *value);
void answer_header_number(struct request *request, const char *name, int64_t value);
/* Instead of one that is there already. */
void answer_header_replace(struct request *request, const char *name, int64_t value);
/* Ends a body built in answer_begin()'s buffer: 0, or -ENOMEM/-EOVERFLOW when it did not fit. */
int answer_end(struct request *request);
/* No body: 204, 200 with null under FastAPI's habit is answer_null(). */
int answer_empty(struct request *request, int status);
int answer_null(struct request *request);
int answer_json(struct request *request, int status, const json_t *json);
int answer_shared(struct request *request, int status, const char *content_type, struct shared_bytes *shared);
/* Takes over fd. */
int answer_file(struct request *request, int status, const char *content_type, int fd, uint64_t offset, uint64_t length);

/* --- errors: in the shape that the path and the Accept header ask for. All return 0, so that handlers can return them. --- */
int answer_error(struct request *request, int status, const char *detail);
int answer_errorf(struct request *request, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* 422 with a list. Takes over the problems. */
int answer_problems(struct request *request, struct problems *problems);
/* One problem: where is "body", "query", "path" or "header". */
int answer_invalid(struct request *request, const char *where, const char *field, const char *message);
/* From a negative errno of the database, the mount or memory: 503, 507, 404, 403, 409, 500. */
int answer_errno(struct request *request, int error);
/* 503 with Retry-After. */
int answer_unavailable(struct request *request, const char *what);

/* Under /api/v1/file/: {"data": …, "message": "", "success": true}. Put data into the buffer between begin and end. */
bool answer_is_enveloped(const struct request *request);
