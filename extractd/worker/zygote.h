/* The process that children are forked from: everything loaded once, one thread, no credentials, no way out. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct zygote_options {
	bool is_ocr, may_lack_landlock;
	uid_t uid; /* what it becomes when started as root */
	gid_t gid;
	int nice;
	const char *ocr_languages;
};

/* Serves ZYGOTE_CONTROL_FD until the daemon closes it. Returns the exit status. */
int zygote_main(const struct zygote_options *options);
