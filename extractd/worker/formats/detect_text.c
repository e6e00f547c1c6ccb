/* Which kind of text a text is. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "extractd/worker/formats/charset.h"
#include "extractd/worker/formats/csv_reader.h"
#include "extractd/worker/formats/detect.h"
#include "extractd/worker/formats/json_reader.h"

enum { MAIL_LINES_MAX = 60, CSV_ROWS_MIN = 3 };

/* --- is it text at all --- */

/* Bytes that no text has; a few are forgiven, as in logs. */
static bool has_text_bytes(const char *text, size_t length)
{
	size_t odd = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0)
			return false;
		odd += c < 0x20 && (c < '\b' || c > '\r') && c != 0x1B;
	}
	return odd * 500 <= length;
}

/* --- markup --- */

static bool is_tag(const char *at, size_t left, const char *name)
{
	size_t length = strlen(name);

	return left > length && strncasecmp(at, name, length) == 0 &&
	       (isspace((unsigned char)at[length]) || at[length] == '>' || at[length] == '/' || at[length] == ':');
}

static bool is_html_tag(const char *at, size_t left)
{
	static const char *const tags[] = {"!doctype html",
					   "html",
					   "head",
					   "body",
					   "title",
					   "meta",
					   "link",
					   "script",
					   "style",
					   "div",
					   "table",
					   "p",
					   "h1",
					   "h2",
					   "h3",
					   "ul",
					   "ol",
					   "a",
					   "br",
					   "img",
					   "font",
					   "center",
					   "span",
					   "pre",
					   "section",
					   "article",
					   "main",
					   "nav",
					   "form",
					   "iframe",
					   "b",
					   "i"};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (is_tag(at, left, tags[i]))
			return true;
	return false;
}

/* At a <: behind the comment, declaration or processing instruction that begins here; NULL when it is an element. */
static const char *skip_markup(const char *at, const char *end)
{
	const char *close;

	if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
		close = memmem(at + 4, (size_t)(end - at) - 4, "-->", 3);
		return close ? close + 3 : end;
	}
	if (end - at < 2 || (at[1] != '?' && at[1] != '!'))
		return NULL;
	if (is_html_tag(at + 1, (size_t)(end - at) - 1))
		return NULL;
	close = memchr(at, '>', (size_t)(end - at));
	return close ? close + 1 : end;
}

static const char *by_root(const char *name, size_t left)
{
	if (is_tag(name, left, "html"))
		return "application/xhtml+xml";
	if (is_tag(name, left, "svg"))
		return "image/svg+xml";
	return "text/xml";
}

/* Text that begins with <. */
static const char *markup_type(const struct detect_head *head, const char *at, const char *end)
{
	bool is_xml = end - at > 6 && memcmp(at, "<?xml", 5) == 0;
	const char *next;

	while (at < end && *at == '<' && (next = skip_markup(at, end)) != NULL) {
		at = next;
		while (at < end && isspace((unsigned char)*at))
			at++;
	}
	if (at >= end || *at != '<')
		return is_xml ? "text/xml" : NULL;
	at++;
	if (is_xml)
		return is_tag(at, (size_t)(end - at), "!doctype html") ? "application/xhtml+xml"
								       : by_root(at, (size_t)(end - at));
	if (is_html_tag(at, (size_t)(end - at)) && strcmp(head->extension, "xml") != 0)
		return "text/html";
	if (!isalpha((unsigned char)*at) && *at != '_')
		return NULL;
	if (strcmp(head->extension, "xml") == 0)
		return by_root(at, (size_t)(end - at));
	if (memmem(at, (size_t)(end - at), "</", 2) || memmem(at, (size_t)(end - at), "/>", 2))
		return strncmp(head->extension, "htm", 3) == 0 ? "text/html" : by_root(at, (size_t)(end - at));
	return NULL;
}

/* --- JSON --- */

/* 1: a whole value; 0: right as far as it goes, which is the end; -1: not JSON. */
static int try_json(const char *text, size_t length)
{
	struct json_reader reader;
	enum json_event event;
	int r;

	json_reader_init(&reader, text, length);
	while ((r = json_reader_next(&reader, &event)) > 0)
		;
	if (r < 0)
		r = r == -E2BIG || reader.at == reader.end ? 0 : -1;
	else
		r = 1;
	json_reader_release(&reader);
	return r;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return true;
}

bool detect_is_json(const char *text, size_t length, bool is_whole, bool *ret_is_lines)
{
	const char *newline = memchr(text, '\n', length);
	size_t first = newline ? (size_t)(newline - text) : length;
	int whole;

	*ret_is_lines = false;
	/* A value that ends with its line, and more behind it: lines. */
	if (newline && try_json(text, first) == 1 && !is_blank(newline, length - first)) {
		const char *second = newline + 1, *end = memchr(second, '\n', length - first - 1);

		*ret_is_lines = try_json(second, end ? (size_t)(end - second) : length - first - 1) >= (end ? 1 : 0) ||
				is_blank(second, end ? (size_t)(end - second) : 0);
		return *ret_is_lines;
	}
	whole = try_json(text, length);
	return whole == 1 || (whole == 0 && !is_whole);
}

static const char *json_type(const struct detect_head *head, const char *text, size_t length)
{
	bool is_lines, is_named = strcmp(head->extension, "json") == 0 || strcmp(head->extension, "geojson") == 0;

	if (strcmp(head->extension, "jsonl") == 0 || strcmp(head->extension, "ndjson") == 0)
		return "application/x-ndjson";
	if (length > 0 && (*text == '{' || *text == '[' || is_named) &&
	    detect_is_json(text, length, head->is_whole, &is_lines))
		return is_lines ? "application/x-ndjson" : "application/json";
	return is_named ? "application/json" : NULL;
}

/* --- mail --- */

static bool is_mail_field(const char *line, size_t length)
{
	static const char *const fields[] = {
		"From:",	"To:",		 "Subject:",	  "Date:",     "Received:", "Message-ID:",
		"Return-Path:", "MIME-Version:", "Delivered-To:", "Reply-To:", "Cc:",	    "Content-Type:"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (length >= strlen(fields[i]) && strncasecmp(line, fields[i], strlen(fields[i])) == 0)
			return true;
	return false;
}

/* Name: value, or the continuation of a line. */
static bool is_field_line(const char *line, size_t length)
{
	size_t i = 0;

	if (length > 0 && (*line == ' ' || *line == '\t'))
		return true;
	while (i < length && line[i] > ' ' && line[i] < 0x7F && line[i] != ':')
		i++;
	return i > 0 && i < length && line[i] == ':';
}

/* A head of fields, three of them known or the head ended by an empty line with two. */
static bool is_mail(const char *text, size_t length)
{
	const char *at = text, *end = text + length;
	unsigned known = 0;

	for (unsigned lines = 0; at < end && lines < MAIL_LINES_MAX; lines++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)((newline ? newline : end) - at);

		if (line > 0 && at[line - 1] == '\r')
			line--;
		if (line == 0)
			return known >= 2;
		if (!is_field_line(at, line))
			return false;
		known += is_mail_field(at, line);
		if (!newline)
			break;
		at = newline + 1;
	}
	return known >= 3;
}

static const char *mail_type(const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);

	if (length > 5 && memcmp(text, "From ", 5) == 0 && newline &&
	    is_mail(newline + 1, length - (size_t)(newline + 1 - text)))
		return "application/mbox";
	return is_mail(text, length) ? "message/rfc822" : NULL;
}

/* --- the rest --- */

static const char *by_name(const struct detect_head *head)
{
	static const struct {
		const char *extension, *media_type;
	} known[] = {
		{"csv", "text/csv"},
		{"tsv", "text/tab-separated-values"},
		{"tab", "text/tab-separated-values"},
		{"md", "text/markdown"},
		{"markdown", "text/markdown"},
		{"c", "text/x-c"},
		{"h", "text/x-c"},
		{"cpp", "text/x-c++"},
		{"py", "text/x-python"},
		{"js", "text/javascript"},
		{"css", "text/css"},
		{"sh", "text/x-shellscript"},
		{"sql", "text/x-sql"},
		{"java", "text/x-java"},
		{"rs", "text/x-rust"},
		{"go", "text/x-go"},
		{"yaml", "text/x-yaml"},
		{"yml", "text/x-yaml"},
		{"toml", "text/x-toml"},
		{"tex", "text/x-tex"},
		{"ini", "text/x-ini"},
		{"log", "text/x-log"},
		{"diff", "text/x-diff"},
		{"patch", "text/x-diff"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(head->extension, known[i].extension) == 0)
			return known[i].media_type;
	return NULL;
}

/* Rows of equal width without a name that says so: only where every row agrees. */
static const char *table_type(const struct detect_head *head, const char *text, size_t length)
{
	struct csv_dialect dialect;
	size_t lines = 0;

	if (*head->extension && strcmp(head->extension, "txt") != 0 && strcmp(head->extension, "dat") != 0)
		return NULL;
	for (const char *at = text; lines < CSV_ROWS_MIN && (at = memchr(at, '\n', length - (size_t)(at - text))); at++)
		lines++;
	if (lines < CSV_ROWS_MIN || csv_dialect_guess(text, length, head->is_whole, &dialect) < 1)
		return NULL;
	return dialect.delimiter == '\t' ? "text/tab-separated-values" : "text/csv";
}

static const char *by_first_bytes(const char *text, size_t length)
{
	static const struct {
		const char *bytes, *media_type;
	} known[] = {
		{"{\\rtf", "text/rtf"},
		{"BEGIN:VCALENDAR", "text/calendar"},
		{"BEGIN:VCARD", "text/vcard"},
		{"#!/usr/bin/env python", "text/x-python"},
		{"#!/usr/bin/python", "text/x-python"},
		{"#!", "text/x-shellscript"},
		{"%!PS", "application/postscript"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (length >= strlen(known[i].bytes) && memcmp(text, known[i].bytes, strlen(known[i].bytes)) == 0)
			return known[i].media_type;
	return NULL;
}

static const char *classify(const struct detect_head *head, const char *text, size_t length)
{
	const char *begin = text, *found = by_first_bytes(text, length);
	size_t left;

	if (found)
		return found;
	while (begin < text + length && isspace((unsigned char)*begin))
		begin++;
	left = length - (size_t)(begin - text);
	if (left > 0 && *begin == '<')
		found = markup_type(head, begin, begin + left);
	if (!found)
		found = json_type(head, begin, left);
	if (!found)
		found = mail_type(text, length);
	if (!found)
		found = by_name(head);
	if (!found && left > 0)
		found = table_type(head, text, length);
	return found ? found : "text/plain";
}

const char *detect_text(const struct detect_head *head)
{
	autobuf struct buf converted = BUF_INIT(4UL * DETECT_HEAD_BYTES);
	struct charset charset;

	/* What holds zero bytes is text only as UTF-16 or UTF-32. */
	if (!has_text_bytes(head->bytes, head->length)) {
		size_t length = head->length & ~(size_t)3;

		if (!memchr(head->bytes, '\0', head->length))
			return NULL;
		charset_detect_bytes(head->bytes, length, false, &charset);
		if (strncmp(charset.name, "UTF-16", 6) != 0 && strncmp(charset.name, "UTF-32", 6) != 0)
			return NULL;
		charset_convert(charset.name, head->bytes + charset.bom_bytes, length - charset.bom_bytes, &converted);
		if (buf_error(&converted) < 0 || !has_text_bytes(converted.data, converted.length))
			return NULL;
		return classify(head, converted.data, converted.length);
	}
	if (head->length >= 3 && memcmp(head->bytes, "\xEF\xBB\xBF", 3) == 0)
		return classify(head, head->bytes + 3, head->length - 3);
	return classify(head, head->bytes, head->length);
}
