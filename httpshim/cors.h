/* Cross-origin requests (CORS), by an exact list of origins, never with a wildcard; and the answers to OPTIONS. */
#pragma once

struct request;
struct MHD_Response;
struct buf;

/* OPTIONS of a path that exists: what it allows, for CORS and for tus. */
void cors_answer_options(struct request *request);
void cors_answer_wrong_method(struct request *request); /* 405 with Allow */
/* Adds what the caller's origin needs to see any answer; to a response, or as header lines to a raw one. */
void cors_decorate(const struct request *request, struct MHD_Response *response);
void cors_put(const struct request *request, struct buf *buf);
