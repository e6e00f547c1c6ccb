/* What params, arrays and results share of the binary format. Nobody outside shared/db includes this. */
#pragma once
#include "shared/db/db.h"

/* timestamptz: microseconds since 2000-01-01 UTC. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

static inline int64_t time_to_postgres(int64_t time_ns)
{
	int64_t time_us = time_ns / 1000 - (time_ns % 1000 < 0);

	return time_us - POSTGRES_EPOCH_US;
}

/* Saturates: PostgreSQL's years reach further than 64 bits of nanoseconds, and its infinities are its extremes. */
static inline int64_t time_from_postgres(int64_t postgres_us)
{
	int64_t time_us, time_ns;

	if (__builtin_add_overflow(postgres_us, POSTGRES_EPOCH_US, &time_us) ||
	    __builtin_mul_overflow(time_us, 1000, &time_ns))
		return postgres_us < 0 ? INT64_MIN : INT64_MAX;
	return time_ns;
}

/* The array type of an element type, 0: none known. */
uint32_t db_array_type(uint32_t element_type);
/* The binary form, the caller's; NULL on no memory. */
char *db_array_encode(const struct db_array *array, size_t *ret_length);
