#include "shared/base/text.h"

#include <errno.h>
#include <string.h>

/*
 * The length of the UTF-8 sequence at the front, 0 when there is no valid one (RFC 3629, table in section 4: the second
 * byte alone decides about overlong forms, surrogates and the upper end).
 */
static size_t sequence(const uint8_t *bytes, size_t length)
{
	uint8_t first = bytes[0], low = 0x80, high = 0xBF;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (length < size)
		return 0;
	if (first == 0xE0)
		low = 0xA0;
	else if (first == 0xED)
		high = 0x9F;
	else if (first == 0xF0)
		low = 0x90;
	else if (first == 0xF4)
		high = 0x8F;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	}
	return size;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
	const uint8_t *at = (const uint8_t *)bytes, *end = at + length;

	while (at < end) {
		uint64_t word;
		size_t size;

		if (end - at >= 8) {
			memcpy(&word, at, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				at += 8;
				continue;
			}
		}
		size = sequence(at, (size_t)(end - at));
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

size_t utf8_cut(const char *bytes, size_t length, size_t max)
{
	size_t cut = max;

	if (length <= max)
		return length;
	/* At most three bytes of a character lie before the cut; more continuation bytes than that are no UTF-8 anyway.
	 */
	for (int i = 0; i < 3 && cut > 0 && ((uint8_t)bytes[cut] & 0xC0) == 0x80; i++)
		cut--;
	return ((uint8_t)bytes[cut] & 0xC0) == 0x80 ? max : cut;
}

static const char mark[] = "\xEF\xBF\xBD"; /* U+FFFD */

static bool begins_with_mark(const char *bytes, size_t length)
{
	return length >= 3 && memcmp(bytes, mark, 3) == 0;
}

/* What the JSON grammar does not allow as it is (RFC 8259, section 7). */
static int put_escaped(struct buf *buf, char c)
{
	switch (c) {
	case '"':
		return buf_puts(buf, "\\\"");
	case '\\':
		return buf_puts(buf, "\\\\");
	case '\b':
		return buf_puts(buf, "\\b");
	case '\f':
		return buf_puts(buf, "\\f");
	case '\n':
		return buf_puts(buf, "\\n");
	case '\r':
		return buf_puts(buf, "\\r");
	case '\t':
		return buf_puts(buf, "\\t");
	default:
		return buf_printf(buf, "\\u%04x", (unsigned)(uint8_t)c);
	}
}

/* DEL and the first byte of the C1 controls are looked at too: a terminal obeys them, and log lines end there. */
static bool is_plain(char c)
{
	return (uint8_t)c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && (uint8_t)c != 0xC2;
}

/* One character that is not plain, of valid UTF-8. The bytes used. */
static size_t put_special(struct buf *buf, const char *bytes)
{
	if ((uint8_t)bytes[0] != 0xC2) {
		put_escaped(buf, bytes[0]);
		return 1;
	}
	if ((uint8_t)bytes[1] < 0xA0)
		buf_printf(buf, "\\u%04x", (unsigned)(uint8_t)bytes[1]);
	else
		buf_append(buf, bytes, 2);
	return 2;
}

static void put_valid(struct buf *buf, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t plain = i;

		while (plain < length && is_plain(bytes[plain]))
			plain++;
		buf_append(buf, bytes + i, plain - i);
		i = plain;
		if (i < length)
			i += put_special(buf, bytes + i);
	}
}

static void put_marked(struct buf *buf, const char *bytes, size_t length)
{
	buf_puts(buf, mark);
	for (size_t i = 0; i < length;) {
		size_t size = sequence((const uint8_t *)bytes + i, length - i);

		if (size == 0 || bytes[i] == '\0') {
			buf_printf(buf, "\\\\x%02x", (unsigned)(uint8_t)bytes[i++]);
		} else if (bytes[i] == '\\') {
			buf_puts(buf, "\\\\\\\\");
			i++;
		} else {
			put_valid(buf, bytes + i, size);
			i += size;
		}
	}
}

int json_put_string(struct buf *buf, const char *bytes, size_t length)
{
	bool needs_mark = begins_with_mark(bytes, length) || !utf8_is_valid(bytes, length) ||
			  (length > 0 && memchr(bytes, '\0', length));

	buf_putc(buf, '"');
	if (needs_mark)
		put_marked(buf, bytes, length);
	else
		put_valid(buf, bytes, length);
	return buf_putc(buf, '"');
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int json_restore_bytes(struct buf *buf, const char *text, size_t length)
{
	if (!begins_with_mark(text, length))
		return buf_append(buf, text, length);
	for (size_t i = 3; i < length; i++) {
		int high, low;

		if (text[i] != '\\') {
			buf_putc(buf, text[i]);
			continue;
		}
		if (i + 1 < length && text[i + 1] == '\\') {
			buf_putc(buf, '\\');
			i++;
			continue;
		}
		if (i + 3 >= length || text[i + 1] != 'x')
			return -EINVAL;
		high = nibble(text[i + 2]);
		low = nibble(text[i + 3]);
		if (high < 0 || low < 0)
			return -EINVAL;
		buf_putc(buf, (char)(high * 16 + low));
		i += 3;
	}
	return buf_error(buf);
}

int json_put_key(struct buf *buf, const char *key)
{
	if (buf->length > 0 && buf->data[buf->length - 1] != '{')
		buf_putc(buf, ',');
	json_put_string(buf, key, strlen(key));
	return buf_putc(buf, ':');
}
