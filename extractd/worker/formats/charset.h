/*
 * Which characters the bytes of a text file stand for, and reading them as UTF-8. Valid UTF-8 wins, then a byte order
 * mark, then zero bytes that give UTF-16 away, then uchardet. Letters are counted over the raw bytes as they pass.
 */
#pragma once
#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/letters.h"

enum { CHARSET_NAME_SIZE = 40, CHARSET_BLOCK_BYTES = 64 << 10 };

struct charset {
	char name[CHARSET_NAME_SIZE]; /* "US-ASCII", "UTF-8", "WINDOWS-1252"… as iconv knows it */
	unsigned bom_bytes;	      /* at the beginning, no part of the text */
	unsigned confidence;	      /* thousandths */
	bool is_utf8;		      /* UTF-8 or ASCII: nothing to convert */
	bool has_errors;	      /* UTF-8 with some bytes that are none */
};

/* bytes: from where the first byte above 127 is near, or from the beginning. is_whole: the last character is complete.
 */
void charset_detect_bytes(const void *bytes, size_t length, bool is_whole, struct charset *ret_charset);
/* Looks as far as the first bytes above 127, within the text limit. Negative errno of reading. */
int charset_detect(struct extract_input *in, struct charset *ret_charset);

struct charset_stream {
	struct extract_input *in;
	uint64_t offset; /* in the file, of what is read next */
	bool is_plain;	 /* no conversion */
	iconv_t converter;
	char raw[CHARSET_BLOCK_BYTES];
	size_t raw_used, raw_length;
	bool has_errors; /* bytes that are no characters became U+FFFD */
	uint64_t letters[LETTER_COUNT];
};

/* -EINVAL: the character set is not known here (then it is read as Windows-1252). Release it in any case. */
int charset_stream_init(struct charset_stream *stream, struct extract_input *in, const struct charset *charset);
void charset_stream_release(struct charset_stream *stream);
/* Fills up to size bytes (at least 8) of UTF-8; characters are not cut when there is conversion. 0 at the end, negative
 * errno. */
ssize_t charset_stream_read(void *stream, char *buffer, size_t size);

/* A short text in a named character set as UTF-8, appended. -EINVAL: unknown set; the bytes are appended as
 * Windows-1252. */
int charset_convert(const char *name, const char *bytes, size_t length, struct buf *ret_text);
