/* What extensions promise and what media types are: one table each. Private to shared/validate. */
#pragma once
#include <stdbool.h>

/* Bits, since some content is several: a DOCX is a document and a ZIP archive, an Ogg file holds sound or pictures or
 * both. */
enum {
	FAMILY_TEXT = 1,
	FAMILY_DOCUMENT = 2,
	FAMILY_IMAGE = 4,
	FAMILY_AUDIO = 8,
	FAMILY_VIDEO = 16,
	FAMILY_ARCHIVE = 32,
	FAMILY_EXECUTABLE = 64
};

struct extension_type {
	const char *extension;
	const char *media_type; /* what text content of this extension is called; NULL: as it looks */
	const char *words;	/* "a PDF document" */
	unsigned families;
	bool is_default;  /* among the extensions a new tenant takes */
	bool is_readable; /* an archive that we read, and refuse when it cannot be read */
};

/* NULL: nothing is known of it. */
const struct extension_type *extension_type_find(const char *extension);
/* One after another, for the default list; NULL at the end. */
const struct extension_type *extension_type_at(unsigned i);

/* 0: unknown, which contradicts nothing. */
unsigned media_type_families(const char *media_type);
/* "an executable"; families of media_type_families(), not 0. */
const char *family_words(unsigned families);
