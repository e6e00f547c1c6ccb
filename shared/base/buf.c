#include "shared/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_CAPACITY = 128 };

char buf_empty[1];

void buf_release(struct buf *buf)
{
	if (buf->capacity > 0)
		free(buf->data);
	*buf = BUF_INIT(buf->max_bytes);
}

void buf_reset(struct buf *buf)
{
	buf->length = 0;
	buf->error = 0;
	if (buf->capacity > 0)
		buf->data[0] = '\0';
}

int buf_error(const struct buf *buf)
{
	return buf->error;
}

static int fail(struct buf *buf, int error)
{
	buf->error = error;
	return error;
}

int buf_reserve(struct buf *buf, size_t more)
{
	size_t capacity = buf->capacity > 0 ? buf->capacity : BUF_FIRST_CAPACITY, needed;
	char *data;

	if (buf->error < 0)
		return buf->error;
	if (more > buf->max_bytes || buf->length > buf->max_bytes - more)
		return fail(buf, -EOVERFLOW);
	if (__builtin_add_overflow(buf->length, more, &needed) || __builtin_add_overflow(needed, 1U, &needed))
		return fail(buf, -EOVERFLOW);
	if (needed <= buf->capacity)
		return 0;
	while (capacity < needed)
		capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : needed;
	data = realloc(buf->capacity > 0 ? buf->data : NULL, capacity);
	if (!data)
		return fail(buf, -ENOMEM);
	data[buf->length] = '\0';
	buf->data = data;
	buf->capacity = capacity;
	return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t length)
{
	int r = buf_reserve(buf, length);

	if (r < 0)
		return r;
	if (length > 0)
		memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
	return 0;
}

int buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_putc(struct buf *buf, char byte)
{
	return buf_append(buf, &byte, 1);
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	int needed, r;

	va_start(arguments, format);
	needed = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (needed < 0)
		return fail(buf, -EINVAL);
	r = buf_reserve(buf, (size_t)needed);
	if (r < 0)
		return r;
	va_start(arguments, format);
	vsnprintf(buf->data + buf->length, (size_t)needed + 1, format, arguments);
	va_end(arguments);
	buf->length += (size_t)needed;
	return 0;
}

char *buf_take(struct buf *buf, size_t *ret_length)
{
	char *data;

	/* An empty buffer owns nothing yet; what is handed over must be free()able. */
	if (buf_reserve(buf, 0) < 0)
		return NULL;
	data = buf->data;
	if (ret_length)
		*ret_length = buf->length;
	*buf = BUF_INIT(buf->max_bytes);
	return data;
}
