/* The table of commands, and --help, which reads it. */
#include <string.h>
#include "adminctl/command.h"

const struct command *const commands[] = {
	&cmd_tenant_create,
	&cmd_tenant_list,
	&cmd_tenant_show,
	&cmd_tenant_set,
	&cmd_tenant_delete,
	&cmd_tenant_stats,
	&cmd_tenant_rejections,
	&cmd_file_list,
	&cmd_file_show,
	&cmd_job_list,
	&cmd_job_show,
	&cmd_job_stats,
	&cmd_job_retry,
	&cmd_job_cancel,
	&cmd_job_rerun,
	&cmd_fsck,
	&cmd_quota_check,
	&cmd_migrate,
	&cmd_doctor,
	&cmd_token_create,
	&cmd_token_inspect,
	&cmd_config_show,
	&cmd_config_check,
	NULL,
};

const struct command *command_find(const char *group, const char *name)
{
	for (int i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->group, group) == 0 && strcmp(commands[i]->name, name != NULL ? name : "") == 0)
			return commands[i];
	return NULL;
}

bool command_group_exists(const char *group)
{
	for (int i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->group, group) == 0)
			return true;
	return false;
}

static void print_line(const struct command *command, FILE *out)
{
	char words[80];

	snprintf(words, sizeof(words), "%s%s%s %s", command->group, command->name[0] != '\0' ? " " : "", command->name,
		 command->arguments);
	fprintf(out, "  %-30s %s\n", words, command->sentence);
}

static void print_options(const struct option *options, FILE *out)
{
	char words[64];

	for (int i = 0; options != NULL && options[i].name != NULL; i++) {
		snprintf(words, sizeof(words), "--%s%s%s", options[i].name, options[i].argument != NULL ? " " : "",
			 options[i].argument != NULL ? options[i].argument : "");
		fprintf(out, "  %-30s %s\n", words, options[i].sentence);
	}
}

static void print_exit_codes(FILE *out)
{
	fputs("\nExit codes:\n"
	      "  0   done, or checked and clean\n"
	      "  1   checked, and something is wrong; or refused as it stands\n"
	      "  2   could not be done or checked: something it needs is away or failed\n"
	      "  3   no such tenant, file or job\n"
	      "  4   there already\n"
	      "  64  no such command or option, or a value that makes no sense\n",
	      out);
}

void help_all(FILE *out)
{
	const char *group = "";

	fputs("adminctl: tenants, files, jobs and checks of tenantfs\n\nUsage: adminctl COMMAND [ARGUMENT…] "
	      "[OPTION…]\n",
	      out);
	for (int i = 0; commands[i] != NULL; i++) {
		if (strcmp(group, commands[i]->group) != 0)
			fputc('\n', out);
		group = commands[i]->group;
		print_line(commands[i], out);
	}
	fputs("\nOptions of every command:\n", out);
	print_options(global_options, out);
	print_exit_codes(out);
	fputs("\nSettings come from /etc/tenantfs/tenantfs.conf, a .env file, the environment and --set, the later "
	      "wins;\n"
	      "`adminctl config show` lists them. `adminctl COMMAND --help` explains one command.\n",
	      out);
}

void help_group(const char *group, FILE *out)
{
	for (int i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->group, group) == 0)
			print_line(commands[i], out);
}

void help_command(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: adminctl %s%s%s%s%s%s\n\n%s\n", command->group, command->name[0] != '\0' ? " " : "",
		command->name, command->arguments[0] != '\0' ? " " : "", command->arguments,
		command->options != NULL ? " [OPTION…]" : "", command->sentence);
	if (command->details != NULL)
		fprintf(out, "\n%s\n", command->details);
	if (command->options != NULL) {
		fputs("\nOptions:\n", out);
		print_options(command->options, out);
	}
	fputs("\nOptions of every command:\n", out);
	print_options(global_options, out);
	print_exit_codes(out);
}
