#include "httpshim/query.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/buf.h"
#include "shared/base/text.h"

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* The byte at raw[*at], decoded; moves *at behind it. -1: a broken escape or NUL. */
static int next_byte(const char *raw, size_t length, size_t *at, bool plus_is_space)
{
	char byte = raw[(*at)++];
	int high, low;

	if (byte == '+' && plus_is_space)
		return ' ';
	if (byte != '%')
		return byte == '\0' ? -1 : (unsigned char)byte;
	if (length - *at < 2)
		return -1;
	high = hex_value(raw[*at]);
	low = hex_value(raw[*at + 1]);
	if (high < 0 || low < 0 || high + low == 0)
		return -1;
	*at += 2;
	return high * 16 + low;
}

int query_decode_segment(const char *raw, size_t length, char *ret_text, size_t size)
{
	size_t at = 0, used = 0;

	while (at < length) {
		int byte = next_byte(raw, length, &at, false);

		if (byte < 0x20 || byte == 0x7F || byte == '/')
			return -EINVAL;
		if (used + 1 >= size)
			return -ENAMETOOLONG;
		ret_text[used++] = (char)byte;
	}
	if (!utf8_is_valid(ret_text, used))
		return -EINVAL;
	ret_text[used] = '\0';
	return 0;
}

/* Decodes raw[0..length) to out, which has room for as much; its length with the NUL, or -EINVAL. */
static long decode_value(const char *raw, size_t length, char *out)
{
	size_t at = 0, used = 0;

	while (at < length) {
		int byte = next_byte(raw, length, &at, true);

		if (byte < 0)
			return -EINVAL;
		out[used++] = (char)byte;
	}
	if (!utf8_is_valid(out, used))
		return -EINVAL;
	out[used] = '\0';
	return (long)used + 1;
}

static int add_pair(struct query *query, const char *raw, size_t length, char **storage)
{
	const char *equals = memchr(raw, '=', length);
	size_t name_length = equals ? (size_t)(equals - raw) : length;
	struct query_pair *pair = &query->pairs[query->count];
	long used;

	if (query->count == QUERY_PAIRS_MAX)
		return -E2BIG;
	pair->name = *storage;
	used = decode_value(raw, name_length, *storage);
	if (used < 0)
		return -EINVAL;
	*storage += used;
	pair->value = *storage;
	if (equals)
		used = decode_value(equals + 1, length - name_length - 1, *storage);
	else
		used = decode_value("", 0, *storage);
	if (used < 0)
		return -EINVAL;
	pair->value_length = (size_t)used - 1;
	*storage += used;
	query->count++;
	return 0;
}

int query_parse(const char *raw, size_t length, struct query *ret_query)
{
	struct query query = {0};
	char *storage;
	size_t at = 0;
	int r = 0;

	/* A name without = takes one byte more than it had; every pair has at least its separator to pay for that. */
	query.storage = storage = malloc(length + 2 * QUERY_PAIRS_MAX + 2);
	if (!storage)
		return -ENOMEM;
	while (at < length && r == 0) {
		const char *end = memchr(raw + at, '&', length - at);
		size_t part = end ? (size_t)(end - raw) - at : length - at;

		if (part > 0)
			r = add_pair(&query, raw + at, part, &storage);
		at += part + 1;
	}
	if (r < 0) {
		query_release(&query);
		return r;
	}
	*ret_query = query;
	return 0;
}

void query_release(struct query *query)
{
	free(query->storage);
	query->storage = NULL;
	query->count = 0;
}

const char *query_get(const struct query *query, const char *name)
{
	for (int i = 0; i < query->count; i++) {
		if (strcmp(query->pairs[i].name, name) == 0)
			return query->pairs[i].value;
	}
	return NULL;
}

static bool is_unreserved(unsigned char byte)
{
	return byte < 0x80 && (isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~');
}

int query_put_escaped(struct buf *buf, const char *text, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (is_unreserved(byte)) {
			buf_putc(buf, (char)byte);
		} else {
			buf_putc(buf, '%');
			buf_putc(buf, digits[byte >> 4]);
			buf_putc(buf, digits[byte & 15]);
		}
	}
	return buf_error(buf);
}
