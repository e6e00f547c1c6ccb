/* Range, If-Range, If-Match, If-None-Match and their dates (RFC 9110 sections 13 and 14). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum range_kind { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

struct range {
	enum range_kind kind;
	uint64_t first, length; /* bytes, for RANGE_PART */
};

/*
 * Reads a Range header (NULL: none) for a content of size_bytes. One range of bytes is served; a malformed header, another
 * unit or several ranges mean the whole content, as the RFC allows.
 */
void range_parse(const char *header, uint64_t size_bytes, struct range *ret_range);

/* Whether a list of entity tags ("a", W/"b" or *) holds etag (with its quotes). Weak comparison ignores W/. */
bool etag_list_has(const char *list, const char *etag, bool is_weak);

/* What a conditional request asks of the current representation. */
struct conditions {
	const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since, *if_range; /* NULL: absent */
};

enum condition_answer { CONDITION_GO_ON, CONDITION_NOT_MODIFIED /* 304 */, CONDITION_FAILED /* 412 */ };

/* In the order of RFC 9110 section 13.2.2. modified_s: seconds since 1970, as Last-Modified shows them. */
enum condition_answer conditions_check(const struct conditions *conditions, const char *etag, int64_t modified_s);
/* Whether a Range header counts: no If-Range, or one that names exactly this representation. */
bool conditions_allow_range(const struct conditions *conditions, const char *etag, int64_t modified_s);

enum { HTTP_DATE_SIZE = 30 };
void http_date_format(int64_t seconds, char ret_date[HTTP_DATE_SIZE]); /* "Sun, 06 Nov 1994 08:49:37 GMT" */
int http_date_parse(const char *text, int64_t *ret_seconds);	       /* that form alone; -EINVAL */
