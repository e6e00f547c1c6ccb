/*
 * A growing byte buffer with a maximum from birth. Always NUL-terminated behind its length, so data is usable as text
 * when no NUL was put in. After an append failed the buffer is in error: later appends fail the same way, so a builder
 * may check once at the end with buf_error().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t length, capacity;
	size_t max_bytes; /* -EOVERFLOW beyond */
	int error;
};

extern char buf_empty[1]; /* what data is before the first append: "" and never written to */
#define BUF_INIT(max) ((struct buf){.data = buf_empty, .max_bytes = (max)})
#define autobuf	      __attribute__((__cleanup__(buf_release)))

void buf_release(struct buf *buf);
void buf_reset(struct buf *buf); /* empty again, memory kept, error cleared */
int buf_error(const struct buf *buf);
int buf_append(struct buf *buf, const void *bytes, size_t length);
int buf_puts(struct buf *buf, const char *text);
int buf_putc(struct buf *buf, char byte);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_reserve(struct buf *buf, size_t more); /* room for more bytes behind length */
/* Hands the bytes over (free() them); the buffer is empty afterwards. NULL when the buffer is in error or on no memory.
 */
char *buf_take(struct buf *buf, size_t *ret_length);
