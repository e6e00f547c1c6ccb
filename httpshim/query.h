/*
 * Percent-decoding, path segments and query strings, also bodies of application/x-www-form-urlencoded.
 *
 * What comes out is UTF-8 without NUL: these are ids, words and names for text columns. A segment never holds a slash
 * after decoding, so that a path is split before it is decoded and %2F cannot make one segment into two.
 */
#pragma once
#include <stddef.h>

enum { QUERY_PAIRS_MAX = 64 };

struct query_pair {
	const char *name, *value;
	size_t value_length;
};

struct query {
	struct query_pair pairs[QUERY_PAIRS_MAX];
	int count;
	char *storage; /* all names and values, one allocation */
};

/*
 * Decodes one path segment of length bytes into ret_text (size bytes with its NUL); + stays +. -EINVAL: a broken escape, %00, %2F,
 * control characters, no UTF-8. -ENAMETOOLONG.
 */
int query_decode_segment(const char *raw, size_t length, char *ret_text, size_t size);

/* name=value&…, + is a space. -EINVAL: as above, but slashes are fine. -E2BIG: more than QUERY_PAIRS_MAX. -ENOMEM. */
int query_parse(const char *raw, size_t length, struct query *ret_query);
void query_release(struct query *query);

/* The first value of that name, NULL when there is none. */
const char *query_get(const struct query *query, const char *name);

/* Appends text to a URL as one segment or value: everything but unreserved characters (RFC 3986) is escaped. */
struct buf;
int query_put_escaped(struct buf *buf, const char *text, size_t length);
