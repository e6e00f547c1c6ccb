/* The text of a file on its way through a sink: made valid, bounded, sent in frames page by page. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "extractd/worker/sink_output.h"
#include "shared/base/text.h"

enum { SEND_AT_BYTES = 64 << 10, LINE_MAX_BYTES = 4096 };

static const char replacement[] = "\xEF\xBF\xBD";

/* Sends what is not sent yet, in frames that end at a character. */
static int send_text(struct sink *top)
{
	while (top->sent_bytes < top->text.length) {
		size_t length = utf8_cut(top->text.data + top->sent_bytes, top->text.length - top->sent_bytes,
					 FRAME_PAYLOAD_MAX);
		int r = sink_put(top, FRAME_TEXT, top->text.data + top->sent_bytes, length);

		if (r < 0)
			return r;
		top->sent_bytes += length;
	}
	return 0;
}

static int accept_valid(struct sink *top, const char *bytes, size_t length)
{
	size_t room = top->budget->limits.text_bytes - top->text.length;
	size_t taken = length <= room ? length : utf8_cut(bytes, length, room);

	if (buf_append(&top->text, bytes, taken) < 0)
		return top->error = -ENOMEM;
	if (taken < length) {
		top->is_text_full = true;
		sink_warning(top, "the text is longer than the limit of %llu bytes, the rest is left out",
			     (unsigned long long)top->budget->limits.text_bytes);
		return 1;
	}
	return 0;
}

/* How many bytes the character that starts with this one has; 0 when none starts so. */
static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead < 0xE0)
		return 2;
	if (lead >= 0xE0 && lead < 0xF0)
		return 3;
	return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/* True when the bytes may be the beginning of a character that is not all here yet. */
static bool is_cut_character(const char *bytes, size_t length)
{
	if (length == 0 || length >= sequence_length((unsigned char)*bytes))
		return false;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)bytes[i] & 0xC0) != 0x80)
			return false;
	return true;
}

/* What one replacement character stands for: a lead byte with the continuations that it could have had. */
static size_t broken_length(const char *bytes, size_t length, size_t wanted)
{
	size_t step = 1;

	while (step < wanted && step < length && ((unsigned char)bytes[step] & 0xC0) == 0x80)
		step++;
	return step;
}

/* One character, valid or not; what is cut at the end waits. Returns the bytes used. */
static size_t accept_character(struct sink *top, const char *bytes, size_t length, int *ret_status)
{
	size_t wanted = sequence_length((unsigned char)*bytes);

	*ret_status = 0;
	if (*bytes == '\0')
		return 1;
	if (wanted > 0 && wanted <= length && utf8_is_valid(bytes, wanted)) {
		*ret_status = accept_valid(top, bytes, wanted);
		return wanted;
	}
	if (is_cut_character(bytes, length)) {
		memcpy(top->cut, bytes, length);
		top->cut_length = (unsigned)length;
		return length;
	}
	*ret_status = accept_valid(top, replacement, sizeof(replacement) - 1);
	return broken_length(bytes, length, wanted);
}

/* The careful way, for text with something wrong in it: stretches that are right go as a whole. */
static int accept_dirty(struct sink *top, const char *bytes, size_t length)
{
	int status = 0;

	while (length > 0 && status == 0) {
		size_t step = 0;

		while (step < length && (unsigned char)bytes[step] < 0x80 && bytes[step] != '\0')
			step++;
		if (step > 0)
			status = accept_valid(top, bytes, step);
		else
			step = accept_character(top, bytes, length, &status);
		bytes += step;
		length -= step;
	}
	return status;
}

/* The held-back beginning of a character with enough of what follows to decide it. */
static int accept_cut(struct sink *top, const char **bytes, size_t *length)
{
	char joined[8];
	size_t more = *length < 4 ? *length : 4, held = top->cut_length;
	size_t wanted = sequence_length((unsigned char)top->cut[0]);

	if (more > wanted - held)
		more = wanted - held;
	memcpy(joined, top->cut, held);
	memcpy(joined + held, *bytes, more);
	*bytes += more;
	*length -= more;
	top->cut_length = 0;
	return accept_dirty(top, joined, held + more);
}

int sink_text(struct sink *sink, const char *bytes, size_t length)
{
	struct sink *top = sink->top;
	int status = 0;

	if (top->error < 0)
		return top->error;
	if (top->is_text_full)
		return 1;
	if (length == 0)
		return 0;
	while (status == 0 && length > 0 && top->cut_length > 0)
		status = accept_cut(top, &bytes, &length);
	if (status == 0 && length > 0) {
		if (!memchr(bytes, '\0', length) && utf8_is_valid(bytes, length))
			status = accept_valid(top, bytes, length);
		else
			status = accept_dirty(top, bytes, length);
	}
	if (status < 0)
		return status;
	if (top->text.length - top->sent_bytes >= SEND_AT_BYTES && send_text(top) < 0)
		return top->error;
	return sink_should_stop(sink) ? -ETIME : status;
}

int sink_puts(struct sink *sink, const char *text)
{
	return sink_text(sink, text, strlen(text));
}

int sink_printf(struct sink *sink, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length < 0)
		return -EINVAL;
	return sink_text(sink, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

/* A character whose end never came is one that is wrong. */
static int end_cut(struct sink *top)
{
	if (top->cut_length == 0)
		return 0;
	top->cut_length = 0;
	return accept_valid(top, replacement, sizeof(replacement) - 1);
}

int sink_flush(struct sink *sink)
{
	int r = end_cut(sink->top);

	return r < 0 ? r : send_text(sink->top);
}

int sink_page(struct sink *sink)
{
	int r = sink_flush(sink);

	if (r < 0)
		return r;
	if (sink_should_stop(sink))
		return -ETIME;
	if (sink != sink->top) /* the pages of an attachment are none of the mail */
		return sink->top->text.length > 0 ? sink_text(sink, "\n", 1) : 0;
	if (sink->pages >= sink->budget->limits.pages) {
		sink_warning(sink, "only the first %u pages were read", sink->budget->limits.pages);
		return 1;
	}
	sink->pages++;
	return sink_put(sink, FRAME_PAGE, NULL, 0);
}

uint64_t sink_text_offset(const struct sink *sink)
{
	return sink->top->text.length;
}
