/*
 * tenantfs.conf and .env: lines of NAME=value.
 *
 * Both: # begins a comment at the start of a line or behind a blank; '…' is literal, in "…" a backslash escapes n, t,
 * ", \ and $; blanks around = and at the ends do not count. In tenantfs.conf [sections] group for the reader and ; is a
 * comment too. In a .env "export " may stand before a name.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "shared/base/cleanup.h"
#include "shared/config/config_table.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static int read_all(const char *path, char **ret_text, size_t *ret_length, mode_t *ret_mode)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return -errno;
	for (;;) {
		ssize_t got;

		if (buf_reserve(&text, 4096) < 0)
			break;
		got = read(fd, text.data + text.length, 4096);
		if (got < 0) {
			buf_release(&text);
			return -errno;
		}
		if (got == 0)
			break;
		text.length += (size_t)got;
		text.data[text.length] = '\0';
	}
	if (buf_error(&text) < 0) {
		int r = buf_error(&text) == -EOVERFLOW ? -EFBIG : buf_error(&text);

		buf_release(&text);
		return r;
	}
	*ret_mode = stat.st_mode;
	*ret_text = buf_take(&text, ret_length);
	return *ret_text ? 0 : -ENOMEM;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *skip_blanks(char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* Behind a closing quote: nothing, or a comment. */
static bool is_rest_empty(char *at)
{
	at = skip_blanks(at);
	return *at == '\0' || *at == '#';
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* Rewrites a quoted value in place, without its quotes. */
static const char *unquote(char *value)
{
	char quote = *value, *from = value + 1, *to = value;

	for (; *from && *from != quote; from++) {
		if (quote == '"' && *from == '\\' && from[1] && strchr("nt\"\\$", from[1]))
			*to++ = unescape(*++from);
		else
			*to++ = *from;
	}
	if (*from != quote)
		return "a quote is not closed";
	if (!is_rest_empty(from + 1))
		return "something stands behind the closing quote";
	*to = '\0';
	return NULL;
}

/* Cuts the comment and the blanks at the end. */
static void trim_plain(char *value)
{
	char *end = value;

	for (char *at = value; *at; at++) {
		if (*at == '#' && (at == value || is_blank(at[-1])))
			break;
		if (!is_blank(*at))
			end = at + 1;
	}
	*end = '\0';
}

/* Splits NAME=value in place. NULL, or what is wrong with it. */
static const char *split(char *line, enum config_file_kind kind, char **ret_name, char **ret_value)
{
	char *name = line, *end, *value;

	if (kind == CONFIG_FILE_ENV && strncmp(name, "export", 6) == 0 && is_blank(name[6]))
		name = skip_blanks(name + 6);
	end = name;
	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	value = skip_blanks(end);
	if (end == name || *value != '=')
		return "not NAME=value";
	value = skip_blanks(value + 1);
	*end = '\0';
	*ret_name = name;
	*ret_value = value;
	if (*value == '"' || *value == '\'')
		return unquote(value);
	trim_plain(value);
	return NULL;
}

static bool is_to_skip(const char *line, enum config_file_kind kind)
{
	if (*line == '\0' || *line == '#')
		return true;
	return kind == CONFIG_FILE_INI && (*line == ';' || (*line == '[' && strchr(line, ']')));
}

static bool is_secret(const char *name)
{
	enum setting_id id;
	int64_t factor;

	return setting_find(name, &id, &factor) == 0 && settings[id].type == TYPE_SECRET;
}

static int read_line(struct config *config, char *line, const char *source, enum config_file_kind kind,
		     unsigned program, bool *ret_has_secret, char *ret_error, size_t error_size)
{
	const char *mistake;
	char *name, *value;
	int r;

	line = skip_blanks(line);
	if (is_to_skip(line, kind))
		return 0;
	mistake = split(line, kind, &name, &value);
	if (mistake) {
		snprintf(ret_error, error_size, "%s: %s", source, mistake);
		return -EINVAL;
	}
	r = config_take(config, name, value, source, program, ret_error, error_size);
	if (r == -ENOENT && kind == CONFIG_FILE_ENV) {
		config_warn(config, source, "unknown setting passed over", name);
		return 0;
	}
	if (r == -ENOENT) {
		snprintf(ret_error, error_size, "%s: %.64s: no such setting", source, name);
		return -EINVAL;
	}
	*ret_has_secret |= r == 0 && *value && is_secret(name);
	return r;
}

int config_read_file(struct config *config, const char *path, enum config_file_kind kind, unsigned program,
		     char *ret_error, size_t error_size)
{
	autofree char *text = NULL;
	char *line, *next, source[256];
	bool has_secret = false;
	size_t length = 0;
	mode_t mode = 0;
	int number = 0, r = read_all(path, &text, &length, &mode);

	if (r < 0) {
		snprintf(ret_error, error_size, "%.160s: %s", path, strerror(-r));
		return r;
	}
	if (strlen(text) != length) {
		snprintf(ret_error, error_size, "%.160s: a NUL byte; this is no text", path);
		return -EINVAL;
	}
	line = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
	for (; line && r == 0; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		snprintf(source, sizeof(source), "%.200s:%d", path, ++number);
		r = read_line(config, line, source, kind, program, &has_secret, ret_error, error_size);
	}
	explicit_bzero(text, length);
	if (r == 0 && has_secret && (mode & S_IROTH) != 0)
		config_warn(config, path, "everybody on this machine can read its secrets", "mode");
	return r;
}
