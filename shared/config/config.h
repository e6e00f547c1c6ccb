/*
 * Settings: one table (settings.h) with name, type, unit, default, bounds and a sentence serves all programs, --help,
 * the man pages and `adminctl config show`.
 *
 * Sources, the later wins: /etc/tenantfs/tenantfs.conf (INI), a .env file named on the command line, the environment,
 * options of the command line. Read once at start, before threads; afterwards constant, so any thread may read.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* clang-format off: the table is not indented */
enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "shared/config/settings.h"
#undef SETTING
	SETTING_COUNT
};
/* clang-format on */

struct config;

/* Which of the programs asks: bits of `programs` in settings.h, for --help and for what must be present. */
enum { PROGRAM_FUSEFS = 1, PROGRAM_EXTRACTD = 2, PROGRAM_ADMINCTL = 4, PROGRAM_HTTPSHIM = 8, PROGRAM_ALL = 15 };

struct config *config_new(void);
void config_free(struct config *config);

#define CONFIG_DEFAULT_PATH "/etc/tenantfs/tenantfs.conf"

/*
 * Reads all sources but the options. conf_path NULL: the default path if it is there. env_path NULL: none.
 * On a mistake: -EINVAL, and ret_error (256 bytes at least) holds the file, the line and the reason, never a secret.
 * Other errors (-ENOENT, -EACCES, …) are those of reading a file, ret_error says which. A value that is empty means the
 * default; REDIS_URL empty means none. A program does not take over secrets that it does not read.
 */
int config_load(struct config *config, unsigned program, const char *conf_path, const char *env_path, char *ret_error,
		size_t error_size);
/* One option; source names it in errors. name in any case, with - or _. -ENOENT: no such setting. -EINVAL: value out of
 * bounds, reason in ret_error. */
int config_set(struct config *config, const char *name, const char *value, const char *source, char *ret_error,
	       size_t error_size);

/* After the options: what the program cannot do without is there, and its secrets are long enough. -EINVAL. */
int config_check(const struct config *config, unsigned program, char *ret_error, size_t error_size);
/* The same for one setting, for a command that needs it (adminctl token create: SECRET_KEY). */
int config_require(const struct config *config, enum setting_id id, char *ret_error, size_t error_size);
/* Starts the log as LOG_LEVEL and LOG_FORMAT say and tells what config_load found odd (unknown names in the .env, …).
 */
void config_start_log(const struct config *config, const char *program_name);

/* Values by type; strings live as long as the config, NULL when neither set nor defaulted. */
const char *config_string(const struct config *config, enum setting_id id);
int64_t config_int(const struct config *config,
		   enum setting_id id); /* sizes in bytes, durations in ms, counts, ports */
bool config_bool(const struct config *config, enum setting_id id);
/* The libpq connection string (DATABASE_URL or the DB_* parts) and the Redis URL (or "" when switched off). Never NULL.
 */
const char *config_database_url(const struct config *config);
const char *config_redis_url(const struct config *config);
/* All addresses to serve, comma-separated: LISTEN, FILE_SERVICE_HOST and EXTRACTION_SERVICE_HOST with their ports. */
const char *config_listen(const struct config *config);

/* A table of the settings of a program: name, value, source, sentence; secrets as ***. json: an array of objects. */
void config_show(const struct config *config, unsigned programs, bool json, FILE *out);
void config_help(unsigned program, FILE *out); /* for --help */
void config_man(unsigned programs, FILE *out); /* troff for the man page */
