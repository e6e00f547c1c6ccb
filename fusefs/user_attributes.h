/* The attributes a user set on an inode beyond those that have a column of their own: byte for byte, counted in the
 * quota. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "shared/model/rows.h"

struct user_attribute {
	struct user_attribute *next;
	size_t name_length, length;
	const char *value;
	char name[]; /* NUL-terminated; the value behind it */
};

struct user_attributes {
	struct user_attribute *first;
	size_t names_bytes; /* of all names, a NUL each: what a list takes */
};

struct user_attributes *user_attributes_new(void); /* NULL on no memory */
void user_attributes_free(struct user_attributes *attributes);
const struct user_attribute *user_attribute_find(const struct user_attributes *attributes, const char *name);
/* An attribute in no set yet; NULL on no memory. */
struct user_attribute *user_attribute_new(const char *name, size_t name_length, const void *value, size_t length);
/* Takes it over, in place of one of the same name. */
void user_attribute_put(struct user_attributes *attributes, struct user_attribute *attribute);
void user_attribute_remove(struct user_attributes *attributes, const char *name);
