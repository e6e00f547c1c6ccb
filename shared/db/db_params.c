/* Parameters of a statement, in PostgreSQL's binary format. */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "shared/db/db_wire.h"

void db_params_init(struct db_params *params)
{
	/* Only what is counted is ever read: the arrays need no clearing. */
	params->count = 0;
	params->error = 0;
}

void db_params_release(struct db_params *params)
{
	for (int i = 0; i < params->count; i++)
		free(params->owned[i]);
	params->count = 0;
}

/* The place of the next parameter, -1 when there is none. */
static int add(struct db_params *params, uint32_t type, const char *value, size_t length)
{
	int i = params->count;

	if (i >= DB_PARAMS_MAX || length > INT_MAX) {
		params->error = params->error < 0 ? params->error : -E2BIG;
		return -1;
	}
	params->types[i] = type;
	params->values[i] = value;
	params->lengths[i] = (int)length;
	params->formats[i] = 1;
	params->owned[i] = NULL;
	params->count++;
	return i;
}

static void add_inline(struct db_params *params, uint32_t type, const void *value, size_t length)
{
	int i = add(params, type, "", length);

	if (i < 0)
		return;
	memcpy(params->inline_values[i], value, length);
	params->values[i] = params->inline_values[i];
}

static void add_owned(struct db_params *params, uint32_t type, char *value, size_t length)
{
	int i = value ? add(params, type, value, length) : -1;

	if (!value && params->error == 0)
		params->error = -ENOMEM;
	if (i >= 0)
		params->owned[i] = value;
	else
		free(value);
}

void db_param_null(struct db_params *params)
{
	add(params, 0, NULL, 0);
}

void db_param_int(struct db_params *params, int64_t value)
{
	uint64_t wire = htobe64((uint64_t)value);

	add_inline(params, DB_TYPE_INT8, &wire, sizeof(wire));
}

void db_param_int_or_null(struct db_params *params, int64_t value, bool is_null)
{
	if (is_null)
		add(params, DB_TYPE_INT8, NULL, 0);
	else
		db_param_int(params, value);
}

void db_param_bool(struct db_params *params, bool value)
{
	char wire = value ? 1 : 0;

	add_inline(params, DB_TYPE_BOOL, &wire, sizeof(wire));
}

void db_param_double(struct db_params *params, double value)
{
	uint64_t wire;

	memcpy(&wire, &value, sizeof(wire));
	wire = htobe64(wire);
	add_inline(params, DB_TYPE_FLOAT8, &wire, sizeof(wire));
}

void db_param_char(struct db_params *params, char value)
{
	add_inline(params, DB_TYPE_CHAR, &value, sizeof(value));
}

void db_param_text(struct db_params *params, const char *text)
{
	add(params, DB_TYPE_TEXT, text, text ? strlen(text) : 0);
}

void db_param_text_n(struct db_params *params, const char *text, size_t length)
{
	add(params, DB_TYPE_TEXT, text, text ? length : 0);
}

void db_param_bytes(struct db_params *params, const void *bytes, size_t length)
{
	add(params, DB_TYPE_BYTEA, bytes, bytes ? length : 0);
}

void db_param_json(struct db_params *params, const char *json, size_t length)
{
	char *wire;

	if (!json) {
		add(params, DB_TYPE_JSONB, NULL, 0);
		return;
	}
	wire = malloc(length + 1);
	if (wire) {
		wire[0] = 1; /* version of jsonb's binary format, text follows */
		memcpy(wire + 1, json, length);
	}
	add_owned(params, DB_TYPE_JSONB, wire, length + 1);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 8-4-4-4-12 hex digits. */
static bool parse_uuid(const char *text, uint8_t ret_bytes[16])
{
	for (int i = 0; i < 16; i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*text++ != '-')
				return false;
		}
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high * 16 + low);
		text += 2;
	}
	return *text == '\0';
}

void db_param_uuid(struct db_params *params, const char *uuid_text)
{
	uint8_t bytes[16] = {0};

	if (!uuid_text) {
		add(params, DB_TYPE_UUID, NULL, 0);
		return;
	}
	if (!parse_uuid(uuid_text, bytes) && params->error == 0)
		params->error = -EINVAL;
	add_inline(params, DB_TYPE_UUID, bytes, sizeof(bytes));
}

void db_param_time(struct db_params *params, int64_t time_ns)
{
	uint64_t wire = htobe64((uint64_t)time_to_postgres(time_ns));

	add_inline(params, DB_TYPE_TIMESTAMPTZ, &wire, sizeof(wire));
}

void db_param_array(struct db_params *params, const struct db_array *array)
{
	size_t length = 0;
	uint32_t type = db_array_type(array->element_type);
	char *wire;

	if (array->error < 0) {
		params->error = params->error < 0 ? params->error : array->error;
		return;
	}
	wire = db_array_encode(array, &length);
	add_owned(params, type, wire, length);
}
