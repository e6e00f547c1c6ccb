#include "shared/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

/*
 * A pipe takes up to PIPE_BUF = 4096 bytes in one piece, so lines of several processes never mix. A value is cut so
 * that no escaping (six bytes for one) makes a line longer than LINE_BYTES; a field that has no room any more is left
 * out, and the line says so.
 */
enum { LINE_BYTES = 4000, VALUE_BYTES = 600, CUT_RESERVE = 32 };

static const char *program_name = "tenantfs";
static enum log_level lowest = LOG_INFO_;
static bool as_json, to_journal;

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const journal_prefixes[] = {"<7>", "<6>", "<4>", "<3>"}; /* sd-daemon(3) */

/* systemd says by JOURNAL_STREAM=device:inode which descriptor ends in the journal (systemd.exec(5)). */
static bool is_read_by_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat stat;
	char own[64];

	if (!stream || fstat(STDERR_FILENO, &stat) < 0)
		return false;
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)stat.st_dev, (unsigned long long)stat.st_ino);
	return strcmp(stream, own) == 0;
}

void log_init(const char *program, enum log_level level, int is_json)
{
	program_name = program;
	lowest = level;
	to_journal = is_read_by_journal();
	as_json = is_json || to_journal;
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{"debug", LOG_DEBUG_}, {"info", LOG_INFO_},   {"warning", LOG_WARN_},
		{"warn", LOG_WARN_},   {"error", LOG_ERROR_}, {"critical", LOG_ERROR_},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(names[i].name, text) == 0) {
			*ret_level = names[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

int log_is_enabled(enum log_level level)
{
	return level >= lowest;
}

const char *log_format_number(char buffer[24], long long value)
{
	snprintf(buffer, 24, "%lld", value);
	return buffer;
}

const char *log_format_errno(char buffer[128], int error)
{
	const char *name;

	error = error < 0 ? -error : error;
	name = strerrorname_np(error);
	if (name)
		snprintf(buffer, 128, "%s", name);
	else
		snprintf(buffer, 128, "errno %d", error);
	return buffer;
}

static bool needs_quotes(const char *value)
{
	if (!*value || !utf8_is_valid(value, strlen(value)))
		return true;
	for (; *value; value++) {
		if ((unsigned char)*value <= ' ' || *value == '"' || *value == '\\' || *value == '=' || *value == 0x7F)
			return true;
	}
	return false;
}

static void put_field(struct buf *line, const char *name, const char *value)
{
	size_t length = strlen(value), shown = utf8_cut(value, length, VALUE_BYTES);

	if (as_json) {
		json_put_key(line, name);
		json_put_string(line, value, shown);
	} else if (shown == length && !needs_quotes(value)) {
		buf_printf(line, " %s=%s", name, value);
	} else {
		buf_printf(line, " %s=", name);
		json_put_string(line, value, shown);
	}
}

/* Adds a field only if it fits whole. */
static bool try_field(struct buf *line, const char *name, const char *value)
{
	size_t before = line->length;

	put_field(line, name, value);
	if (buf_error(line) == 0 && line->length <= LINE_BYTES - CUT_RESERVE)
		return true;
	line->error = 0;
	line->length = before;
	if (line->capacity > 0)
		line->data[before] = '\0';
	return false;
}

static void begin_line(struct buf *line, enum log_level level, const char *message)
{
	char now[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(clock_realtime_ns(), now);
	if (to_journal)
		buf_puts(line, journal_prefixes[level]);
	if (as_json) {
		buf_putc(line, '{');
		put_field(line, "time", now);
		put_field(line, "level", level_names[level]);
		put_field(line, "program", program_name);
		put_field(line, "message", message);
	} else {
		buf_printf(line, "%s %s %s: %.*s", now, level_names[level], program_name, VALUE_BYTES, message);
	}
}

/* One write(2). When even logging fails there is nowhere left to say so. */
static void emit(const char *line, size_t length)
{
	ssize_t written;

	do
		written = write(STDERR_FILENO, line, length);
	while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *message, ...)
{
	autobuf struct buf line = BUF_INIT(LINE_BYTES);
	const char *name;
	bool is_cut = false;
	va_list fields;
	int saved_errno = errno;

	if (level < lowest)
		return;
	begin_line(&line, level, message);
	va_start(fields, message);
	while ((name = va_arg(fields, const char *)) != NULL) {
		const char *value = va_arg(fields, const char *);

		if (value && !try_field(&line, name, value))
			is_cut = true;
	}
	va_end(fields);
	if (is_cut)
		put_field(&line, "cut", "yes");
	buf_puts(&line, as_json ? "}\n" : "\n");
	if (buf_error(&line) == 0)
		emit(line.data, line.length);
	else
		emit(message, strlen(message));
	errno = saved_errno;
}
