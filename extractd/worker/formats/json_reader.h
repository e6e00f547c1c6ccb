/*
 * A strict JSON reader (RFC 8259) over text in memory: one event at a time, no tree, no recursion. The text must be
 * UTF-8; a byte order mark is the caller's to skip. Lone surrogates in escapes are taken (the grammar allows them) and
 * read as U+FFFD. Checked against JSONTestSuite.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

enum json_event {
	JSON_OBJECT_BEGIN,
	JSON_OBJECT_END,
	JSON_ARRAY_BEGIN,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

enum { JSON_READER_DEPTH_MAX = 1 << 20, JSON_READER_STRING_MAX = 64 << 20 };

struct json_reader {
	const char *begin, *at, *end;
	const char *token; /* of the last event: without quotes, escapes as they stand */
	size_t token_length;
	bool token_has_escapes;
	const char *reason; /* what is wrong, after an error; at tells where */
	/* private */
	uint64_t *is_object; /* a bit for each open container */
	size_t stack_words;
	unsigned depth, expected;
	struct buf unescaped;
};

void json_reader_init(struct json_reader *reader, const char *text, size_t length);
void json_reader_release(struct json_reader *reader);
/* 1: an event; 0: the value is complete and nothing follows it; -EINVAL: not JSON; -E2BIG: too deep; -ENOMEM. */
int json_reader_next(struct json_reader *reader, enum json_event *ret_event);
/* The text of the last key or string; lives until the next call. NULL: -ENOMEM or longer than JSON_READER_STRING_MAX.
 */
const char *json_reader_text(struct json_reader *reader, size_t *ret_length);
/* Where the reader stands, from 1. */
void json_reader_position(const struct json_reader *reader, uint64_t *ret_line, uint64_t *ret_column);
