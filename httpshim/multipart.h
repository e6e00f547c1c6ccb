/*
 * multipart/form-data (RFC 7578), read as it streams in: nothing is kept but one part's headers and what could be the
 * beginning of a delimiter.
 *
 * A body counts only when its final boundary was seen: multipart_finish() says so, and nothing may be committed before.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,	/* RFC 2046 */
	MULTIPART_PARTS_MAX = 64,
	MULTIPART_HEADERS_MAX = 16,	/* a part */
	MULTIPART_HEADER_BYTES = 8192,	/* all headers of a part together */
	MULTIPART_PREAMBLE_BYTES = 1024,
	MULTIPART_EPILOGUE_BYTES = 1024,
	MULTIPART_NAME_SIZE = 129,
	MULTIPART_FILE_NAME_SIZE = 1025,
	MULTIPART_TYPE_SIZE = 128,
};

struct multipart_part {
	char name[MULTIPART_NAME_SIZE];		 /* UTF-8 */
	char file_name[MULTIPART_FILE_NAME_SIZE]; /* bytes as sent, no NUL; "" when it has none */
	bool has_file_name;
	char media_type[MULTIPART_TYPE_SIZE]; /* "" when not told */
};

/* Each returns 0 to go on, or a negative errno that multipart_feed() then returns. The part lives until its end. */
struct multipart_events {
	int (*begin)(void *context, const struct multipart_part *part);
	int (*data)(void *context, const void *bytes, size_t length);
	int (*end)(void *context);
};

struct multipart;

/* The boundary of a Content-Type header: "multipart/form-data; boundary=…". -EINVAL: another type, or none there. */
int multipart_boundary(const char *content_type, char ret_boundary[MULTIPART_BOUNDARY_MAX + 1]);

int multipart_new(const char *boundary, const struct multipart_events *events, void *context,
		  struct multipart **ret_multipart);
void multipart_free(struct multipart *multipart);
/* -EBADMSG: malformed. -E2BIG: one of the limits above. Both stick, and multipart_reason() says why. */
int multipart_feed(struct multipart *multipart, const void *bytes, size_t length);
/* -EBADMSG: the body ended before its final boundary. */
int multipart_finish(struct multipart *multipart);
const char *multipart_reason(const struct multipart *multipart); /* a constant sentence */
