/* What the files of shared/config share: the table of settings as data. Nobody outside includes this. */
#pragma once
#include "shared/base/buf.h"
#include "shared/config/config.h"

enum setting_type {
	TYPE_STRING,
	TYPE_SECRET,
	TYPE_PATH,
	TYPE_SIZE,
	TYPE_COUNT,
	TYPE_INT,
	TYPE_DURATION,
	TYPE_SECONDS,
	TYPE_BOOL,
	TYPE_LIST,
	TYPE_ENUM
};

struct setting {
	const char *name;
	enum setting_type type;
	unsigned programs;
	const char *default_text;
	int64_t minimum, maximum;
	const char *aliases, *sentence;
};

extern const struct setting settings[SETTING_COUNT];
extern const char *const setting_type_names[]; /* by setting_type, for people */

struct setting_value {
	char *text; /* NULL: neither set nor defaulted */
	int64_t number;
	char *source;
};

struct config {
	struct setting_value values[SETTING_COUNT];
	char *database_url, *redis_url, *listen; /* composed of the above */
	struct buf warnings;			 /* one a line */
};

/* The setting of a name or an alias (any case, - for _). *ret_factor: what a bare number counts there, 1 if nothing
 * special. -ENOENT. */
int setting_find(const char *name, enum setting_id *ret_id, int64_t *ret_factor);
/*
 * Checks a value and brings it into its one form (*ret_text, the caller's). -EINVAL: ret_reason says why, without the
 * value of a secret. Secrets are not measured here: that is for the program that needs them (config_check).
 */
int setting_parse(const struct setting *setting, const char *text, int64_t factor, char **ret_text, int64_t *ret_number,
		  char *ret_reason, size_t reason_size);
/* Whether a secret is as long as it must be. */
int setting_check_secret(const struct setting *setting, const char *text, char *ret_reason, size_t reason_size);

enum config_file_kind { CONFIG_FILE_INI, CONFIG_FILE_ENV };
/*
 * Reads NAME=value lines and gives each to set. Errors name the file and the line. set returns -ENOENT for an unknown
 * name: a mistake in an INI file, a warning in a .env.
 */
int config_read_file(struct config *config, const char *path, enum config_file_kind kind, unsigned program,
		     char *ret_error, size_t error_size);
/* One value from any source. -ENOENT, -EINVAL with ret_error, -ENOMEM. */
int config_take(struct config *config, const char *name, const char *value, const char *source, unsigned program,
		char *ret_error, size_t error_size);
void config_warn(struct config *config, const char *source, const char *text, const char *name);
/* Makes the URLs anew of their parts. -EINVAL: ret_error. */
int config_compose(struct config *config, char *ret_error, size_t error_size);
