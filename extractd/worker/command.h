/* `extract-worker FILE`: the same extraction behind the same sandbox, printed as JSON. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct command_options {
	const char *file, *media_type; /* media_type NULL: by content */
	const char *ocr_languages;
	bool is_ocr, has_no_sandbox, may_lack_landlock;
	uint32_t time_ms; /* 0: as the daemon's default */
};

/* The exit status: 0, 1 the file is encrypted or corrupt (the JSON says so), 2 it could not be tried. */
int command_main(const struct command_options *options);
