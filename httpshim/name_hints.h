/*
 * Which number a taken name got last, so that the thousandth upload of the same name does not try nine hundred others first. A
 * hint that is wrong or missing costs tries, nothing else. Thread-safe.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct name_hints;
int name_hints_new(struct name_hints **ret_hints);
void name_hints_free(struct name_hints *hints);
/* The number to try next for a name in a folder: 1 is the name itself, 2 "name (2)", …. Each call gives another one. */
int64_t name_hints_next(struct name_hints *hints, int64_t tenant_id, const char *folder, const char *name, size_t length);
/* This number was taken: go on behind it. */
void name_hints_taken(struct name_hints *hints, int64_t tenant_id, const char *folder, const char *name, size_t length,
		      int64_t number);

enum { NAME_HINT_NAME_SIZE = 256 };
/* "name.ext", number 3 → "name (3).ext", cut at a character boundary to 255 bytes. Returns its length. */
size_t name_hints_format(const char *name, size_t length, int64_t number, char ret_name[NAME_HINT_NAME_SIZE]);
