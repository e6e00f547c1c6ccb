/* Header values with parameters: "form-data; name=\"a\"; filename*=UTF-8''b". */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { HEADER_PARAMETER_MAX = 2048 };

struct header_parameter {
	char name[64];
	char value[HEADER_PARAMETER_MAX]; /* unquoted */
	size_t value_length;
};

/* Whether what stands before the first ; is word, in any case and without blanks around it. */
bool header_value_is(const char *value, const char *word);

/*
 * Takes the next parameter; *cursor starts at the value and moves. 1: there was one; 0: the end, *cursor is at the NUL;
 * -EINVAL: malformed, or too long.
 */
int header_parameter_next(const char **cursor, struct header_parameter *ret_parameter);

/* RFC 8187: UTF-8''percent-encoded. -EINVAL: another charset, a broken escape, NUL, not UTF-8, too long. */
int header_extended_decode(const char *value, char *ret_text, size_t size);

/* Content-Disposition for a name that may be any bytes: a plain filename and the exact one (RFC 6266). */
struct buf;
int header_put_disposition(struct buf *buf, bool is_inline, const char *file_name, size_t length);

/* Whether an Accept header prefers application/problem+json, or names type at all with a weight above 0. */
bool header_accepts(const char *accept, const char *type);
