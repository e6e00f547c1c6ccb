/* What is known of a content's extraction: a copy of what the loader read, shared by reference. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "fusefs/loader.h"

struct extraction {
	_Atomic int references;
	size_t bytes;		      /* of memory */
	struct loaded_extraction row; /* its strings and pages lie behind it */
};

/* NULL on no memory. */
struct extraction *extraction_new(const struct loaded_extraction *row);
struct extraction *extraction_ref(struct extraction *extraction);
void extraction_unref(struct extraction *extraction);
/* Its job is over: it changes no more until extractd sets .touch. */
bool extraction_is_final(const struct extraction *extraction);
/* "pending", "processing", "completed", "failed": user.extract.status. NULL: there is no job. */
const char *extraction_status(const struct extraction *extraction);
