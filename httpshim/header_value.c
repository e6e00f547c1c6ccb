#include "httpshim/header_value.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "httpshim/query.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

static const char blanks[] = " \t";

static bool is_token_byte(char byte)
{
	static const char separators[] = "()<>@,;:\\\"/[]?={} \t";

	return byte > 0x20 && byte < 0x7F && !strchr(separators, byte);
}

bool header_value_is(const char *value, const char *word)
{
	size_t length;

	value += strspn(value, blanks);
	length = strcspn(value, ";");
	while (length > 0 && strchr(blanks, value[length - 1]))
		length--;
	return length == strlen(word) && strncasecmp(value, word, length) == 0;
}

static bool put_byte(struct header_parameter *parameter, char byte)
{
	if (parameter->value_length + 1 >= sizeof(parameter->value))
		return false;
	parameter->value[parameter->value_length++] = byte;
	return true;
}

/*
 * Behind the opening quote. Only \" and \\ are escapes: other backslashes are what an old browser sent as part of a path, and
 * dropping them would change the name.
 */
static int take_quoted(const char **cursor, struct header_parameter *parameter)
{
	const char *at = *cursor;

	for (; *at && *at != '"'; at++) {
		if (at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		if (!put_byte(parameter, *at))
			return -EINVAL;
	}
	if (*at != '"')
		return -EINVAL;
	*cursor = at + 1;
	return 0;
}

static int take_plain(const char **cursor, struct header_parameter *parameter)
{
	const char *at = *cursor;

	/* More than a token: senders leave boundaries with / or = and names in UTF-8 unquoted. */
	for (; *at && *at != ';' && *at != '"' && !strchr(blanks, *at); at++) {
		if (!put_byte(parameter, *at))
			return -EINVAL;
	}
	if (*at == '"')
		return -EINVAL;
	*cursor = at;
	return parameter->value_length > 0 ? 0 : -EINVAL;
}

int header_parameter_next(const char **cursor, struct header_parameter *ret_parameter)
{
	const char *at = *cursor;
	size_t length = 0;
	int r;

	/* From the front of the value: over its first word. Later: over blanks, to the next ; or the end. */
	at += strcspn(at, ";");
	while (*at == ';' || strchr(blanks, *at)) {
		if (*at == '\0')
			break;
		at++;
	}
	*cursor = at;
	if (*at == '\0')
		return 0;
	while (is_token_byte(at[length]))
		length++;
	if (length == 0 || length >= sizeof(ret_parameter->name) || at[length] != '=')
		return -EINVAL;
	memcpy(ret_parameter->name, at, length);
	ret_parameter->name[length] = '\0';
	ret_parameter->value_length = 0;
	at += length + 1;
	if (*at == '"') {
		at++;
		r = take_quoted(&at, ret_parameter);
	} else {
		r = take_plain(&at, ret_parameter);
	}
	at += r < 0 ? 0 : strspn(at, blanks);
	if (r < 0 || (*at != '\0' && *at != ';'))
		return -EINVAL;
	ret_parameter->value[ret_parameter->value_length] = '\0';
	*cursor = at;
	return 1;
}

int header_extended_decode(const char *value, char *ret_text, size_t size)
{
	const char *quote;

	if (strncasecmp(value, "UTF-8'", 6) != 0)
		return -EINVAL;
	quote = strchr(value + 6, '\'');
	if (!quote)
		return -EINVAL;
	quote++;
	return query_decode_segment(quote, strlen(quote), ret_text, size);
}

int header_put_disposition(struct buf *buf, bool is_inline, const char *file_name, size_t length)
{
	buf_puts(buf, is_inline ? "inline; filename=\"" : "attachment; filename=\"");
	/* Printable ASCII as it is; what could end the quotes or the header, and all else, becomes an underscore. */
	for (size_t i = 0; i < length; i++) {
		char byte = file_name[i];
		bool is_plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '%';

		buf_putc(buf, is_plain ? byte : '_');
	}
	buf_puts(buf, "\"; filename*=UTF-8''");
	if (utf8_is_valid(file_name, length))
		return query_put_escaped(buf, file_name, length);
	for (size_t i = 0; i < length; i++)
		query_put_escaped(buf, (unsigned char)file_name[i] < 0x80 ? &file_name[i] : "_", 1);
	return buf_error(buf);
}

/* Whether an element of an Accept list, "type/sub;q=0.5", has the weight 0, which means "not this". */
static bool has_zero_weight(const char *element, size_t length)
{
	for (const char *at = element; (at = memchr(at, ';', (size_t)(element + length - at)));) {
		at++;
		at += strspn(at, blanks);
		if (at + 2 < element + length && (at[0] == 'q' || at[0] == 'Q') && at[1] == '=') {
			at += 2 + strspn(at + 2, "0.");
			return at >= element + length || *at < '1' || *at > '9';
		}
	}
	return false;
}

bool header_accepts(const char *accept, const char *type)
{
	size_t type_length = strlen(type);

	while (accept && *accept) {
		size_t length;

		accept += strspn(accept, " \t,");
		length = strcspn(accept, ",");
		if (length >= type_length && strncasecmp(accept, type, type_length) == 0 &&
		    (accept[type_length] == '\0' || strchr(" \t;,", accept[type_length])))
			return !has_zero_weight(accept, length);
		accept += length;
	}
	return false;
}
