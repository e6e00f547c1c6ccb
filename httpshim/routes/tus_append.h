/* One request that appends to a tus upload. */
#pragma once
#include <openssl/evp.h>
#include "httpshim/routes/tus.h"

struct tus_append {
	struct upload_row row;
	struct working_file file;
	bool has_begun, is_locked;
	int64_t begun_at, offset, locked_ns;
	char worker[96];
	EVP_MD_CTX *digest; /* NULL: no checksum was sent */
	unsigned char checksum[EVP_MAX_MD_SIZE];
};

void tus_append_free(void *state);
/* Locks the upload and opens its file. 0; -ECANCELED: the answer is set; else a negative errno. */
int tus_append_begin(struct request *request, struct tus_append *append);
/* The body has ended: checks, publishes what is whole, answers. */
int tus_append_end(struct request *request, struct tus_append *append, int status);
/* Writes down how far it is and gives the lock back. */
int tus_append_note(struct request *request, struct tus_append *append, const char *state, const char *error);
