#include "httpshim/schema.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/text.h"

enum { PROBLEMS_MAX = 50 };
#define SECONDS_MAX 9200000000LL

/* Where a value stands: "body", then names and indexes down to it. */
struct location {
	const struct location *above;
	const char *name;
	size_t index; /* when name is NULL */
};

static json_t *location_json(const struct location *location)
{
	json_t *list;

	if (!location)
		return json_array();
	list = location_json(location->above);
	json_array_append_new(list, location->name ? json_string(location->name)
						   : json_integer((json_int_t)location->index));
	return list;
}

static void add(struct problems *problems, const struct location *location, const char *type, const char *message)
{
	if (!problems->list)
		problems->list = json_array();
	if (json_array_size(problems->list) >= PROBLEMS_MAX)
		return;
	json_array_append_new(problems->list, json_pack("{s:o, s:s, s:s}", "loc", location_json(location), "msg", message,
							"type", type));
}

void problems_add(struct problems *problems, const char *where, const char *field, const char *type, const char *message)
{
	struct location outer = {.name = where};
	struct location inner = {.above = &outer, .name = field};

	add(problems, field ? &inner : &outer, type, message);
}

void problems_release(struct problems *problems)
{
	json_decref(problems->list);
	problems->list = NULL;
}

bool schema_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != '-')
			return false;
	}
	return text[sizeof(form) - 1] == '\0';
}

/* The offset behind the seconds: Z, +hh:mm, -hh:mm, or nothing, which is UTC. */
static int take_offset(const char *text, int64_t *ret_seconds)
{
	int hours, minutes;
	char sign;

	*ret_seconds = 0;
	if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if (strlen(text) != 6 || sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-') ||
	    hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -EINVAL;
	*ret_seconds = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

int schema_time_parse(const char *text, int64_t *ret_time_ns)
{
	struct tm tm = {0}, check;
	int64_t nanoseconds = 0, offset_s = 0, scale = NS_PER_S / 10;
	const char *at;
	time_t seconds;

	at = strptime(text, "%Y-%m-%d", &tm);
	if (!at || at - text != 10)
		return -EINVAL;
	if (*at == 'T' || *at == 't' || *at == ' ') {
		at = strptime(at + 1, "%H:%M:%S", &tm);
		if (!at || at - text != 19 || tm.tm_sec > 59)
			return -EINVAL;
		if (*at == '.') {
			for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
				nanoseconds += (*at - '0') * scale;
		}
		if (take_offset(at, &offset_s) < 0)
			return -EINVAL;
	} else if (*at != '\0') {
		return -EINVAL;
	}
	check = tm;
	seconds = timegm(&check);
	if (check.tm_mday != tm.tm_mday)
		return -EINVAL;
	/* Nanoseconds since 1970 end in 2262; what lies beyond is as good as the end. */
	if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX)
		seconds = seconds > 0 ? SECONDS_MAX : -SECONDS_MAX;
	*ret_time_ns = (seconds - offset_s) * NS_PER_S + nanoseconds;
	return 0;
}

/* --- checking --------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *words, const char *value)
{
	size_t length = strlen(value);

	for (const char *at = words; *at;) {
		size_t word = strcspn(at, "|");

		if (word == length && memcmp(at, value, length) == 0)
			return true;
		at += word + (at[word] == '|');
	}
	return false;
}

static void check_string(const struct field *field, const char *value, size_t length, const struct location *location,
			 struct problems *problems)
{
	char message[256];
	int64_t time_ns;

	if (field->words && !is_one_of(field->words, value)) {
		snprintf(message, sizeof(message), "Input should be one of %s", field->words);
		add(problems, location, "enum", message);
	} else if (field->type == FIELD_UUID && !schema_is_uuid(value)) {
		add(problems, location, "uuid_parsing", "Input should be a valid UUID");
	} else if (field->type == FIELD_FILE_ID && !file_id_is_valid(value, length)) {
		add(problems, location, "file_id", "Input should be a file id, fs_ and 22 letters and digits");
	} else if (field->type == FIELD_TIME && schema_time_parse(value, &time_ns) < 0) {
		add(problems, location, "datetime_parsing", "Input should be a time like 2026-11-03T10:22:31Z");
	} else if (field->maximum > 0 && (int64_t)length > field->maximum) {
		snprintf(message, sizeof(message), "String should have at most %lld bytes", (long long)field->maximum);
		add(problems, location, "string_too_long", message);
	} else if ((int64_t)length < field->minimum) {
		snprintf(message, sizeof(message), "String should have at least %lld bytes", (long long)field->minimum);
		add(problems, location, "string_too_short", message);
	} else if (strlen(value) != length) {
		add(problems, location, "string_nul", "Input should not hold a NUL character");
	}
}

static void check_number(const struct field *field, double value, const struct location *location,
			 struct problems *problems)
{
	char message[96];

	if (field->minimum == 0 && field->maximum == 0)
		return;
	if (value < (double)field->minimum) {
		snprintf(message, sizeof(message), "Input should be greater than or equal to %lld", (long long)field->minimum);
		add(problems, location, "greater_than_equal", message);
	} else if (value > (double)field->maximum) {
		snprintf(message, sizeof(message), "Input should be less than or equal to %lld", (long long)field->maximum);
		add(problems, location, "less_than_equal", message);
	}
}

static void check_value(const struct field *field, const json_t *value, const struct location *location,
			struct problems *problems);

static const struct field *find_field(const struct field *fields, const char *name)
{
	for (const struct field *field = fields; field && field->name; field++) {
		if (strcmp(field->name, name) == 0)
			return field;
	}
	return NULL;
}

static void check_object(const struct schema *schema, const json_t *value, const struct location *location,
			 struct problems *problems)
{
	const char *name;
	json_t *member;

	if (!schema || !schema->fields)
		return;
	for (const struct field *field = schema->fields; field->name; field++) {
		struct location inner = {.above = location, .name = field->name};

		member = json_object_get(value, field->name);
		if (!member) {
			if (field->flags & FIELD_REQUIRED)
				add(problems, &inner, "missing", "Field required");
			continue;
		}
		check_value(field, member, &inner, problems);
	}
	if (schema->flags & FIELD_OPEN)
		return;
	/* jansson's loop takes no const object and changes none. */
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		struct location inner = {.above = location, .name = name};

		if (!find_field(schema->fields, name))
			add(problems, &inner, "extra_forbidden", "There is no such field");
	}
}

static void check_array(const struct field *field, const json_t *value, const struct location *location,
			struct problems *problems)
{
	const struct schema *element = field->of;
	struct field each = {.type = element ? element->type : FIELD_ANY, .of = element, .words = element ? element->words : NULL};
	char message[96];

	if (field->maximum > 0 && (int64_t)json_array_size(value) > field->maximum) {
		snprintf(message, sizeof(message), "List should have at most %lld items", (long long)field->maximum);
		add(problems, location, "too_long", message);
		return;
	}
	if ((int64_t)json_array_size(value) < field->minimum) {
		snprintf(message, sizeof(message), "List should have at least %lld items", (long long)field->minimum);
		add(problems, location, "too_short", message);
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct location inner = {.above = location, .index = i};

		check_value(&each, json_array_get(value, i), &inner, problems);
	}
}

static void check_value(const struct field *field, const json_t *value, const struct location *location,
			struct problems *problems)
{
	if (json_is_null(value) && (field->flags & FIELD_NULLABLE))
		return;
	switch (field->type) {
	case FIELD_ANY:
		break;
	case FIELD_INTEGER:
		if (!json_is_integer(value))
			add(problems, location, "int_type", "Input should be a valid integer");
		else
			check_number(field, (double)json_integer_value(value), location, problems);
		break;
	case FIELD_NUMBER:
		if (!json_is_number(value))
			add(problems, location, "float_type", "Input should be a valid number");
		else
			check_number(field, json_number_value(value), location, problems);
		break;
	case FIELD_BOOLEAN:
		if (!json_is_boolean(value))
			add(problems, location, "bool_type", "Input should be a valid boolean");
		break;
	case FIELD_OBJECT:
		if (!json_is_object(value))
			add(problems, location, "dict_type", "Input should be a valid object");
		else
			check_object(field->of, value, location, problems);
		break;
	case FIELD_ARRAY:
		if (!json_is_array(value))
			add(problems, location, "list_type", "Input should be a valid list");
		else
			check_array(field, value, location, problems);
		break;
	default:
		if (!json_is_string(value))
			add(problems, location, "string_type", "Input should be a valid string");
		else
			check_string(field, json_string_value(value), json_string_length(value), location, problems);
		break;
	}
}

void schema_check(const struct schema *schema, const json_t *value, const char *where, struct problems *problems)
{
	struct location location = {.name = where};
	struct field field = {.type = schema->type, .of = schema, .words = schema->words};

	if (schema->type == FIELD_ARRAY)
		field.of = schema->of;
	check_value(&field, value, &location, problems);
}

void schema_check_text(const struct field *field, const char *value, size_t length, const char *where,
		       struct problems *problems)
{
	struct location outer = {.name = where};
	struct location location = {.above = &outer, .name = field->name};
	int64_t number;
	json_t *json;

	switch (field->type) {
	case FIELD_INTEGER:
		if (int64_parse(value, &number) < 0)
			add(problems, &location, "int_parsing", "Input should be a valid integer");
		else
			check_number(field, (double)number, &location, problems);
		break;
	case FIELD_BOOLEAN:
		if (!is_one_of("true|false|1|0|yes|no|on|off", value))
			add(problems, &location, "bool_parsing", "Input should be a valid boolean");
		break;
	case FIELD_JSON_TEXT:
		json = json_loadb(value, length, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(json))
			add(problems, &location, "json_invalid", "Input should be a JSON object");
		json_decref(json);
		break;
	case FIELD_BINARY:
	case FIELD_ANY:
		break;
	default:
		check_string(field, value, length, &location, problems);
		break;
	}
}
