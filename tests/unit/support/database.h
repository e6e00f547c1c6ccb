/* A migrated database of services.h, and plain questions to it beside the programs' own queries. */
#pragma once
#include <stdint.h>

/* Applies the migrations; once after services_start(). 0 or -1. */
int database_migrate(void);
/* A fresh tenant. Its tenant_id. */
int64_t database_tenant(const char *code);
/* The first column of the first row as text, in a buffer of the test's own until the next call; "" for none. Fails the
 * test on an error. */
const char *database_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t database_count(const char *format, ...) __attribute__((format(printf, 1, 2)));
void database_do(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Every row of the tables a tenant's records fill, without what an identity gives, as one text: equal texts, equal
 * rows. free() it. */
char *database_dump(int64_t tenant_id);
void database_close(void);
