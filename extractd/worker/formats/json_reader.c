#include "extractd/worker/formats/json_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"

enum expected {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* behind [ */
	EXPECT_KEY,	     /* behind , in an object */
	EXPECT_KEY_OR_END,   /* behind { */
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING, /* the value is complete */
};

void json_reader_init(struct json_reader *reader, const char *text, size_t length)
{
	*reader = (struct json_reader){
		.begin = text, .at = text, .end = text + length, .unescaped = BUF_INIT(JSON_READER_STRING_MAX)};
}

void json_reader_release(struct json_reader *reader)
{
	free(reader->is_object);
	reader->is_object = NULL;
	buf_release(&reader->unescaped);
}

static int fail(struct json_reader *reader, const char *reason)
{
	reader->reason = reason;
	return -EINVAL;
}

static void skip_blanks(struct json_reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	reader->at = at;
}

/* --- open containers --- */

static int push(struct json_reader *reader, bool is_object)
{
	size_t word = reader->depth / 64;
	uint64_t bit = 1ULL << (reader->depth % 64);

	if (reader->depth >= JSON_READER_DEPTH_MAX) {
		reader->reason = "nested too deep";
		return -E2BIG;
	}
	if (word == reader->stack_words) {
		size_t words = reader->stack_words > 0 ? reader->stack_words * 2 : 4;
		uint64_t *stack = reallocarray(reader->is_object, words, sizeof(*stack));

		if (!stack)
			return -ENOMEM;
		reader->is_object = stack;
		reader->stack_words = words;
	}
	if (is_object)
		reader->is_object[word] |= bit;
	else
		reader->is_object[word] &= ~bit;
	reader->depth++;
	return 0;
}

static bool in_object(const struct json_reader *reader)
{
	unsigned top = reader->depth - 1;

	return reader->is_object[top / 64] >> (top % 64) & 1;
}

static void value_is_complete(struct json_reader *reader)
{
	reader->expected = reader->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* --- strings --- */

/* The first byte that is a quote, a backslash or a control character. */
static const char *find_special(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;

	for (; end - at >= 8; at += 8) {
		uint64_t word, quote, backslash;

		memcpy(&word, at, 8);
		quote = word ^ (ones * '"');
		backslash = word ^ (ones * '\\');
		if ((((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) &
		    high)
			break;
	}
	while (at < end && *at != '"' && *at != '\\' && (uint8_t)*at >= 0x20)
		at++;
	return at;
}

static bool are_hex(const char *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!((at[i] >= '0' && at[i] <= '9') || ((at[i] | 0x20) >= 'a' && (at[i] | 0x20) <= 'f')))
			return false;
	return true;
}

static int skip_escape(struct json_reader *reader)
{
	const char *at = reader->at + 1;

	if (at >= reader->end)
		return fail(reader, "a string does not end");
	if (*at == 'u') {
		if (reader->end - at < 5 || !are_hex(at + 1, 4))
			return fail(reader, "\\u needs four hexadecimal digits");
		reader->at = at + 5;
		return 0;
	}
	if (*at == '\0' || !strchr("\"\\/bfnrt", *at))
		return fail(reader, "an escape that JSON does not have");
	reader->at = at + 1;
	return 0;
}

/* At the opening quote; afterwards behind the closing one. */
static int read_string(struct json_reader *reader)
{
	const char *begin = ++reader->at;

	reader->token_has_escapes = false;
	for (;;) {
		reader->at = find_special(reader->at, reader->end);
		if (reader->at == reader->end)
			return fail(reader, "a string does not end");
		if (*reader->at == '"')
			break;
		if (*reader->at != '\\')
			return fail(reader, "a control character in a string");
		reader->token_has_escapes = true;
		if (skip_escape(reader) < 0)
			return -EINVAL;
	}
	reader->token = begin;
	reader->token_length = (size_t)(reader->at - begin);
	reader->at++;
	if (!utf8_is_valid(begin, reader->token_length))
		return fail(reader, "a string that is not UTF-8");
	return 0;
}

static unsigned hex4(const char *at)
{
	unsigned value = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned c = (unsigned char)at[i];

		value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

static void put_utf8(struct buf *buf, unsigned code)
{
	if (code < 0x80) {
		buf_putc(buf, (char)code);
	} else if (code < 0x800) {
		buf_putc(buf, (char)(0xC0 | code >> 6));
		buf_putc(buf, (char)(0x80 | (code & 0x3F)));
	} else if (code < 0x10000) {
		buf_putc(buf, (char)(0xE0 | code >> 12));
		buf_putc(buf, (char)(0x80 | (code >> 6 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (code & 0x3F)));
	} else {
		buf_putc(buf, (char)(0xF0 | code >> 18));
		buf_putc(buf, (char)(0x80 | (code >> 12 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (code >> 6 & 0x3F)));
		buf_putc(buf, (char)(0x80 | (code & 0x3F)));
	}
}

/* At the u of an escape; returns what is behind it. A surrogate counts only with its other half. */
static const char *put_code(struct buf *buf, const char *at, const char *end)
{
	unsigned code = hex4(at + 1);

	at += 5;
	if (code >= 0xD800 && code < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		unsigned low = hex4(at + 2);

		if (low >= 0xDC00 && low < 0xE000) {
			put_utf8(buf, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
			return at + 6;
		}
	}
	put_utf8(buf, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
	return at;
}

static const char *put_escape(struct buf *buf, const char *at, const char *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (*at == 'u')
		return put_code(buf, at, end);
	buf_putc(buf, to[strchr(from, *at) - from]);
	return at + 1;
}

const char *json_reader_text(struct json_reader *reader, size_t *ret_length)
{
	const char *at = reader->token, *end = reader->token + reader->token_length;

	if (!reader->token_has_escapes) {
		*ret_length = reader->token_length;
		return reader->token;
	}
	buf_reset(&reader->unescaped);
	while (at < end) {
		const char *plain = memchr(at, '\\', (size_t)(end - at));

		plain = plain ? plain : end;
		buf_append(&reader->unescaped, at, (size_t)(plain - at));
		at = plain < end ? put_escape(&reader->unescaped, plain + 1, end) : end;
	}
	*ret_length = reader->unescaped.length;
	return buf_error(&reader->unescaped) < 0 ? NULL : reader->unescaped.data;
}

/* --- numbers and words --- */

static bool skip_digits(struct json_reader *reader)
{
	const char *begin = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > begin;
}

static bool skip_byte(struct json_reader *reader, char wanted)
{
	if (reader->at == reader->end || *reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static int read_number(struct json_reader *reader)
{
	reader->token = reader->at;
	reader->token_has_escapes = false;
	skip_byte(reader, '-');
	if (!skip_byte(reader, '0') && !skip_digits(reader))
		return fail(reader, "a value is missing or is none");
	if (skip_byte(reader, '.') && !skip_digits(reader))
		return fail(reader, "a number without digits behind the point");
	if (skip_byte(reader, 'e') || skip_byte(reader, 'E')) {
		if (!skip_byte(reader, '+'))
			skip_byte(reader, '-');
		if (!skip_digits(reader))
			return fail(reader, "a number without digits in its exponent");
	}
	reader->token_length = (size_t)(reader->at - reader->token);
	return 0;
}

static int read_word(struct json_reader *reader, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return fail(reader, "a value is missing or is none");
	reader->token = reader->at;
	reader->token_length = length;
	reader->token_has_escapes = false;
	reader->at += length;
	return 0;
}

/* --- values --- */

static int read_scalar(struct json_reader *reader, enum json_event *ret_event)
{
	int r;

	switch (*reader->at) {
	case '"':
		*ret_event = JSON_STRING;
		r = read_string(reader);
		break;
	case 't':
		*ret_event = JSON_TRUE;
		r = read_word(reader, "true");
		break;
	case 'f':
		*ret_event = JSON_FALSE;
		r = read_word(reader, "false");
		break;
	case 'n':
		*ret_event = JSON_NULL;
		r = read_word(reader, "null");
		break;
	default:
		*ret_event = JSON_NUMBER;
		r = read_number(reader);
	}
	if (r < 0)
		return r;
	value_is_complete(reader);
	return 1;
}

static int open_container(struct json_reader *reader, bool is_object, enum json_event *ret_event)
{
	int r = push(reader, is_object);

	if (r < 0)
		return r;
	reader->token = reader->at++;
	reader->token_length = 1;
	reader->expected = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	*ret_event = is_object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
	return 1;
}

static int close_container(struct json_reader *reader, enum json_event *ret_event)
{
	bool is_object = in_object(reader);

	if (*reader->at != (is_object ? '}' : ']'))
		return fail(reader, is_object ? "a comma or } is missing" : "a comma or ] is missing");
	reader->at++;
	reader->depth--;
	value_is_complete(reader);
	*ret_event = is_object ? JSON_OBJECT_END : JSON_ARRAY_END;
	return 1;
}

static int read_key(struct json_reader *reader, enum json_event *ret_event)
{
	if (*reader->at != '"')
		return fail(reader, "a name in quotes is missing");
	if (read_string(reader) < 0)
		return -EINVAL;
	skip_blanks(reader);
	if (!skip_byte(reader, ':'))
		return fail(reader, "a colon is missing");
	reader->expected = EXPECT_VALUE;
	*ret_event = JSON_KEY;
	return 1;
}

static int read_value(struct json_reader *reader, enum json_event *ret_event)
{
	if (*reader->at == '{' || *reader->at == '[')
		return open_container(reader, *reader->at == '{', ret_event);
	return read_scalar(reader, ret_event);
}

/* Behind a comma. False: there is none. */
static bool take_comma(struct json_reader *reader)
{
	if (!skip_byte(reader, ','))
		return false;
	reader->expected = in_object(reader) ? EXPECT_KEY : EXPECT_VALUE;
	skip_blanks(reader);
	return true;
}

int json_reader_next(struct json_reader *reader, enum json_event *ret_event)
{
	skip_blanks(reader);
	if (reader->expected == EXPECT_COMMA_OR_END)
		take_comma(reader);
	if (reader->at == reader->end) {
		if (reader->expected == EXPECT_NOTHING)
			return 0;
		return fail(reader, reader->begin == reader->end ? "there is nothing" : "it ends too early");
	}
	switch ((enum expected)reader->expected) {
	case EXPECT_KEY_OR_END:
		if (*reader->at == '}')
			return close_container(reader, ret_event);
		return read_key(reader, ret_event);
	case EXPECT_KEY:
		return read_key(reader, ret_event);
	case EXPECT_VALUE_OR_END:
		if (*reader->at == ']')
			return close_container(reader, ret_event);
		return read_value(reader, ret_event);
	case EXPECT_VALUE:
		return read_value(reader, ret_event);
	case EXPECT_COMMA_OR_END:
		return close_container(reader, ret_event);
	case EXPECT_NOTHING:
		break;
	}
	return fail(reader, "something follows the value");
}

void json_reader_position(const struct json_reader *reader, uint64_t *ret_line, uint64_t *ret_column)
{
	const char *line = reader->begin;
	uint64_t lines = 1;

	for (const char *at = line; (at = memchr(at, '\n', (size_t)(reader->at - at))) != NULL;) {
		line = ++at;
		lines++;
	}
	*ret_line = lines;
	*ret_column = (uint64_t)(reader->at - line) + 1;
}
