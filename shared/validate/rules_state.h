/* What rules_parse made of a tenant's configuration. Private to shared/validate; immutable. */
#pragma once
#include <stdatomic.h>
#include "shared/validate/validate.h"

enum {
	EXTENSION_SIZE = 33, /* "tar.gz" and NUL; compound ones are compared with the end of the name */
	MEDIA_PATTERN_SIZE = 128,
	LIST_ENTRIES_MAX = 1000,
	ZIP_DEPTH_MAX = 32,
	RETENTION_DAYS_MAX = 36500
};

struct extension_list {
	bool is_any;	 /* "*": also names without an extension */
	bool holds_none; /* "": names without an extension */
	unsigned count;
	char (*items)[EXTENSION_SIZE];
};

struct pattern_list {
	unsigned count;
	char (*items)[MEDIA_PATTERN_SIZE]; /* lower case: "application/pdf", "image/" followed by a star, "*" */
};

struct rules {
	atomic_uint references;
	struct extension_list allowed_extensions, denied_extensions;
	struct pattern_list allowed_media_types, denied_media_types; /* an empty list of allowed ones: any */
	int64_t max_file_size;					     /* bytes */
	int64_t retention_days;
	int max_zip_depth;
	bool judges_contradiction; /* content against extension, archives that are none */
	bool judges_archives;	   /* depth and bombs */
};

/* rules_list.c */
/* A comma-separated text or one word of a list into list. False: it cannot be an extension, a media type or a pattern
 * of one. */
bool extension_list_add(struct extension_list *list, const char *word);
bool pattern_list_add(struct pattern_list *list, const char *word);
void extension_list_release(struct extension_list *list);
void pattern_list_release(struct pattern_list *list);
bool extension_list_has(const struct extension_list *list, const char *name, size_t length);
bool pattern_list_has(const struct pattern_list *list, const char *media_type);
