/* What a cell's text is: the questions pandas' read_csv asks of it, and the exact type that pandas may lose. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_NULL, /* one of pandas' NA tokens, the empty text among them */
	VALUE_BOOL,
	VALUE_INTEGER,	    /* fits int64 */
	VALUE_UINT64,	    /* fits uint64 only */
	VALUE_HUGE_INTEGER, /* fits neither */
	VALUE_FLOAT,
	VALUE_DATE,	     /* 2024-11-03 */
	VALUE_DATETIME,	     /* 2024-11-03T10:22:31.123, with T or a space */
	VALUE_DATETIME_UTC,  /* … with Z or +00:00 */
	VALUE_DATETIME_ZONE, /* … with another offset */
	VALUE_TEXT,
	VALUE_KIND_COUNT
};

struct value {
	enum value_kind kind;
	bool has_leading_zero;	   /* 007 */
	bool has_exponent;	   /* 1e5, inf */
	uint8_t scale;		   /* behind the point, at most 255 */
	int64_t integer;	   /* VALUE_INTEGER */
	uint64_t unsigned_integer; /* VALUE_UINT64 */
	double number;		   /* of every numeric kind; a bool is 0 or 1 */
};

void value_classify(const char *text, size_t length, struct value *ret_value);
/* pandas' NA tokens (2.x: with None). */
bool value_is_null(const char *text, size_t length);
/* ISO 8601 dates and times within what datetime64[ns] can hold. VALUE_TEXT: it is none. */
enum value_kind value_date_kind(const char *text, size_t length);
