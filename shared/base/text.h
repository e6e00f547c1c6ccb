/* Bytes that should be text, and text that becomes JSON. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */
bool utf8_is_valid(const char *bytes, size_t length);
/* The length of the longest prefix of at most max bytes that ends at a character boundary. */
size_t utf8_cut(const char *bytes, size_t length, size_t max);

/*
 * Appends a JSON string with its quotes. An invalid byte 0xNN becomes the text \xNN (a backslash is doubled only in a
 * string that has such a byte, and such a string begins with U+FFFD as a mark): visible and reversible. NUL counts as
 * invalid, since jsonb takes none; a string that begins with U+FFFD of its own is marked too, so that the way back is
 * never ambiguous.
 */
int json_put_string(struct buf *buf, const char *bytes, size_t length);
/* The way back, from the decoded text of such a string to its bytes, appended. Unmarked text is appended as it is.
 * -EINVAL. */
int json_restore_bytes(struct buf *buf, const char *text, size_t length);
/* {"key": value, …} writing: adds the comma when something stands before. */
int json_put_key(struct buf *buf, const char *key);

/* Humans' sizes and numbers: "10G", "100k", "1.5MiB" to bytes (powers of 1024 for sizes, of 1000 for counts). -EINVAL,
 * -ERANGE. */
int size_parse(const char *text, int64_t *ret_bytes);
int count_parse(const char *text, int64_t *ret_count);
int duration_parse(const char *text,
		   int64_t *ret_ms); /* "10s", "8h", "30d", "500ms"; a bare number only when it is 0 */
int int64_parse(const char *text, int64_t *ret_value);
