/*
 * One line a message, to stderr: text for people, JSON when LOG_FORMAT=json or the journal reads it.
 *
 * Fields come in pairs, name then value, closed by NULL, so that a line can be searched by tenant, operation and errno.
 * Values are bytes from anywhere: control characters and invalid UTF-8 are escaped. Secrets are never given to it.
 * Thread-safe; a line is one write(2).
 */
#pragma once

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

/* Call once before threads start. program stays the caller's and must outlive the process' logging. */
void log_init(const char *program, enum log_level level, int is_json);
/* "debug", "info", "warning"/"warn", "error"/"critical", any case. -EINVAL: none of them. */
int log_level_parse(const char *text, enum log_level *ret_level);
int log_is_enabled(enum log_level level);
void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));

#define log_debug(...) (log_is_enabled(LOG_DEBUG_) ? log_write(LOG_DEBUG_, __VA_ARGS__, (char *)NULL) : (void)0)
#define log_info(...)  log_write(LOG_INFO_, __VA_ARGS__, (char *)NULL)
#define log_warn(...)  log_write(LOG_WARN_, __VA_ARGS__, (char *)NULL)
#define log_error(...) log_write(LOG_ERROR_, __VA_ARGS__, (char *)NULL)

/* A field's value from a number or an errno (negative or positive); the buffer lives until the end of the full
 * expression. */
#define log_number(value) log_format_number((char[24]){0}, (long long)(value))
#define log_errno(error)  log_format_errno((char[128]){0}, (error))
const char *log_format_number(char buffer[24], long long value);
const char *log_format_errno(char buffer[128], int error);
