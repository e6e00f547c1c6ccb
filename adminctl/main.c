/* adminctl: finds the command, reads the settings, runs it. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include "adminctl/arguments.h"
#include "adminctl/command.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/config/config.h"

static int print_help(const struct command_line *line)
{
	if (line->command != NULL)
		help_command(line->command, stdout);
	else if (line->help_group != NULL)
		help_group(line->help_group, stdout);
	else
		help_all(stdout);
	return EXIT_DONE;
}

static int apply_setting(struct config *config, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	char reason[256] = "", name[64];
	size_t length = equals != NULL ? (size_t)(equals - assignment) : 0;

	if (length == 0 || length >= sizeof(name))
		return complain(EXIT_USAGE, NULL, "--set wants NAME=VALUE");
	memcpy(name, assignment, length);
	name[length] = '\0';
	if (config_set(config, name, equals + 1, "--set", reason, sizeof(reason)) < 0)
		return complain(EXIT_USAGE, "`adminctl config show` lists the settings.", "--set %s: %s", name,
				reason[0] != '\0' ? reason : "no such setting");
	return 0;
}

static int load_settings(struct session *session, const struct command_line *line)
{
	char reason[512] = "";
	int r = 0;

	session->config = config_new();
	if (session->config == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	if (config_load(session->config, PROGRAM_ADMINCTL, line->config_path, line->env_path, reason, sizeof(reason)) <
	    0)
		return complain(EXIT_USAGE, NULL, "settings: %s", reason);
	for (int i = 0; i < line->setting_count && r == 0; i++)
		r = apply_setting(session->config, line->settings[i]);
	if (r != 0)
		return r;
	config_start_log(session->config, "adminctl");
	/* LOG_LEVEL is meant for daemons; at a terminal their everyday lines would stand between the answers. */
	if (!line->is_verbose)
		log_init("adminctl", LOG_WARN_,
			 strcmp(config_string(session->config, SETTING_LOG_FORMAT), "json") == 0);
	return 0;
}

int main(int argc, char **argv)
{
	cleanup(session_release) struct session session = {0};
	struct command_line line;
	int r;

	setlocale(LC_CTYPE, "C.UTF-8");
	r = command_line_parse(argc, argv, &line);
	if (r != 0)
		return r;
	if (line.wants_version)
		return puts("adminctl " TENANTFS_VERSION) < 0;
	if (line.wants_help)
		return print_help(&line);
	r = load_settings(&session, &line);
	if (r != 0)
		return r;
	session.wants_json = line.wants_json;
	r = line.command->run(&session, &line.arguments);
	if (fflush(stdout) != 0 && r == EXIT_DONE)
		return complain(EXIT_UNAVAILABLE, NULL, "cannot write the output");
	return r;
}
