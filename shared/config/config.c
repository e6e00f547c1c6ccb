#include "shared/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/log.h"
#include "shared/config/config_table.h"

enum { WARNINGS_BYTES_MAX = 65536 };

/* --- life --- */

static void clear(struct setting_value *value)
{
	if (value->text)
		explicit_bzero(value->text, strlen(value->text));
	free(value->text);
	free(value->source);
	*value = (struct setting_value){0};
}

static int set_default(struct config *config, enum setting_id id)
{
	struct setting_value *value = &config->values[id];
	const struct setting *setting = &settings[id];
	char reason[256];

	clear(value);
	value->source = strdup("default");
	if (!value->source)
		return -ENOMEM;
	if (!setting->default_text)
		return 0;
	return setting_parse(setting, setting->default_text, 1, &value->text, &value->number, reason, sizeof(reason));
}

struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));
	char error[256];
	int r = 0;

	if (!config)
		return NULL;
	config->warnings = BUF_INIT(WARNINGS_BYTES_MAX);
	for (int i = 0; i < SETTING_COUNT && r == 0; i++)
		r = set_default(config, (enum setting_id)i);
	if (r == 0)
		r = config_compose(config, error, sizeof(error));
	if (r == 0)
		return config;
	config_free(config);
	return NULL;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (int i = 0; i < SETTING_COUNT; i++)
		clear(&config->values[i]);
	wipe(config->database_url);
	wipe(config->redis_url);
	free(config->listen);
	buf_release(&config->warnings);
	free(config);
}

/* --- taking values --- */

static int no_memory(char *ret_error, size_t error_size)
{
	snprintf(ret_error, error_size, "no memory");
	return -ENOMEM;
}

/* Secrets live in the programs that read them, and nowhere else. */
static bool is_for(const struct setting *setting, unsigned program)
{
	return setting->type != TYPE_SECRET || (setting->programs & program) != 0;
}

int config_take(struct config *config, const char *name, const char *text, const char *source, unsigned program,
		char *ret_error, size_t error_size)
{
	struct setting_value value = {0};
	const struct setting *setting;
	enum setting_id id;
	int64_t factor;
	char reason[256];
	int r = setting_find(name, &id, &factor);

	if (r < 0)
		return r;
	setting = &settings[id];
	if (!is_for(setting, program))
		return 0;
	if (!*text && id != SETTING_REDIS_URL)
		return set_default(config, id) < 0 ? no_memory(ret_error, error_size) : 0;
	r = setting_parse(setting, text, factor, &value.text, &value.number, reason, sizeof(reason));
	if (r == -EINVAL)
		snprintf(ret_error, error_size, "%s: %s: %s", source, name, reason);
	if (r == 0)
		value.source = strdup(source);
	if (r == -ENOMEM || (r == 0 && !value.source))
		r = no_memory(ret_error, error_size);
	if (r < 0) {
		clear(&value);
		return r;
	}
	clear(&config->values[id]);
	config->values[id] = value;
	return 0;
}

void config_warn(struct config *config, const char *source, const char *text, const char *name)
{
	/* Both end up as fields of a log line; a list that is full already says enough. */
	if (buf_printf(&config->warnings, "%s\t%s\t%s\n", source, text, name) < 0)
		config->warnings.error = 0;
}

static int take_variable(struct config *config, const char *name, unsigned program, char *ret_error, size_t error_size)
{
	const char *value = getenv(name);

	if (!value)
		return 0;
	return config_take(config, name, value, "environment", program, ret_error, error_size);
}

/* The aliases first, so that a setting's own name wins. */
static int read_environment(struct config *config, unsigned program, char *ret_error, size_t error_size)
{
	int r = 0;

	for (int i = 0; i < SETTING_COUNT && r == 0; i++) {
		const char *alias = settings[i].aliases;

		while (*alias && r == 0) {
			size_t length = strcspn(alias, ",*");
			char name[64];

			snprintf(name, sizeof(name), "%.*s", (int)length, alias);
			r = take_variable(config, name, program, ret_error, error_size);
			alias += strcspn(alias, ",");
			alias += *alias == ',';
		}
		if (r == 0)
			r = take_variable(config, settings[i].name, program, ret_error, error_size);
	}
	return r;
}

/* Only of the program that cannot do without: the others may share a file whose key is no good to them. */
static int check_secrets(const struct config *config, unsigned program, char *ret_error, size_t error_size)
{
	if (!(program & PROGRAM_HTTPSHIM) || !config_string(config, SETTING_SECRET_KEY))
		return 0;
	return config_require(config, SETTING_SECRET_KEY, ret_error, error_size);
}

int config_load(struct config *config, unsigned program, const char *conf_path, const char *env_path, char *ret_error,
		size_t error_size)
{
	int r = 0;

	if (!conf_path && access(CONFIG_DEFAULT_PATH, F_OK) == 0)
		conf_path = CONFIG_DEFAULT_PATH;
	if (conf_path)
		r = config_read_file(config, conf_path, CONFIG_FILE_INI, program, ret_error, error_size);
	if (r == 0 && env_path)
		r = config_read_file(config, env_path, CONFIG_FILE_ENV, program, ret_error, error_size);
	if (r == 0)
		r = read_environment(config, program, ret_error, error_size);
	if (r == 0)
		r = config_compose(config, ret_error, error_size);
	if (r == 0)
		r = check_secrets(config, program, ret_error, error_size);
	return r;
}

int config_set(struct config *config, const char *name, const char *value, const char *source, char *ret_error,
	       size_t error_size)
{
	int r = config_take(config, name, value, source, PROGRAM_ALL, ret_error, error_size);

	if (r == -ENOENT)
		snprintf(ret_error, error_size, "%s: %.64s: no such setting", source, name);
	return r < 0 ? r : config_compose(config, ret_error, error_size);
}

/* --- what must be there --- */

int config_require(const struct config *config, enum setting_id id, char *ret_error, size_t error_size)
{
	const struct setting_value *value = &config->values[id];
	char reason[128];

	if (!value->text) {
		snprintf(ret_error, error_size, "%s is not set: %s", settings[id].name, settings[id].sentence);
		return -EINVAL;
	}
	if (setting_check_secret(&settings[id], value->text, reason, sizeof(reason)) == 0)
		return 0;
	snprintf(ret_error, error_size, "%s: %s: %s", value->source, settings[id].name, reason);
	return -EINVAL;
}

int config_check(const struct config *config, unsigned program, char *ret_error, size_t error_size)
{
	static const struct {
		enum setting_id id;
		unsigned programs;
	} needed[] = {
		{SETTING_STORAGE_BASE_PATH, PROGRAM_FUSEFS | PROGRAM_EXTRACTD},
		{SETTING_TENANTFS_MOUNT, PROGRAM_HTTPSHIM},
		{SETTING_SECRET_KEY, PROGRAM_HTTPSHIM},
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		int r = needed[i].programs & program ? config_require(config, needed[i].id, ret_error, error_size) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void config_start_log(const struct config *config, const char *program_name)
{
	const char *line = config->warnings.length > 0 ? config->warnings.data : "";
	enum log_level level = LOG_INFO_;

	log_level_parse(config_string(config, SETTING_LOG_LEVEL), &level);
	log_init(program_name, level, strcmp(config_string(config, SETTING_LOG_FORMAT), "json") == 0);
	while (*line) {
		char source[256], text[128], name[128];

		if (sscanf(line, "%255[^\t]\t%127[^\t]\t%127[^\n]", source, text, name) == 3)
			log_warn(text, "where", source, "name", name);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

/* --- asking --- */

const char *config_string(const struct config *config, enum setting_id id)
{
	return config->values[id].text;
}

int64_t config_int(const struct config *config, enum setting_id id)
{
	return config->values[id].number;
}

bool config_bool(const struct config *config, enum setting_id id)
{
	return config->values[id].number != 0;
}

const char *config_database_url(const struct config *config)
{
	return config->database_url;
}

const char *config_redis_url(const struct config *config)
{
	return config->redis_url;
}

const char *config_listen(const struct config *config)
{
	return config->listen;
}
