/* The file of an upload form on its way into the mount: hooks for the routes that store a whole file. */
#pragma once
#include <stdbool.h>
#include "httpshim/route.h"
#include "httpshim/working_file.h"

struct request;

/* What request->state is while such a form comes in, and in its handler. */
struct upload_sink {
	struct working_file file;
	char name[FILE_NAME_SIZE]; /* as sent */
	size_t name_length;
	bool has_file;
	/* of a dataset, while its summary is waited for */
	char upload_id[37];
	uint8_t sha256[DIGEST_SIZE];
};

extern const struct route_hooks upload_sink_hooks;

/* For handlers: the sink, with a file in it. NULL: none was sent, the answer is set. */
struct upload_sink *upload_sink_of(struct request *request);
/*
 * The tenant that the form names, when it came behind the file: moves the file there. 0, or -ECANCELED: the answer is set.
 */
int upload_sink_settle_tenant(struct request *request);
/* tags, metadata, description and visibility of the form. The texts live as long as the request, tags in the buffer. -ECANCELED. */
struct buf;
int upload_sink_attributes(struct request *request, struct buf *tags, struct file_attributes *ret_attributes);
/* Tags as a comma-separated list, from such a list or a JSON array. -EINVAL: a tag with a comma, or no list. */
int upload_tags_normalise(const char *text, size_t length, struct buf *ret_tags);
