/*
 * The fields of a form as they come in: texts are kept, within bounds; a file is handed to the route's hooks. Fields that the route
 * does not know are read over.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "httpshim/multipart.h"

struct request;
struct form;

enum { FORM_TEXT_BYTES_MAX = 1 << 20 /* all texts of a form together */ };

int form_new(struct request *request, struct form **ret_form);
void form_free(struct form *form);
extern const struct multipart_events form_events; /* with the form as context */
/* From application/x-www-form-urlencoded. Negative errno as query_parse(). */
int form_take_urlencoded(struct form *form, const char *text, size_t length);
/* All of it is there: checks the fields against the route's schema. False: the answer is set, 422. */
bool form_check(struct form *form);
const char *form_text(const struct form *form, const char *name, size_t *ret_length);
