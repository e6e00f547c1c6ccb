/* Reading rows. Asking a column for a type it does not have is our own mistake: assert. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/digest.h"
#include "shared/base/text.h"
#include "shared/db/db_connection.h"
#include "shared/db/db_wire.h"

enum { TYPE_INT2 = 21, TYPE_OID = 26, TYPE_INT8_ARRAY = 1016 };

/* A db_result is libpq's, under a name of ours: wrapping must not be able to fail when a COMMIT has taken place. */
struct db_result *db_result_wrap(PGresult *rows)
{
	return (struct db_result *)(void *)rows;
}

/* libpq takes a non-const one even where it only reads. */
static PGresult *rows_of(const struct db_result *result)
{
	return (PGresult *)(uintptr_t)result;
}

void db_result_free(struct db_result *result)
{
	PQclear(rows_of(result));
}

void db_result_cleanup(struct db_result **result)
{
	db_result_free(*result);
}

int db_rows(const struct db_result *result)
{
	return PQntuples(rows_of(result));
}

int db_affected(const struct db_result *result)
{
	int64_t count;

	return int64_parse(PQcmdTuples(rows_of(result)), &count) == 0 ? (int)count : 0;
}

static Oid column_type(const struct db_result *result, int row, int column)
{
	assert(row >= 0 && row < PQntuples(rows_of(result)) && column >= 0 && column < PQnfields(rows_of(result)));
	assert(PQfformat(rows_of(result), column) == 1);
	return PQftype(rows_of(result), column);
}

bool db_is_null(const struct db_result *result, int row, int column)
{
	column_type(result, row, column);
	return PQgetisnull(rows_of(result), row, column) != 0;
}

/* The bytes of a value that has exactly so many. */
static void read_fixed(const struct db_result *result, int row, int column, void *ret_bytes, size_t size)
{
	assert((size_t)PQgetlength(rows_of(result), row, column) == size);
	memcpy(ret_bytes, PQgetvalue(rows_of(result), row, column), size);
}

static int64_t read_int64(const struct db_result *result, int row, int column)
{
	uint64_t wire;

	read_fixed(result, row, column, &wire, sizeof(wire));
	return (int64_t)be64toh(wire);
}

int64_t db_get_int(const struct db_result *result, int row, int column)
{
	uint16_t two;
	uint32_t four;

	if (db_is_null(result, row, column))
		return 0;
	switch (column_type(result, row, column)) {
	case TYPE_INT2:
		read_fixed(result, row, column, &two, sizeof(two));
		return (int16_t)be16toh(two);
	case DB_TYPE_INT4:
		read_fixed(result, row, column, &four, sizeof(four));
		return (int32_t)be32toh(four);
	case TYPE_OID:
		read_fixed(result, row, column, &four, sizeof(four));
		return be32toh(four);
	default:
		assert(column_type(result, row, column) == DB_TYPE_INT8);
		return read_int64(result, row, column);
	}
}

bool db_get_bool(const struct db_result *result, int row, int column)
{
	char value;

	if (db_is_null(result, row, column))
		return false;
	assert(column_type(result, row, column) == DB_TYPE_BOOL);
	read_fixed(result, row, column, &value, 1);
	return value != 0;
}

double db_get_double(const struct db_result *result, int row, int column)
{
	uint32_t four;
	uint64_t eight;
	float narrow;
	double wide;

	if (db_is_null(result, row, column))
		return 0;
	if (column_type(result, row, column) == DB_TYPE_FLOAT4) {
		read_fixed(result, row, column, &four, sizeof(four));
		four = be32toh(four);
		memcpy(&narrow, &four, sizeof(narrow));
		return (double)narrow;
	}
	assert(column_type(result, row, column) == DB_TYPE_FLOAT8);
	eight = (uint64_t)read_int64(result, row, column);
	memcpy(&wide, &eight, sizeof(wide));
	return wide;
}

char db_get_char(const struct db_result *result, int row, int column)
{
	if (db_is_null(result, row, column))
		return 0;
	assert(column_type(result, row, column) == DB_TYPE_CHAR);
	return *PQgetvalue(rows_of(result), row, column);
}

const char *db_get_bytes(const struct db_result *result, int row, int column, size_t *ret_length)
{
	const char *value;
	size_t length;

	if (db_is_null(result, row, column)) {
		if (ret_length)
			*ret_length = 0;
		return NULL;
	}
	value = PQgetvalue(rows_of(result), row, column);
	length = (size_t)PQgetlength(rows_of(result), row, column);
	if (column_type(result, row, column) == DB_TYPE_JSONB) {
		assert(length > 0 && *value == 1);
		value++;
		length--;
	}
	if (ret_length)
		*ret_length = length;
	return value;
}

const char *db_get_text(const struct db_result *result, int row, int column)
{
	return db_get_bytes(result, row, column, NULL);
}

int64_t db_get_time(const struct db_result *result, int row, int column)
{
	if (db_is_null(result, row, column))
		return 0;
	assert(column_type(result, row, column) == DB_TYPE_TIMESTAMPTZ);
	return time_from_postgres(read_int64(result, row, column));
}

void db_get_uuid(const struct db_result *result, int row, int column, char ret_uuid[37])
{
	uint8_t bytes[16];
	char hex[33], *to = ret_uuid;

	ret_uuid[0] = '\0';
	if (db_is_null(result, row, column))
		return;
	assert(column_type(result, row, column) == DB_TYPE_UUID);
	read_fixed(result, row, column, bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), hex);
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*to++ = '-';
		*to++ = hex[i];
	}
	*to = '\0';
}

static uint32_t take_u32(const uint8_t **at)
{
	uint32_t value;

	memcpy(&value, *at, sizeof(value));
	*at += sizeof(value);
	return be32toh(value);
}

int db_get_int_array(const struct db_result *result, int row, int column, int64_t **ret_values, int *ret_count)
{
	const uint8_t *at, *end;
	int64_t *values;
	uint32_t count;

	*ret_values = NULL;
	*ret_count = 0;
	if (db_is_null(result, row, column))
		return 0;
	assert(column_type(result, row, column) == TYPE_INT8_ARRAY);
	at = (const uint8_t *)PQgetvalue(rows_of(result), row, column);
	end = at + PQgetlength(rows_of(result), row, column);
	if (end - at < 20)
		return end - at == 12 ? 0 : -EPROTO; /* no dimension: empty */
	if (take_u32(&at) != 1)
		return -EPROTO;
	at += 8;
	count = take_u32(&at);
	at += 4;
	if (count > (size_t)(end - at) / 4)
		return -EPROTO;
	values = calloc(count > 0 ? count : 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t wire;
		uint32_t length = end - at >= 4 ? take_u32(&at) : 0;

		if (length == UINT32_MAX)
			continue;
		if (length != sizeof(wire) || (size_t)(end - at) < sizeof(wire)) {
			free(values);
			return -EPROTO;
		}
		memcpy(&wire, at, sizeof(wire));
		at += sizeof(wire);
		values[i] = (int64_t)be64toh(wire);
	}
	*ret_values = values;
	*ret_count = (int)count;
	return 0;
}
