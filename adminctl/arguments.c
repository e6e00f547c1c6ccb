#include "adminctl/arguments.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include "adminctl/session.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum global_option { GLOBAL_JSON, GLOBAL_CONFIG, GLOBAL_ENV, GLOBAL_SET, GLOBAL_VERBOSE, GLOBAL_HELP, GLOBAL_VERSION };

const struct option global_options[] = {
	[GLOBAL_JSON] = {"json", NULL, "Print JSON for programs instead of a table for people."},
	[GLOBAL_CONFIG] = {"config", "FILE", "Read settings from FILE instead of /etc/tenantfs/tenantfs.conf."},
	[GLOBAL_ENV] = {"env-file", "FILE", "Read settings from a .env FILE too."},
	[GLOBAL_SET] = {"set", "NAME=VALUE", "Give one setting; may be repeated."},
	[GLOBAL_VERBOSE] = {"verbose", NULL, "Log what is done, as LOG_LEVEL says; else only warnings and errors."},
	[GLOBAL_HELP] = {"help", NULL, "Explain the command."},
	[GLOBAL_VERSION] = {"version", NULL, "Print the version."},
	{NULL, NULL, NULL},
};

/* The place of an option in a table, -1 for none. length is that of the name. */
static int find_option(const struct option *options, const char *name, size_t length)
{
	for (int i = 0; options != NULL && options[i].name != NULL; i++)
		if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
			return i;
	return -1;
}

static int take_global(struct command_line *line, int option, const char *value)
{
	switch ((enum global_option)option) {
	case GLOBAL_JSON:
		line->wants_json = true;
		break;
	case GLOBAL_CONFIG:
		line->config_path = value;
		break;
	case GLOBAL_ENV:
		line->env_path = value;
		break;
	case GLOBAL_SET:
		if (line->setting_count == SETTINGS_MAX)
			return complain(EXIT_USAGE, NULL, "--set more than %d times", SETTINGS_MAX);
		line->settings[line->setting_count++] = value;
		break;
	case GLOBAL_VERBOSE:
		line->is_verbose = true;
		break;
	case GLOBAL_HELP:
		line->wants_help = true;
		break;
	case GLOBAL_VERSION:
		line->wants_version = true;
		break;
	}
	return 0;
}

static const char *where_to_look(const struct command_line *line)
{
	return line->command != NULL ? "Add --help to the command to see its options."
				     : "`adminctl --help` lists the commands.";
}

/* The value of an option: behind its "=", else the next word. Advances *index past what was used. */
static int take_value(const struct option *option, const char *equals, int argc, char **argv, int *index,
		      const char **ret_value)
{
	*ret_value = "";
	if (option->argument == NULL)
		return equals == NULL ? 0 : complain(EXIT_USAGE, NULL, "--%s takes no value", option->name);
	if (equals != NULL)
		*ret_value = equals + 1;
	else if (*index + 1 < argc)
		*ret_value = argv[++*index];
	else
		return complain(EXIT_USAGE, NULL, "--%s needs a value: %s", option->name, option->argument);
	return 0;
}

static int take_option(struct command_line *line, int argc, char **argv, int *index)
{
	const char *name = argv[*index] + 2, *equals = strchr(name, '='), *value;
	size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct option *own = line->command != NULL ? line->command->options : NULL;
	int place = find_option(own, name, length);
	int r;

	if (place >= 0) {
		r = take_value(&own[place], equals, argc, argv, index, &value);
		if (r == 0)
			line->arguments.options[place] = value;
		return r;
	}
	place = find_option(global_options, name, length);
	if (place < 0)
		return complain(EXIT_USAGE, where_to_look(line), "no option --%.*s here", (int)length, name);
	r = take_value(&global_options[place], equals, argc, argv, index, &value);
	return r == 0 ? take_global(line, place, value) : r;
}

/* The first words choose the command; what follows are its arguments. */
static int take_word(struct command_line *line, const char *word, const char **words)
{
	if (line->command != NULL) {
		words[line->arguments.count++] = word;
		return 0;
	}
	if (line->help_group == NULL) {
		if (strcmp(word, "help") == 0) {
			line->wants_help = true;
			return 0;
		}
		if (!command_group_exists(word))
			return complain(EXIT_USAGE, where_to_look(line), "no command %s", word);
		line->help_group = word;
		line->command = command_find(word, "");
		return 0;
	}
	line->command = command_find(line->help_group, word);
	if (line->command == NULL) {
		complain(EXIT_USAGE, NULL, "no command %s %s; there are:", line->help_group, word);
		help_group(line->help_group, stderr);
		return EXIT_USAGE;
	}
	return 0;
}

static int check_complete(const struct command_line *line)
{
	const struct command *command = line->command;

	if (line->wants_help || line->wants_version)
		return 0;
	if (line->help_group == NULL)
		return complain(EXIT_USAGE, where_to_look(line), "which command?");
	if (command == NULL) {
		complain(EXIT_USAGE, NULL, "which command of %s? There are:", line->help_group);
		help_group(line->help_group, stderr);
		return EXIT_USAGE;
	}
	if (line->arguments.count < command->arguments_min || line->arguments.count > command->arguments_max)
		return complain(EXIT_USAGE, where_to_look(line), "%s arguments: adminctl %s%s%s %s",
				line->arguments.count < command->arguments_min ? "too few" : "too many", command->group,
				command->name[0] != '\0' ? " " : "", command->name, command->arguments);
	return 0;
}

int command_line_parse(int argc, char **argv, struct command_line *ret_line)
{
	/* The words are gathered at the front of argv, which has room for all of them. */
	const char **words = (const char **)(void *)argv;
	bool options_end = false;
	int r = 0;

	*ret_line = (struct command_line){.arguments.values = words};
	for (int i = 1; i < argc && r == 0; i++) {
		if (!options_end && strcmp(argv[i], "--") == 0)
			options_end = true;
		else if (!options_end && strncmp(argv[i], "--", 2) == 0)
			r = take_option(ret_line, argc, argv, &i);
		else if (!options_end && strcmp(argv[i], "-h") == 0)
			ret_line->wants_help = true;
		else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0')
			r = complain(EXIT_USAGE, where_to_look(ret_line), "no option %s here", argv[i]);
		else
			r = take_word(ret_line, argv[i], words);
	}
	return r == 0 ? check_complete(ret_line) : r;
}

/* --- values
 * ------------------------------------------------------------------------------------------------------------ */

int option_size(const char *option, const char *value, int64_t *ret_bytes)
{
	if (size_parse(value, ret_bytes) < 0 || *ret_bytes < 0)
		return complain(EXIT_USAGE,
				"A size is a number of bytes with an optional unit: 500, 10k, 100M, 2G, 1T.",
				"--%s %s is no size", option, value);
	return 0;
}

int option_count(const char *option, const char *value, int64_t *ret_count)
{
	if (count_parse(value, ret_count) < 0 || *ret_count < 0)
		return complain(EXIT_USAGE, "A count is a number with an optional unit: 500, 100k, 2M.",
				"--%s %s is no count", option, value);
	return 0;
}

/* "2026-11-03" or "2026-11-03T10:22:31Z". */
static bool parse_date(const char *text, int64_t *ret_time_ns)
{
	struct tm parts = {0};
	const char *end = strptime(text, "%Y-%m-%d", &parts);

	if (end != NULL && (*end == 'T' || *end == ' '))
		end = strptime(end + 1, "%H:%M:%S", &parts);
	if (end == NULL || !(*end == '\0' || (*end == 'Z' && end[1] == '\0')))
		return false;
	*ret_time_ns = (int64_t)timegm(&parts) * NS_PER_S;
	return true;
}

int option_time(const char *option, const char *value, int64_t *ret_time_ns)
{
	int64_t age_ms;

	if (parse_date(value, ret_time_ns))
		return 0;
	if (duration_parse(value, &age_ms) == 0 && age_ms >= 0) {
		*ret_time_ns = clock_realtime_ns() - age_ms * NS_PER_MS;
		return 0;
	}
	return complain(EXIT_USAGE,
			"A time is a date (2026-11-03), a moment (2026-11-03T10:22:31Z) or an age (12h, 30d).",
			"--%s %s is no time", option, value);
}
