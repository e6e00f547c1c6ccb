/* config show, check: what the programs would read. */
#include "adminctl/command.h"
#include "adminctl/session.h"
#include "shared/config/config.h"

static int run_show(struct session *session, const struct arguments *arguments)
{
	(void)arguments;
	config_show(session->config, PROGRAM_ALL, session->wants_json, stdout);
	return EXIT_DONE;
}

/* Reading the settings found no mistake, or main() had said so. What is left: whether each program has what it needs.
 */
static int run_check(struct session *session, const struct arguments *arguments)
{
	static const struct {
		unsigned program;
		const char *name;
	} programs[] = {
		{PROGRAM_FUSEFS, "fusefs"},
		{PROGRAM_EXTRACTD, "extractd"},
		{PROGRAM_ADMINCTL, "adminctl"},
		{PROGRAM_HTTPSHIM, "httpshim"},
	};
	int findings = 0;
	char reason[512];

	(void)arguments;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		bool is_fine = config_check(session->config, programs[i].program, reason, sizeof(reason)) == 0;

		printf("%-10s %s\n", programs[i].name, is_fine ? "ok" : reason);
		findings += !is_fine;
	}
	return findings > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

const struct command cmd_config_show = {
	.group = "config",
	.name = "show",
	.arguments = "",
	.sentence = "List all settings, their values and where each comes from; secrets as ***.",
	.run = run_show,
};

const struct command cmd_config_check = {
	.group = "config",
	.name = "check",
	.arguments = "",
	.sentence = "Check whether each program has the settings it needs.",
	.run = run_check,
};
