/*
 * Text, and what kind of it. Bytes without control characters are text in whatever encoding; the kind is told by how it
 * begins, never by rules that search, so that a hostile text costs no more than another.
 */
#include <string.h>
#include <strings.h>
#include "shared/base/text.h"
#include "shared/validate/content_type.h"

enum { CSV_LINES_MAX = 16, CSV_LINES_MIN = 3, HEADER_LINES_MAX = 32 };

struct text {
	const char *bytes;
	size_t length;
	bool is_whole;
};

static bool is_control(unsigned char c)
{
	/* BEL to CR and ESC occur in text (libmagic thinks so too). */
	return (c < 0x20 && !(c >= 7 && c <= 13) && c != 0x1b) || c == 0x7f;
}

static bool has_control(const char *bytes, size_t length)
{
	unsigned found = 0;

	for (size_t i = 0; i < length; i++)
		found |= is_control((unsigned char)bytes[i]);
	return found != 0;
}

static bool begins(const struct text *text, const char *with)
{
	size_t length = strlen(with);

	return text->length >= length && strncasecmp(text->bytes, with, length) == 0;
}

static void skip(struct text *text, size_t count)
{
	text->bytes += count;
	text->length -= count;
}

static void skip_blanks(struct text *text)
{
	while (text->length > 0 && strchr(" \t\r\n\f", text->bytes[0]))
		skip(text, 1);
}

/* --- markup ---------------------------------------------------------------------------------------------------------
 */

/* Behind comments, processing instructions and the document type; false when the text ends within one. */
static bool skip_prolog(struct text *text)
{
	for (;;) {
		const char *end;
		bool is_comment = begins(text, "<!--");

		if (!is_comment && !begins(text, "<?") && !begins(text, "<!"))
			return true;
		end = is_comment ? memmem(text->bytes, text->length, "-->", 3) : memchr(text->bytes, '>', text->length);
		if (!end)
			return false;
		skip(text, (size_t)(end - text->bytes) + (is_comment ? 3 : 1));
		skip_blanks(text);
	}
}

/* An element of that name begins here: "<svg" followed by what ends a name. */
static bool begins_element(const struct text *text, const char *name)
{
	size_t length = strlen(name);

	return text->length > length + 1 && text->bytes[0] == '<' && strncasecmp(text->bytes + 1, name, length) == 0 &&
	       strchr(" \t\r\n/>", text->bytes[length + 1]);
}

static bool is_html(const struct text *text)
{
	static const char *const elements[] = {"html", "head", "body", "title", "meta",	  "script", "style",  "table",
					       "div",  "p",    "h1",   "h2",	"h3",	  "span",   "a",      "ul",
					       "ol",   "br",   "img",  "font",	"center", "form",   "iframe", "base"};

	if (begins(text, "<!doctype html"))
		return true;
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		if (begins_element(text, elements[i]))
			return true;
	}
	return false;
}

static const char *markup_type(struct text text)
{
	bool is_xml = begins(&text, "<?xml"), has_root;

	has_root = begins(&text, "<!doctype html") || skip_prolog(&text);
	if (has_root && begins_element(&text, "svg"))
		return "image/svg+xml";
	if (is_xml)
		return has_root && begins_element(&text, "html") ? "application/xhtml+xml" : "text/xml";
	return has_root && is_html(&text) ? "text/html" : NULL;
}

/* --- mail -----------------------------------------------------------------------------------------------------------
 */

/* The line at text and its length without the end; what follows becomes text. */
static const char *take_line(struct text *text, size_t *ret_length)
{
	const char *line = text->bytes, *end = memchr(line, '\n', text->length);
	size_t length = end ? (size_t)(end - line) : text->length;

	skip(text, end ? length + 1 : length);
	if (length > 0 && line[length - 1] == '\r')
		length--;
	*ret_length = length;
	return line;
}

static bool is_header(const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);

	if (!colon || colon == line)
		return false;
	for (const char *c = line; c < colon; c++) {
		if (*c <= ' ' || *c > '~')
			return false;
	}
	return true;
}

static bool is_mail_header(const char *line, size_t length)
{
	static const char *const names[] = {
		"from:",	   "to:",	  "date:",  "subject:",	     "received:",
		"return-path:",	   "message-id:", "cc:",    "mime-version:", "delivered-to:",
		"dkim-signature:", "reply-to:",	  "sender:"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (length >= n && strncasecmp(line, names[i], n) == 0)
			return true;
	}
	return false;
}

/* Headers from the first line on, three of them of those that every mail has. */
static bool is_mail(struct text text)
{
	unsigned known = 0;

	for (unsigned i = 0; i < HEADER_LINES_MAX && text.length > 0; i++) {
		size_t length;
		const char *line = take_line(&text, &length);

		if (length == 0)
			break;
		if (i > 0 && (line[0] == ' ' || line[0] == '\t'))
			continue;
		if (!is_header(line, length))
			return false;
		known += is_mail_header(line, length);
	}
	return known >= 3;
}

static bool is_mailbox(struct text text)
{
	size_t length;
	const char *line = take_line(&text, &length);

	return length > 10 && memcmp(line, "From ", 5) == 0 && memchr(line, ':', length) && is_mail(text);
}

/* --- tables ---------------------------------------------------------------------------------------------------------
 */

static unsigned count_delimiters(const char *line, size_t length, char delimiter)
{
	unsigned count = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < length; i++) {
		is_quoted ^= line[i] == '"';
		count += !is_quoted && line[i] == delimiter;
	}
	return count;
}

/* The same number of fields, two at least, in each of the first lines, and three lines or three fields. */
static bool is_table(struct text text, char delimiter)
{
	unsigned fields = 0, lines = 0;

	for (; lines < CSV_LINES_MAX && text.length > 0; lines++) {
		bool is_cut = !text.is_whole && !memchr(text.bytes, '\n', text.length);
		size_t length;
		const char *line = take_line(&text, &length);
		unsigned count = count_delimiters(line, length, delimiter);

		if (is_cut)
			break;
		if (count == 0 || (lines > 0 && count != fields))
			return false;
		fields = count;
	}
	return lines >= CSV_LINES_MIN || (lines == 2 && fields >= 2);
}

static const char *table_type(const struct text *text)
{
	if (is_table(*text, '\t'))
		return "text/tab-separated-values";
	return is_table(*text, ',') || is_table(*text, ';') || is_table(*text, '|') ? "text/csv" : NULL;
}

/* --- scripts and the rest -------------------------------------------------------------------------------------------
 */

static const char *script_type(struct text text)
{
	static const struct {
		const char *word, *type;
	} interpreters[] = {
		{"python", "text/x-python"}, {"perl", "text/x-perl"},	  {"ruby", "text/x-ruby"},
		{"php", "text/x-php"},	     {"node", "text/javascript"}, {"sh", "text/x-shellscript"},
	};
	size_t length;
	const char *line = take_line(&text, &length);

	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		if (memmem(line, length, interpreters[i].word, strlen(interpreters[i].word)))
			return interpreters[i].type;
	}
	return "text/plain";
}

static const char *kind_of_text(struct text text)
{
	bool is_lines;
	const char *type;

	if (begins(&text, "#!"))
		return script_type(text);
	if (begins(&text, "BEGIN:VCARD"))
		return "text/vcard";
	if (begins(&text, "BEGIN:VCALENDAR"))
		return "text/calendar";
	if (is_mailbox(text))
		return "application/mbox";
	if (is_mail(text))
		return "message/rfc822";
	skip_blanks(&text);
	if (text.length > 0 && text.bytes[0] == '<') {
		type = markup_type(text);
		return type ? type : "text/plain";
	}
	if (text.length > 0 && (text.bytes[0] == '{' || text.bytes[0] == '[') &&
	    json_prefix(text.bytes, text.length, text.is_whole, &is_lines))
		return is_lines ? "application/x-ndjson" : "application/json";
	type = table_type(&text);
	return type ? type : "text/plain";
}

const char *text_type(const char *head, size_t length, bool is_whole)
{
	struct text text = {head, length, is_whole};

	if (length >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0))
		return length % 2 == 0 || !is_whole ? "text/plain" : NULL; /* UTF-16, UTF-32 */
	if (begins(&text, "\xef\xbb\xbf"))
		skip(&text, 3);
	if (text.length == 0)
		return "text/plain";
	return has_control(text.bytes, text.length) ? NULL : kind_of_text(text);
}
