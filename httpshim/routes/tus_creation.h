/* Creating tus uploads. */
#pragma once
#include "httpshim/routes/tus.h"

struct tus_creation {
	json_t *metadata;
	int64_t length; /* -1: deferred, or of a final upload */
	bool is_partial;
	const char *final_of; /* the partial uploads' URLs, divided by blanks */
};

extern const struct route_hooks tus_create_hooks;
int tus_create(struct request *request);
/*
 * The final upload out of its partial ones (tus_concatenation.c). 1: answered with 201; -ECANCELED: refused, the answer is set.
 */
int tus_concatenate(struct request *request, const struct tus_creation *creation);
void tus_put_location(struct request *request, const struct upload_row *row);
