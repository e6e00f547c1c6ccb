#include "httpshim/multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "httpshim/header_value.h"
#include "shared/base/text.h"

enum tail { TAIL_NONE, TAIL_BLANK, TAIL_DASH, TAIL_CR };
enum state { STATE_PREAMBLE, STATE_DELIMITED, STATE_HEADERS, STATE_BODY, STATE_EPILOGUE, STATE_FAILED };

struct multipart {
	enum state state;
	struct multipart_events events;
	void *context;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF - - boundary */
	size_t delimiter_length;
	/* How many bytes of the delimiter were seen at the end of what was fed; unsent of them are not the part's: the CR LF
	 * that ended its headers may also begin the delimiter of an empty part. */
	size_t matched, unsent;
	enum tail tail; /* what followed a delimiter so far */
	char line[MULTIPART_HEADER_BYTES + 1];
	size_t line_length, header_bytes;
	int header_count, part_count;
	size_t skipped; /* bytes of the preamble or the epilogue */
	bool has_disposition;
	struct multipart_part part;
	int error;
	const char *reason;
};

static int fail(struct multipart *multipart, int error, const char *reason)
{
	multipart->state = STATE_FAILED;
	multipart->error = error;
	multipart->reason = reason;
	return error;
}

static bool is_boundary(const char *text, size_t length)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";

	return length >= 1 && length <= MULTIPART_BOUNDARY_MAX && strspn(text, allowed) == length && text[length - 1] != ' ';
}

int multipart_boundary(const char *content_type, char ret_boundary[MULTIPART_BOUNDARY_MAX + 1])
{
	struct header_parameter parameter;
	const char *cursor = content_type;
	bool found = false;

	if (!header_value_is(content_type, "multipart/form-data"))
		return -EINVAL;
	while (header_parameter_next(&cursor, &parameter) == 1) {
		if (strcasecmp(parameter.name, "boundary") != 0)
			continue;
		if (found || !is_boundary(parameter.value, parameter.value_length))
			return -EINVAL;
		memcpy(ret_boundary, parameter.value, parameter.value_length + 1);
		found = true;
	}
	return found && *cursor == '\0' ? 0 : -EINVAL;
}

int multipart_new(const char *boundary, const struct multipart_events *events, void *context,
		  struct multipart **ret_multipart)
{
	struct multipart *multipart;
	size_t length = strlen(boundary);

	if (!is_boundary(boundary, length))
		return -EINVAL;
	multipart = calloc(1, sizeof(*multipart));
	if (!multipart)
		return -ENOMEM;
	memcpy(multipart->delimiter, "\r\n--", 4);
	memcpy(multipart->delimiter + 4, boundary, length + 1);
	multipart->delimiter_length = length + 4;
	multipart->events = *events;
	multipart->context = context;
	multipart->reason = "";
	/* The first delimiter may stand at the very beginning, as if a line had just ended. */
	multipart->matched = multipart->unsent = 2;
	*ret_multipart = multipart;
	return 0;
}

void multipart_free(struct multipart *multipart)
{
	free(multipart);
}

const char *multipart_reason(const struct multipart *multipart)
{
	return multipart->reason;
}

/* --- a part's headers ------------------------------------------------------------------------------------------------ */

/* Browsers write a quote, CR and LF in a name as %22, %0D and %0A and nothing else (WHATWG); undone in place. */
static void undo_browser_escapes(char *text)
{
	char *out = text;

	for (const char *in = text; *in;) {
		bool is_escape = in[0] == '%' && in[1] && in[2];
		int byte = 0;

		if (is_escape && strncasecmp(in, "%22", 3) == 0)
			byte = '"';
		else if (is_escape && strncasecmp(in, "%0d", 3) == 0)
			byte = '\r';
		else if (is_escape && strncasecmp(in, "%0a", 3) == 0)
			byte = '\n';
		*out++ = byte ? (char)byte : *in;
		in += byte ? 3 : 1;
	}
	*out = '\0';
}

static int take_name(struct multipart *multipart, const struct header_parameter *parameter)
{
	if (parameter->value_length >= sizeof(multipart->part.name))
		return fail(multipart, -E2BIG, "the name of a part is too long");
	if (!utf8_is_valid(parameter->value, parameter->value_length))
		return fail(multipart, -EBADMSG, "the name of a part is not UTF-8");
	memcpy(multipart->part.name, parameter->value, parameter->value_length + 1);
	undo_browser_escapes(multipart->part.name);
	return 0;
}

static int take_file_name(struct multipart *multipart, const struct header_parameter *parameter, bool is_extended)
{
	struct multipart_part *part = &multipart->part;

	if (parameter->value_length >= sizeof(part->file_name))
		return fail(multipart, -E2BIG, "a file name is too long");
	if (is_extended) {
		if (header_extended_decode(parameter->value, part->file_name, sizeof(part->file_name)) < 0)
			return fail(multipart, -EBADMSG, "filename* is malformed");
	} else {
		memcpy(part->file_name, parameter->value, parameter->value_length + 1);
		undo_browser_escapes(part->file_name);
	}
	part->has_file_name = true;
	return 0;
}

static int take_disposition(struct multipart *multipart, const char *value)
{
	struct header_parameter parameter;
	bool has_name = false, has_extended = false;
	int r = 0, found;

	if (multipart->has_disposition)
		return fail(multipart, -EBADMSG, "a part has two Content-Disposition headers");
	if (!header_value_is(value, "form-data"))
		return fail(multipart, -EBADMSG, "a part is not form-data");
	while ((found = header_parameter_next(&value, &parameter)) == 1 && r == 0) {
		if (strcasecmp(parameter.name, "name") == 0) {
			if (has_name)
				return fail(multipart, -EBADMSG, "a part has two names");
			has_name = true;
			r = take_name(multipart, &parameter);
		} else if (strcasecmp(parameter.name, "filename*") == 0) {
			has_extended = true;
			r = take_file_name(multipart, &parameter, true);
		} else if (strcasecmp(parameter.name, "filename") == 0 && !has_extended) {
			r = take_file_name(multipart, &parameter, false);
		}
	}
	if (r < 0)
		return r;
	if (found < 0 || !has_name || multipart->part.name[0] == '\0')
		return fail(multipart, -EBADMSG, "a part's Content-Disposition is malformed or has no name");
	multipart->has_disposition = true;
	return 0;
}

static int take_header(struct multipart *multipart, char *line)
{
	size_t name_length = strcspn(line, ": \t");
	const char *value;

	if (name_length == 0 || line[name_length] != ':')
		return fail(multipart, -EBADMSG, "a header of a part is malformed");
	line[name_length] = '\0';
	value = line + name_length + 1;
	value += strspn(value, " \t");
	if (strcasecmp(line, "Content-Disposition") == 0)
		return take_disposition(multipart, value);
	if (strcasecmp(line, "Content-Type") == 0) {
		if (strlen(value) >= sizeof(multipart->part.media_type))
			return fail(multipart, -E2BIG, "the Content-Type of a part is too long");
		memcpy(multipart->part.media_type, value, strlen(value) + 1);
	}
	if (strcasecmp(line, "Content-Transfer-Encoding") == 0 && strcasecmp(value, "binary") != 0 &&
	    strcasecmp(value, "8bit") != 0 && strcasecmp(value, "7bit") != 0)
		return fail(multipart, -EBADMSG, "a part has a Content-Transfer-Encoding");
	return 0;
}

/* --- the machine ----------------------------------------------------------------------------------------------------- */

/* Collects a line up to its CR LF. Returns the bytes used; *ret_ended says whether the line is whole (without CR LF). */
static size_t take_line(struct multipart *multipart, const char *bytes, size_t length, bool *ret_ended)
{
	const char *end = memchr(bytes, '\n', length);
	size_t used = end ? (size_t)(end - bytes) + 1 : length;

	*ret_ended = false;
	multipart->header_bytes += used;
	if (multipart->header_bytes > MULTIPART_HEADER_BYTES) {
		fail(multipart, -E2BIG, "the headers of a part are too long");
		return used;
	}
	memcpy(multipart->line + multipart->line_length, bytes, used);
	multipart->line_length += used;
	if (!end)
		return used;
	if (multipart->line_length < 2 || multipart->line[multipart->line_length - 2] != '\r') {
		fail(multipart, -EBADMSG, "a line does not end with CR LF");
		return used;
	}
	multipart->line_length -= 2;
	multipart->line[multipart->line_length] = '\0';
	if (memchr(multipart->line, '\0', multipart->line_length) || memchr(multipart->line, '\r', multipart->line_length))
		fail(multipart, -EBADMSG, "a header of a part has a control character");
	*ret_ended = true;
	return used;
}

static void begin_headers(struct multipart *multipart)
{
	if (++multipart->part_count > MULTIPART_PARTS_MAX) {
		fail(multipart, -E2BIG, "too many parts");
		return;
	}
	multipart->state = STATE_HEADERS;
	multipart->line_length = multipart->header_bytes = 0;
	multipart->header_count = 0;
	multipart->has_disposition = false;
	multipart->part.name[0] = multipart->part.file_name[0] = multipart->part.media_type[0] = '\0';
	multipart->part.has_file_name = false;
}

/* Behind a delimiter: "--" ends the body; CR LF, maybe behind blanks that a transport added, begins a part. */
static size_t feed_delimited(struct multipart *multipart, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && multipart->state == STATE_DELIMITED) {
		char byte = bytes[at++];
		bool is_blank = byte == ' ' || byte == '\t';

		if (multipart->tail == TAIL_DASH && byte == '-') {
			multipart->state = STATE_EPILOGUE;
			multipart->skipped = 0;
		} else if (multipart->tail == TAIL_CR && byte == '\n') {
			begin_headers(multipart);
		} else if (multipart->tail <= TAIL_BLANK && byte == '\r') {
			multipart->tail = TAIL_CR;
		} else if (multipart->tail <= TAIL_BLANK && is_blank) {
			multipart->tail = TAIL_BLANK;
		} else if (multipart->tail == TAIL_NONE && byte == '-') {
			multipart->tail = TAIL_DASH;
		} else {
			fail(multipart, -EBADMSG, "a boundary is followed by something else");
		}
	}
	return at;
}

static size_t feed_headers(struct multipart *multipart, const char *bytes, size_t length)
{
	bool ended;
	size_t used = take_line(multipart, bytes, length, &ended);

	if (!ended || multipart->state == STATE_FAILED)
		return used;
	if (multipart->line_length > 0) {
		if (++multipart->header_count > MULTIPART_HEADERS_MAX)
			fail(multipart, -E2BIG, "a part has too many headers");
		else
			take_header(multipart, multipart->line);
		multipart->line_length = 0;
		return used;
	}
	if (!multipart->has_disposition) {
		fail(multipart, -EBADMSG, "a part has no Content-Disposition");
		return used;
	}
	multipart->state = STATE_BODY;
	multipart->matched = multipart->unsent = 2;
	multipart->error = multipart->events.begin(multipart->context, &multipart->part);
	if (multipart->error < 0)
		fail(multipart, multipart->error, "refused");
	return used;
}

/* Bytes of a part, or of the preamble, which is thrown away. */
static void give(struct multipart *multipart, const char *bytes, size_t length)
{
	int r;

	if (length == 0 || multipart->state == STATE_FAILED)
		return;
	if (multipart->state == STATE_PREAMBLE) {
		multipart->skipped += length;
		if (multipart->skipped > MULTIPART_PREAMBLE_BYTES)
			fail(multipart, -E2BIG, "no boundary where the body begins");
		return;
	}
	r = multipart->events.data(multipart->context, bytes, length);
	if (r < 0)
		fail(multipart, r, "refused");
}

static void delimiter_found(struct multipart *multipart)
{
	int r = 0;

	if (multipart->state == STATE_BODY)
		r = multipart->events.end(multipart->context);
	if (r < 0) {
		fail(multipart, r, "refused");
		return;
	}
	if (multipart->state == STATE_FAILED)
		return;
	multipart->state = STATE_DELIMITED;
	multipart->tail = TAIL_NONE;
	multipart->matched = multipart->unsent = 0;
}

/* The delimiter began at the end of an earlier piece: goes on comparing, or gives what was held back. */
static size_t feed_matched(struct multipart *multipart, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && multipart->matched < multipart->delimiter_length &&
	       bytes[at] == multipart->delimiter[multipart->matched]) {
		multipart->matched++;
		at++;
	}
	if (multipart->matched == multipart->delimiter_length) {
		delimiter_found(multipart);
	} else if (at < length) {
		/* CR stands only at the delimiter's front, so no later beginning hides in what was held back. */
		give(multipart, multipart->delimiter + multipart->unsent, multipart->matched - multipart->unsent);
		multipart->matched = multipart->unsent = 0;
	}
	return at;
}

static size_t feed_body(struct multipart *multipart, const char *bytes, size_t length)
{
	const char *found, *cr;
	size_t tail;

	if (multipart->matched > 0)
		return feed_matched(multipart, bytes, length);
	found = memmem(bytes, length, multipart->delimiter, multipart->delimiter_length);
	if (found) {
		give(multipart, bytes, (size_t)(found - bytes));
		delimiter_found(multipart);
		return (size_t)(found - bytes) + multipart->delimiter_length;
	}
	tail = length < multipart->delimiter_length ? length : multipart->delimiter_length - 1;
	for (const char *from = bytes + length - tail; (cr = memchr(from, '\r', (size_t)(bytes + length - from)));
	     from = cr + 1) {
		size_t rest = (size_t)(bytes + length - cr);

		if (memcmp(cr, multipart->delimiter, rest) == 0) {
			give(multipart, bytes, (size_t)(cr - bytes));
			multipart->matched = rest;
			return length;
		}
	}
	give(multipart, bytes, length);
	return length;
}

static size_t feed_epilogue(struct multipart *multipart, size_t length)
{
	multipart->skipped += length;
	if (multipart->skipped > MULTIPART_EPILOGUE_BYTES)
		fail(multipart, -E2BIG, "too much behind the final boundary");
	return length;
}

int multipart_feed(struct multipart *multipart, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0 && multipart->state != STATE_FAILED) {
		size_t used;

		switch (multipart->state) {
		case STATE_DELIMITED:
			used = feed_delimited(multipart, at, length);
			break;
		case STATE_HEADERS:
			used = feed_headers(multipart, at, length);
			break;
		case STATE_EPILOGUE:
			used = feed_epilogue(multipart, length);
			break;
		default:
			used = feed_body(multipart, at, length);
			break;
		}
		at += used;
		length -= used;
	}
	return multipart->state == STATE_FAILED ? multipart->error : 0;
}

int multipart_finish(struct multipart *multipart)
{
	if (multipart->state == STATE_FAILED)
		return multipart->error;
	if (multipart->state != STATE_EPILOGUE)
		return fail(multipart, -EBADMSG, "the body ended before its final boundary");
	return 0;
}
