#include "shared/validate/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "shared/base/text.h"

enum { NAME_SHOWN_SIZE = 121, NAME_SHOWN_HALF = 56, WORDS_SIZE = 512 };

/* The bytes of the UTF-8 character at bytes, 0 when there is none that could be shown. */
static size_t shown_character(const char *bytes, size_t length)
{
	unsigned char c = (unsigned char)bytes[0];
	size_t need = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0x20 || c == 0x7f || need > length || !utf8_is_valid(bytes, need))
		return 0;
	if (need == 2 && c == 0xc2 && (unsigned char)bytes[1] < 0xa0) /* C1 control characters */
		return 0;
	return need;
}

/* Appends as many whole characters as fit; the count of bytes of name taken. */
static size_t show(const char *name, size_t length, char *text, size_t *used, size_t size)
{
	size_t taken = 0;

	while (taken < length) {
		size_t n = shown_character(name + taken, length - taken);

		if (*used + (n ? n : 4) >= size)
			break;
		if (n > 0) {
			memcpy(text + *used, name + taken, n);
			*used += n;
			taken += n;
		} else {
			*used += (size_t)snprintf(text + *used, size - *used, "\\x%02X", (unsigned char)name[taken]);
			taken++;
		}
	}
	text[*used] = '\0';
	return taken;
}

/* The end of the name matters most: that is where the extension stands. */
static void show_name(const char *name, size_t length, char text[NAME_SHOWN_SIZE])
{
	size_t used = 0, end;

	if (show(name, length, text, &used, NAME_SHOWN_SIZE) == length)
		return;
	used = 0;
	show(name, length, text, &used, NAME_SHOWN_HALF);
	end = length - NAME_SHOWN_HALF / 4;
	while (end < length && ((unsigned char)name[end] & 0xc0) == 0x80)
		end++;
	memcpy(text + used, "…", sizeof("…"));
	used += sizeof("…") - 1;
	show(name + end, length - end, text, &used, NAME_SHOWN_SIZE);
}

void verdict_refuse(struct verdict *verdict, int error, const char *rule, const char *name, size_t name_length,
		    const char *format, ...)
{
	char shown[NAME_SHOWN_SIZE] = "", words[WORDS_SIZE];
	va_list arguments;
	size_t used = 0, length;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	if (name)
		show_name(name, name_length, shown);
	show(shown, strlen(shown), verdict->reason, &used, sizeof(verdict->reason) - 1);
	if (name && used + 1 < sizeof(verdict->reason) - 1)
		verdict->reason[used++] = ' ';
	/* The words may quote an entry's name, or a library that ends its lines. */
	length = strlen(words);
	while (length > 0 && (words[length - 1] == '\n' || words[length - 1] == ' ' || words[length - 1] == '.'))
		length--;
	show(words, length, verdict->reason, &used, sizeof(verdict->reason) - 1);
	memcpy(verdict->reason + used, ".", sizeof("."));
	verdict->error = error;
	verdict->rule = rule;
}

void verdict_fail(struct verdict *verdict, int error, const char *what)
{
	verdict->error = error;
	verdict->rule = NULL;
	snprintf(verdict->reason, sizeof(verdict->reason), "%s: %s.", what, strerrordesc_np(-error));
}

void verdict_set_media_type(struct verdict *verdict, const char *media_type)
{
	snprintf(verdict->media_type, sizeof(verdict->media_type), "%s", media_type);
}
