/* The headers of a request: which count, which may stand there twice, and what is refused before anything is believed. */
#pragma once
#include <stdbool.h>

struct request;

/*
 * Copies what is looked at into request->headers and settles the length of the body and the request's id. False: the answer is set,
 * 400, and the connection must be closed, since nobody knows where the next request begins.
 */
bool request_headers_take(struct request *request, const char *version);
