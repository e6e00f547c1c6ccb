/* Whether a text may be the beginning of JSON: the grammar alone, one pass, no memory. For telling types apart, not for
 * judging. */
#include <string.h>
#include "shared/validate/content_type.h"

enum { DEPTH_KNOWN = 64 /* deeper nesting is JSON enough */ };

enum expect { EXPECT_VALUE, EXPECT_VALUE_OR_END, EXPECT_KEY, EXPECT_KEY_OR_END, EXPECT_COLON, EXPECT_COMMA_OR_END };

struct reader {
	const char *text;
	size_t length, at;
	bool is_whole;
	uint64_t is_object; /* a bit a level */
	unsigned depth;
	enum expect expect;
};

/* True when the string ended or the text did. */
static bool skip_string(struct reader *reader)
{
	for (reader->at++; reader->at < reader->length; reader->at++) {
		char c = reader->text[reader->at];

		if ((unsigned char)c < 0x20)
			return false;
		if (c == '\\')
			reader->at++;
		else if (c == '"') {
			reader->at++;
			return true;
		}
	}
	reader->at = reader->length;
	return !reader->is_whole;
}

static bool skip_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word), left = reader->length - reader->at;

	if (left < length && reader->is_whole)
		return false;
	if (memcmp(reader->text + reader->at, word, left < length ? left : length) != 0)
		return false;
	reader->at += left < length ? left : length;
	return true;
}

static bool skip_number(struct reader *reader)
{
	size_t begin = reader->at;

	while (reader->at < reader->length && strchr("-+.eE0123456789", reader->text[reader->at]) &&
	       reader->text[reader->at])
		reader->at++;
	return reader->at > begin;
}

static bool open_level(struct reader *reader, bool is_object)
{
	if (is_object)
		reader->is_object |= (uint64_t)1 << reader->depth;
	else
		reader->is_object &= ~((uint64_t)1 << reader->depth);
	reader->depth++;
	reader->at++;
	reader->expect = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	return true;
}

static bool in_object(const struct reader *reader)
{
	return reader->depth > 0 && (reader->is_object >> (reader->depth - 1)) & 1;
}

static bool close_level(struct reader *reader, bool is_object)
{
	if (reader->depth == 0 || in_object(reader) != is_object)
		return false;
	reader->depth--;
	reader->at++;
	reader->expect = EXPECT_COMMA_OR_END;
	return true;
}

static bool read_value(struct reader *reader, char c)
{
	if (c == '{' || c == '[')
		return open_level(reader, c == '{');
	reader->expect = EXPECT_COMMA_OR_END;
	if (c == '"')
		return skip_string(reader);
	if (c == 't')
		return skip_word(reader, "true");
	if (c == 'f')
		return skip_word(reader, "false");
	if (c == 'n')
		return skip_word(reader, "null");
	return (c == '-' || (c >= '0' && c <= '9')) && skip_number(reader);
}

static bool read_key(struct reader *reader, char c)
{
	reader->expect = EXPECT_COLON;
	return c == '"' && skip_string(reader);
}

static bool read_after_value(struct reader *reader, char c)
{
	if (c != ',')
		return close_level(reader, c == '}');
	reader->at++;
	reader->expect = in_object(reader) ? EXPECT_KEY : EXPECT_VALUE;
	return reader->depth > 0;
}

static bool read_token(struct reader *reader)
{
	char c = reader->text[reader->at];

	if (c != '}' && c != ']' && c != ',' && reader->expect == EXPECT_COMMA_OR_END)
		return false;
	switch (reader->expect) {
	case EXPECT_VALUE_OR_END:
		return c == ']' ? close_level(reader, false) : read_value(reader, c);
	case EXPECT_VALUE:
		return read_value(reader, c);
	case EXPECT_KEY_OR_END:
		return c == '}' ? close_level(reader, true) : read_key(reader, c);
	case EXPECT_KEY:
		return read_key(reader, c);
	case EXPECT_COLON:
		reader->at++;
		reader->expect = EXPECT_VALUE;
		return c == ':';
	case EXPECT_COMMA_OR_END:
		return read_after_value(reader, c);
	}
	return false;
}

/* True when a line ended. */
static bool skip_blanks(struct reader *reader)
{
	bool has_newline = false;

	while (reader->at < reader->length && strchr(" \t\r\n", reader->text[reader->at]) && reader->text[reader->at]) {
		has_newline |= reader->text[reader->at] == '\n';
		reader->at++;
	}
	return has_newline;
}

bool json_prefix(const char *text, size_t length, bool is_whole, bool *ret_is_lines)
{
	struct reader reader = {.text = text, .length = length, .is_whole = is_whole};
	unsigned values = 0;

	for (;;) {
		bool has_newline = skip_blanks(&reader);

		if (reader.at >= reader.length)
			break;
		if (reader.depth == 0 && (values > 0 ? !has_newline : false))
			return false;
		if (reader.depth == 0) {
			char c = text[reader.at];

			if (c != '{' && c != '[')
				return false;
			reader.expect = EXPECT_VALUE;
		}
		if (!read_token(&reader))
			return false;
		if (reader.depth >= DEPTH_KNOWN)
			break;
		values += reader.depth == 0;
	}
	*ret_is_lines = values > 1 || (values == 1 && reader.depth > 0);
	return is_whole ? values > 0 && (reader.depth == 0 || reader.depth >= DEPTH_KNOWN)
			: values > 0 || reader.depth > 0;
}
