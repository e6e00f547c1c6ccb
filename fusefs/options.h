/* The command line of fusefs. */
#pragma once
#include "fusefs/mount.h"

struct config;

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

struct options_files {
	const char *conf_path, *env_path; /* NULL: the default, none */
};

/* Parses argv; prints help and mistakes itself. OPTIONS_DONE: help or version was asked for. */
enum options_result options_parse(int argc, char **argv, struct mount_options *options, struct options_files *files);
/* What the settings say where no option was given; what depends on who runs it: allow_other, and the string for
 * libfuse. Says so when allow_other is not to be had. */
void options_finish(struct mount_options *options, const struct config *config);
