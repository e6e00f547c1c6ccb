/* What is made of a body, on a worker: JSON, a form, or a stream for the route's hooks. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct request;
struct body_reader;

/* The next bytes, maybe none. False: refused, the answer is set. */
bool body_reader_take(struct request *request, const char *bytes, size_t length);
/* All of it was taken: checks it, runs the handler, sends the answer. Takes over the caller's reference to the request. */
void body_reader_finish(struct request *request);
/* The body broke off or was refused: the route's hooks leave nothing behind. At most once, and not after the handler. */
void body_reader_abandon(struct request *request);
void body_reader_free(struct body_reader *reader);

/* A text field of a form; NULL: not sent. ret_length may be NULL. */
const char *body_form_text(const struct request *request, const char *name, size_t *ret_length);
