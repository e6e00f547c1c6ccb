#include "extractd/worker/formats/charset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchardet/uchardet.h>
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

enum {
	CONFIDENCE_GUESSED = 800,
	CONFIDENCE_DAMAGED = 700,
	CONFIDENCE_FALLBACK = 500,
	LOOK_MAX_BYTES = 16 << 20,
};

static const char fallback[] = "WINDOWS-1252";

static void choose(struct charset *charset, const char *name, unsigned bom_bytes, unsigned confidence)
{
	snprintf(charset->name, sizeof(charset->name), "%s", name);
	charset->bom_bytes = bom_bytes;
	charset->confidence = confidence;
	charset->is_utf8 = strcmp(name, "UTF-8") == 0 || strcmp(name, "US-ASCII") == 0;
}

static bool choose_by_mark(const uint8_t *bytes, size_t length, struct charset *charset)
{
	static const struct {
		const char *name, *mark;
		unsigned length;
	} marks[] = {
		{"UTF-8", "\xEF\xBB\xBF", 3},	    {"UTF-32LE", "\xFF\xFE\0\0", 4}, {"UTF-32BE", "\0\0\xFE\xFF", 4},
		{"GB18030", "\x84\x31\x95\x33", 4}, {"UTF-16LE", "\xFF\xFE", 2},     {"UTF-16BE", "\xFE\xFF", 2},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (length < marks[i].length || memcmp(bytes, marks[i].mark, marks[i].length) != 0)
			continue;
		choose(charset, marks[i].name, marks[i].length, 1000);
		return true;
	}
	return false;
}

static size_t first_not_ascii(const uint8_t *bytes, size_t length)
{
	size_t i = 0;
	uint64_t word;

	for (; i + 8 <= length; i += 8) {
		memcpy(&word, bytes + i, 8);
		if (word & 0x8080808080808080ULL)
			break;
	}
	while (i < length && bytes[i] < 0x80)
		i++;
	return i;
}

/* How many characters above 127 are right and how many bytes are not. */
static void count_sequences(const uint8_t *bytes, size_t length, bool is_whole, size_t *ret_good, size_t *ret_bad)
{
	*ret_good = *ret_bad = 0;
	for (size_t i = 0; i < length;) {
		size_t size = bytes[i] < 0x80 ? 1 : bytes[i] < 0xE0 ? 2 : bytes[i] < 0xF0 ? 3 : 4;

		if (size == 1) {
			i += 1 + first_not_ascii(bytes + i + 1, length - i - 1);
		} else if (i + size <= length && utf8_is_valid((const char *)bytes + i, size)) {
			++*ret_good;
			i += size;
		} else {
			if (i + size > length && !is_whole)
				break;
			++*ret_bad;
			i++;
		}
	}
}

static bool choose_utf8(const uint8_t *bytes, size_t length, bool is_whole, struct charset *charset)
{
	size_t good, bad;

	count_sequences(bytes, length, is_whole, &good, &bad);
	if (good + bad == 0) {
		choose(charset, "US-ASCII", 0, 1000);
		return true;
	}
	/* A few bad bytes among many good characters are damage, not another character set. */
	if (bad > 0 && good < bad * 10)
		return false;
	choose(charset, "UTF-8", 0, bad > 0 ? CONFIDENCE_DAMAGED : 1000);
	charset->has_errors = bad > 0;
	return true;
}

/* UTF-16 without a mark: every second byte of Latin text is zero. */
static bool choose_utf16(const uint8_t *bytes, size_t length, struct charset *charset)
{
	size_t zeros[2] = {0}, pairs = length / 2;

	for (size_t i = 0; i < pairs * 2; i++)
		zeros[i & 1] += bytes[i] == 0;
	if (pairs < 2 || zeros[0] + zeros[1] == 0)
		return false;
	if (zeros[1] * 10 > pairs * 4 && zeros[0] * 20 < pairs)
		choose(charset, "UTF-16LE", 0, CONFIDENCE_GUESSED);
	else if (zeros[0] * 10 > pairs * 4 && zeros[1] * 20 < pairs)
		choose(charset, "UTF-16BE", 0, CONFIDENCE_GUESSED);
	else
		return false;
	return true;
}

static bool is_convertible(const char *name)
{
	iconv_t converter = iconv_open("UTF-8", name);

	if (converter == (iconv_t)-1)
		return false;
	iconv_close(converter);
	return true;
}

static void guess(const uint8_t *bytes, size_t length, struct charset *charset)
{
	uchardet_t detector = uchardet_new();
	const char *name = "";

	choose(charset, fallback, 0, CONFIDENCE_FALLBACK);
	if (!detector)
		return;
	if (uchardet_handle_data(detector, (const char *)bytes, length) == 0) {
		uchardet_data_end(detector);
		name = uchardet_get_charset(detector);
	}
	/* A guess of ASCII or UTF-8 is wrong here: both were ruled out. */
	if (*name && strcmp(name, "ASCII") != 0 && strcmp(name, "UTF-8") != 0 && is_convertible(name))
		choose(charset, name, 0, CONFIDENCE_GUESSED);
	uchardet_delete(detector);
}

void charset_detect_bytes(const void *bytes, size_t length, bool is_whole, struct charset *ret_charset)
{
	*ret_charset = (struct charset){0};
	if (choose_by_mark(bytes, length, ret_charset) || choose_utf16(bytes, length, ret_charset) ||
	    choose_utf8(bytes, length, is_whole, ret_charset))
		return;
	guess(bytes, length, ret_charset);
}

/* The first byte above 127 and what follows it: a whole block tells more than the end of the one it was found in. */
static int detect_from(struct extract_input *in, uint64_t offset, uint8_t *block, struct charset *charset)
{
	long n = input_read(in, block, CHARSET_BLOCK_BYTES, offset);

	if (n < 0)
		return (int)n;
	if (!choose_utf8(block, (size_t)n, offset + (uint64_t)n >= in->size_bytes, charset))
		guess(block, (size_t)n, charset);
	return 0;
}

int charset_detect(struct extract_input *in, struct charset *ret_charset)
{
	autofree uint8_t *block = malloc(CHARSET_BLOCK_BYTES);
	struct charset charset = {0};
	uint64_t offset = 0;
	int r = 0;

	if (!block)
		return -ENOMEM;
	for (;;) {
		long n = input_read(in, block, CHARSET_BLOCK_BYTES, offset);
		size_t ascii;

		if (n < 0)
			return (int)n;
		if (offset == 0)
			charset_detect_bytes(block, (size_t)n, (uint64_t)n >= in->size_bytes, &charset);
		if (n == 0 || strcmp(charset.name, "US-ASCII") != 0)
			break;
		ascii = first_not_ascii(block, (size_t)n);
		if (ascii < (size_t)n) {
			r = detect_from(in, offset + ascii, block, &charset);
			break;
		}
		offset += (uint64_t)n;
		if (offset >= LOOK_MAX_BYTES)
			break;
	}
	if (r == 0)
		*ret_charset = charset;
	return r;
}

int charset_stream_init(struct charset_stream *stream, struct extract_input *in, const struct charset *charset)
{
	int r = 0;

	stream->in = in;
	stream->offset = charset->bom_bytes;
	stream->is_plain = charset->is_utf8;
	stream->converter = (iconv_t)-1;
	stream->raw_used = stream->raw_length = 0;
	stream->has_errors = charset->has_errors;
	memset(stream->letters, 0, sizeof(stream->letters));
	if (stream->is_plain)
		return 0;
	stream->converter = iconv_open("UTF-8", charset->name);
	if (stream->converter == (iconv_t)-1) {
		r = -EINVAL;
		stream->converter = iconv_open("UTF-8", fallback);
	}
	return r;
}

void charset_stream_release(struct charset_stream *stream)
{
	if (stream->converter != (iconv_t)-1)
		iconv_close(stream->converter);
	stream->converter = (iconv_t)-1;
}

static ssize_t read_raw(struct charset_stream *stream, char *buffer, size_t size)
{
	long n = input_read(stream->in, buffer, size, stream->offset);

	if (n <= 0)
		return n;
	letters_count(buffer, (size_t)n, stream->letters);
	stream->offset += (uint64_t)n;
	return n;
}

/* Moves the rest of a cut character to the front and reads behind it. */
static ssize_t refill(struct charset_stream *stream)
{
	size_t left = stream->raw_length - stream->raw_used;
	ssize_t n;

	memmove(stream->raw, stream->raw + stream->raw_used, left);
	stream->raw_used = 0;
	stream->raw_length = left;
	n = read_raw(stream, stream->raw + left, sizeof(stream->raw) - left);
	if (n > 0)
		stream->raw_length += (size_t)n;
	return n;
}

/* What iconv would not take: one byte becomes U+FFFD. */
static void replace_byte(struct charset_stream *stream, char **out, size_t *room)
{
	memcpy(*out, "\xEF\xBF\xBD", 3);
	*out += 3;
	*room -= 3;
	stream->raw_used++;
	stream->has_errors = true;
}

static ssize_t convert(struct charset_stream *stream, char *buffer, size_t size)
{
	char *out = buffer;
	size_t room = size;

	if (stream->converter == (iconv_t)-1)
		return -EINVAL;
	while (out == buffer) {
		char *in = stream->raw + stream->raw_used;
		size_t left = stream->raw_length - stream->raw_used;
		bool is_cut = false;

		if (left > 0) {
			size_t r = iconv(stream->converter, &in, &left, &out, &room);
			int error = errno;

			stream->raw_used = (size_t)(in - stream->raw);
			if (r == (size_t)-1 && error == EILSEQ && room >= 3)
				replace_byte(stream, &out, &room);
			is_cut = r == (size_t)-1 && error == EINVAL;
		}
		if (out == buffer && (left == 0 || is_cut)) {
			ssize_t n = refill(stream);

			if (n < 0)
				return n;
			if (n == 0 && !is_cut)
				return 0;
			if (n == 0) /* the file ends inside a character */
				replace_byte(stream, &out, &room);
		}
	}
	return out - buffer;
}

ssize_t charset_stream_read(void *context, char *buffer, size_t size)
{
	struct charset_stream *stream = context;

	return stream->is_plain ? read_raw(stream, buffer, size) : convert(stream, buffer, size);
}

int charset_convert(const char *name, const char *bytes, size_t length, struct buf *ret_text)
{
	iconv_t converter = iconv_open("UTF-8", name);
	int status = 0;
	char *in = (char *)(uintptr_t)bytes;

	if (converter == (iconv_t)-1) {
		status = -EINVAL;
		converter = iconv_open("UTF-8", fallback);
	}
	if (converter == (iconv_t)-1)
		return -ENOSYS;
	while (length > 0) {
		char block[1024], *out = block;
		size_t room = sizeof(block), r = iconv(converter, &in, &length, &out, &room);

		buf_append(ret_text, block, (size_t)(out - block));
		if (r == (size_t)-1 && errno != E2BIG && length > 0) {
			buf_puts(ret_text, "\xEF\xBF\xBD");
			in++;
			length--;
		}
	}
	iconv_close(converter);
	return buf_error(ret_text) < 0 ? buf_error(ret_text) : status;
}
