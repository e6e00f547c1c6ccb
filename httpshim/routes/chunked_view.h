/* A chunked upload as its clients know it: {"data": {id, path, content_type, detail, credential, download_url}, …}. */
#pragma once
#include <stdbool.h>
#include "httpshim/schema.h"

struct request;
struct upload_row;

extern const struct schema chunked_init_schema, chunked_chunk_schema, chunked_file_schema, chunked_status_schema;

int chunked_answer(struct request *request, const struct upload_row *row);
const char *chunked_status(const struct upload_row *row); /* PENDING STARTED SUCCESS FAILURE */
/* Whether the query, or the form's credential, is that of a private file. A public one is open. */
bool chunked_query_opens(const struct request *request, const struct upload_row *row);
bool chunked_form_opens(const struct request *request, const struct upload_row *row);
