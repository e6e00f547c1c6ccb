/* The command line: which command, its arguments and options, and the options every command takes. */
#pragma once
#include <stdint.h>
#include "adminctl/command.h"

enum { SETTINGS_MAX = 32 };

struct command_line {
	const struct command *command; /* NULL: help is wanted, of help_group or of everything */
	const char *help_group;
	bool wants_help, wants_json, wants_version, is_verbose;
	const char *config_path, *env_path;
	const char *settings[SETTINGS_MAX]; /* NAME=VALUE of --set */
	int setting_count;
	struct arguments arguments;
};

/* 0, or EXIT_USAGE after the complaint. argv is reordered: the arguments come together. */
int command_line_parse(int argc, char **argv, struct command_line *ret_line);

/* Values of options. Each returns 0 or EXIT_USAGE after a complaint that names the option. */
int option_size(const char *option, const char *value, int64_t *ret_bytes);
int option_count(const char *option, const char *value, int64_t *ret_count);
int option_time(const char *option, const char *value, int64_t *ret_time_ns); /* 2026-11-03, RFC 3339, or an age: 2d */
