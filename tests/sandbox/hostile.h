/* The attacks of the hostile worker: system.c on what is around it, daemon.c on whoever reads its answer. */
#pragma once
#include "extractd/worker/extractor.h"

struct order {
	char line[1024];
	const char *name, *argument;
};

struct attack {
	const char *name;
	int (*run)(struct extract_input *in, struct sink *sink, const char *argument);
};

extern const struct attack attacks_on_system[], attacks_on_daemon[]; /* the last has name NULL */

/* "refused: ERRNO" by errno, or "SUCCEEDED". */
void tell(struct sink *sink, long result);
void crash_here(void);
