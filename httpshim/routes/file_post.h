/* POST /api/v1/files: a dataset or a scan, which is known when the last part of the form is there. */
#pragma once
#include "httpshim/schema.h"

struct request;
struct upload_sink;

extern const struct schema file_post_schema, file_post_answer_schema;
int file_post(struct request *request);
/*
 * Gives an upload its name and waits for the commit. -ECANCELED: the answer is set. Shared with POST /api/v1/files/upload.
 */
int file_post_store(struct request *request, struct upload_sink *sink);
