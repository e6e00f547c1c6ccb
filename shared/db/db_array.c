/* One-dimensional arrays for unnest(), in PostgreSQL's binary format (array_recv): a header, then each element with its
 * length. */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "shared/db/db.h"
#include "shared/db/db_wire.h"

enum { ARRAY_HEADER_BYTES = 20, ARRAY_FIRST_CAPACITY = 256 };
#define ARRAY_MAX_BYTES ((size_t)512 << 20) /* half of what PostgreSQL takes in one message */

uint32_t db_array_type(uint32_t element_type)
{
	static const struct {
		uint32_t element, array;
	} types[] = {
		{DB_TYPE_BOOL, 1000}, {DB_TYPE_BYTEA, 1001}, {DB_TYPE_CHAR, 1002},	  {DB_TYPE_INT4, 1007},
		{DB_TYPE_TEXT, 1009}, {DB_TYPE_INT8, 1016},  {DB_TYPE_FLOAT4, 1021},	  {DB_TYPE_FLOAT8, 1022},
		{DB_TYPE_UUID, 2951}, {DB_TYPE_JSONB, 3807}, {DB_TYPE_TIMESTAMPTZ, 1185},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].element == element_type)
			return types[i].array;
	}
	return 0;
}

void db_array_init(struct db_array *array, uint32_t element_type)
{
	*array = (struct db_array){.element_type = element_type};
}

void db_array_release(struct db_array *array)
{
	free(array->data);
	*array = (struct db_array){.element_type = array->element_type};
}

void db_array_reset(struct db_array *array)
{
	array->count = 0;
	array->has_null = false;
	array->error = 0;
	array->length = 0;
}

/* Room for more bytes, NULL when there is none. */
static char *extend(struct db_array *array, size_t more)
{
	size_t needed = array->length + more, capacity = array->capacity;
	char *data;

	if (array->error < 0)
		return NULL;
	if (more > ARRAY_MAX_BYTES || needed > ARRAY_MAX_BYTES || array->count == INT_MAX) {
		array->error = -E2BIG;
		return NULL;
	}
	if (needed > capacity) {
		capacity = capacity > 0 ? capacity : ARRAY_FIRST_CAPACITY;
		while (capacity < needed)
			capacity *= 2;
		data = realloc(array->data, capacity);
		if (!data) {
			array->error = -ENOMEM;
			return NULL;
		}
		array->data = data;
		array->capacity = capacity;
	}
	data = array->data + array->length;
	array->length = needed;
	array->count++;
	return data;
}

static void put_u32(char *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static void add(struct db_array *array, const void *bytes, size_t length)
{
	char *to = length <= INT_MAX ? extend(array, 4 + length) : NULL;

	if (!to) {
		array->error = array->error < 0 ? array->error : -E2BIG;
		return;
	}
	put_u32(to, (uint32_t)length);
	if (length > 0)
		memcpy(to + 4, bytes, length);
}

static void refuse(struct db_array *array, int error)
{
	array->error = array->error < 0 ? array->error : error;
}

void db_array_int(struct db_array *array, int64_t value)
{
	uint64_t wide = htobe64((uint64_t)value);
	uint32_t narrow = htobe32((uint32_t)value);

	if (array->element_type == DB_TYPE_INT8)
		add(array, &wide, sizeof(wide));
	else if (array->element_type == DB_TYPE_INT4 && value >= INT32_MIN && value <= INT32_MAX)
		add(array, &narrow, sizeof(narrow));
	else
		refuse(array, -EINVAL);
}

void db_array_char(struct db_array *array, char value)
{
	if (array->element_type == DB_TYPE_CHAR)
		add(array, &value, 1);
	else
		refuse(array, -EINVAL);
}

void db_array_bytes(struct db_array *array, const void *bytes, size_t length)
{
	char *to;

	if (array->element_type == DB_TYPE_BYTEA || array->element_type == DB_TYPE_TEXT) {
		add(array, bytes, length);
		return;
	}
	if (array->element_type != DB_TYPE_JSONB || length >= INT_MAX) {
		refuse(array, array->element_type == DB_TYPE_JSONB ? -E2BIG : -EINVAL);
		return;
	}
	to = extend(array, 5 + length);
	if (!to)
		return;
	put_u32(to, (uint32_t)length + 1);
	to[4] = 1; /* version of jsonb's binary format */
	if (length > 0)
		memcpy(to + 5, bytes, length);
}

void db_array_null(struct db_array *array)
{
	char *to = extend(array, 4);

	if (!to)
		return;
	put_u32(to, UINT32_MAX); /* length -1 */
	array->has_null = true;
}

char *db_array_encode(const struct db_array *array, size_t *ret_length)
{
	char *wire = malloc(ARRAY_HEADER_BYTES + array->length);

	if (!wire)
		return NULL;
	put_u32(wire, array->count > 0 ? 1 : 0); /* dimensions: an empty array has none */
	put_u32(wire + 4, array->has_null ? 1 : 0);
	put_u32(wire + 8, array->element_type);
	*ret_length = 12;
	if (array->count > 0) {
		put_u32(wire + 12, (uint32_t)array->count);
		put_u32(wire + 16, 1); /* the first index */
		memcpy(wire + ARRAY_HEADER_BYTES, array->data, array->length);
		*ret_length = ARRAY_HEADER_BYTES + array->length;
	}
	return wire;
}
