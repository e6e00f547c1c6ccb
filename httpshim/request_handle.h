/* Running a request's handler on a worker, and handing its answer back to the connection. */
#pragma once
#include <stdbool.h>

struct request;

/* Finds the tenant that the request acts in, once. False: the answer is set. May wait for PostgreSQL. */
bool request_prepare(struct request *request);
/* Whether the tenant must be found by what the request names; that takes a look into the database. */
bool request_must_locate(const struct request *request);
/* On a worker: prepares, runs the handler or, after parking, what goes on; then answers. Takes over the reference. */
void request_handle(struct request *request);
/* The answer is set: the epoll thread may have the request back. Takes over the reference. */
void request_answer(struct request *request);
