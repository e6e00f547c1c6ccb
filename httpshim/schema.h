/*
 * What a request may hold and what an answer holds, as tables: the same ones check the input and write the OpenAPI document, so
 * neither can promise what the other does not keep.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum field_type {
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_OBJECT,	 /* of: its fields; NULL: any JSON object */
	FIELD_ARRAY,	 /* of: its elements */
	FIELD_UUID,
	FIELD_TIME,	 /* RFC 3339 */
	FIELD_FILE_ID,	 /* fs_… */
	FIELD_JSON_TEXT, /* in forms: a JSON object as text */
	FIELD_BINARY,	 /* in forms: a file */
	FIELD_ANY,
};

enum { FIELD_REQUIRED = 1, FIELD_NULLABLE = 2, FIELD_OPEN = 4 /* an object whose further members are welcome */ };

struct schema;

struct field {
	const char *name; /* NULL closes a list */
	enum field_type type;
	unsigned flags;
	int64_t minimum, maximum; /* of a number; of the bytes of a string; of the elements of an array. 0, 0: any */
	const struct schema *of;
	const char *words; /* "text|metadata|full": the only values of a string */
	const char *about; /* a sentence for the document */
};

struct schema {
	const char *name;	    /* a component of the document; NULL: written in place */
	enum field_type type;
	const struct field *fields; /* of an object */
	unsigned flags;
	const struct schema *of; /* elements of an array */
	const char *words;	 /* of a string */
	const char *about;
};

/* The list of what is wrong with a request, FastAPI's {"detail": [{"loc", "msg", "type"}]}. */
struct problems {
	json_t *list; /* NULL: nothing wrong so far */
};
void problems_add(struct problems *problems, const char *where, const char *field, const char *type, const char *message);
void problems_release(struct problems *problems);

/* Checks a JSON value against a schema; where is the first of loc: "body". Nothing is added when it is as it should be. */
void schema_check(const struct schema *schema, const json_t *value, const char *where, struct problems *problems);
/* Checks one text value from a path, a query or a form. */
void schema_check_text(const struct field *field, const char *value, size_t length, const char *where,
		       struct problems *problems);
/* Appends the JSON Schema (2020-12) of a field or a schema; named schemas become references. */
struct buf;
void schema_put(struct buf *buf, const struct schema *schema, bool by_reference);
void schema_put_field(struct buf *buf, const struct field *field);
/* Calls visit for every named schema below one, itself included. */
void schema_visit(const struct schema *schema, void (*visit)(const struct schema *named, void *context), void *context);

/* "2026-11-03T10:22:31.5Z" or with an offset, also a date alone; -EINVAL. */
int schema_time_parse(const char *text, int64_t *ret_time_ns);
bool schema_is_uuid(const char *text);
