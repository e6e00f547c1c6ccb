/*
 * A command of adminctl: `adminctl GROUP NAME ARGUMENT… --option`. Each lives in a cmd_*.c of its own and is named in
 * the table of commands.c; parsing and --help read the same description.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* What the exit code means, the same for every command; documented in --help and docs/administer.md. */
enum exit_code {
	EXIT_DONE = 0,	      /* done, or checked and clean */
	EXIT_FINDINGS = 1,    /* checked, and something is wrong; or the request was refused as it stands */
	EXIT_UNAVAILABLE = 2, /* could not be done or checked: something it needs is away or failed */
	EXIT_NOT_FOUND = 3,   /* no such tenant, file or job */
	EXIT_EXISTS = 4,      /* there already */
	EXIT_USAGE = 64	      /* no such command or option, or a value that makes no sense */
};

enum { OPTIONS_MAX = 24 };

struct option {
	const char *name;     /* without the dashes; NULL ends the table */
	const char *argument; /* "SIZE"; NULL: a flag */
	const char *sentence;
};

struct arguments {
	int count;
	const char *const *values;
	const char *options[OPTIONS_MAX]; /* by the place in the command's table; "" for a flag; NULL: not given */
};

struct session;

struct command {
	const char *group;     /* "tenant" */
	const char *name;      /* "create"; "" when the group is a command itself */
	const char *arguments; /* "CODE" as --help shows them */
	int arguments_min, arguments_max;
	const char *sentence;
	const char *details;	      /* further lines for --help, or NULL */
	const struct option *options; /* NULL: none of its own */
	/* Returns an enum exit_code, after it has said why when that is not EXIT_DONE. */
	int (*run)(struct session *session, const struct arguments *arguments);
};

/* All commands, in the order of --help; ends with NULL. */
extern const struct command *const commands[];
/* The options every command takes. */
extern const struct option global_options[];

/* Finds a command; name NULL or "" for a group that is one itself. NULL: none. */
const struct command *command_find(const char *group, const char *name);
bool command_group_exists(const char *group);

void help_all(FILE *out);
void help_group(const char *group, FILE *out);
void help_command(const struct command *command, FILE *out);

extern const struct command cmd_tenant_create, cmd_tenant_list, cmd_tenant_show, cmd_tenant_set, cmd_tenant_delete,
	cmd_tenant_stats, cmd_tenant_rejections;
extern const struct command cmd_file_list, cmd_file_show;
extern const struct command cmd_job_list, cmd_job_show, cmd_job_stats, cmd_job_retry, cmd_job_cancel, cmd_job_rerun;
extern const struct command cmd_fsck, cmd_quota_check, cmd_migrate, cmd_doctor;
extern const struct command cmd_token_create, cmd_token_inspect;
extern const struct command cmd_config_show, cmd_config_check;
