/* Reasons as sentences for people. Private to shared/validate. */
#pragma once
#include "shared/validate/rules_state.h"

/*
 * Writes "name …" (the words alone when name is NULL) and a full stop. The name's control characters and invalid UTF-8
 * are shown as \xNN, and a long one is cut in its middle, since it may be any 255 bytes and the reason must say the
 * rest.
 */
void verdict_refuse(struct verdict *verdict, int error, const char *rule, const char *name, size_t name_length,
		    const char *format, ...) __attribute__((format(printf, 6, 7)));
/* An error that is no refusal: the content could not be judged. */
void verdict_fail(struct verdict *verdict, int error, const char *what);
void verdict_set_media_type(struct verdict *verdict, const char *media_type);
