/*
 * A file being written through the mount: under a working name in the tenant's current month until it is whole, then under its own.
 *
 * Belongs to one thread at a time. What is neither published nor discarded stays as a working name, which the sweep removes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/model/rows.h"

struct request;
struct server;
struct tenant;

enum { WORKING_PATH_SIZE = 1100, FILE_NAME_SIZE = 256 };

struct working_file {
	struct server *server;
	struct tenant *tenant; /* a reference */
	int fd;		       /* -1: closed, or none */
	bool has_name;	       /* the working name is there */
	bool was_refused;      /* the mount said no: -EPERM, -EFBIG, -EDQUOT, … */
	uint64_t size_bytes;
	char folder[WORKING_PATH_SIZE]; /* below the tenant: where it gets its name; the current month */
	char path[WORKING_PATH_SIZE];	/* the working name, then the visible one */
	char file_id[FILE_ID_SIZE];
};

/* What is set on the file before it gets its name; absent: NULL. */
struct file_attributes {
	struct bytes tags, description, metadata; /* metadata: a JSON object */
	bool is_public;
};

#define WORKING_FILE_NONE ((struct working_file){.fd = -1})

/*
 * What a name may be: 1 to 255 bytes, no slash, no NUL, not . or .., no dot in front (that is a working name). NULL: fine, else
 * why not.
 */
const char *working_file_check_name(const char *name, size_t length);

/*
 * Creates it, for the sub of a token. extension: of the name it will get ("csv"), "" when that is not known: what is stored keeps the
 * extension it was first published under, and readers of the content go by it.
 */
int working_file_begin(struct server *server, struct tenant *tenant, const char *subject, const char *extension,
		       struct working_file *ret_file);
/* It holds a part of a file: rules about content wait until all of it stands under a visible name. Where the mount does not know
 * that, they hold at once. */
int working_file_mark_partial(struct working_file *file);
int working_file_write(struct working_file *file, const void *bytes, size_t length);
/* Ends the writing: the mount's verdict about the content. */
int working_file_close(struct working_file *file);
int working_file_set_attributes(struct working_file *file, const struct file_attributes *attributes);
/*
 * Closes it and gives it its name in its month; when that is taken the next free "name (2).ext", or, when it must be exact, -EEXIST.
 * original: the name as it was sent, kept where the entry's differs.
 */
int working_file_publish(struct working_file *file, const struct bytes *name, const struct bytes *original, bool exact);
/* Waits until what was done is in PostgreSQL. */
int working_file_wait(struct working_file *file);
/* Closes and removes it; leaves the struct empty. Also after publishing, when nothing is removed. */
void working_file_release(struct working_file *file);

/*
 * Answers for a write that the mount refused, with the reason it noted: 422 for a rule, 413, 507, 403, 503. With a list of loc
 * only for malformed fields, so detail is a sentence.
 */
int working_file_answer_refusal(struct request *request, struct working_file *file, int error);
