/*
 * Strict JSON (RFC 8259), checked in one pass with constant memory: what PostgreSQL's jsonb also takes. Beside the
 * grammar it refuses what jsonb refuses: \u0000, lone surrogates, invalid UTF-8, numbers outside numeric, deeper than
 * max_depth.
 */
#pragma once
#include <stddef.h>

enum { JSON_DEPTH_LIMIT = 1024 }; /* however deep the caller allows: below what PostgreSQL's stack takes */

enum json_kind {
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_BOOL,
	JSON_KIND_NULL
};

/* 0 and the kind of the top value. -EINVAL: not JSON, or not for jsonb. -E2BIG: too deep. */
int json_check(const char *bytes, size_t length, unsigned max_depth, enum json_kind *ret_kind);
