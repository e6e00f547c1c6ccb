#include "tests/unit/support/database.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "shared/base/buf.h"
#include "shared/db/migrate.h"
#include "tests/unit/support/services.h"

static PGconn *connection;
static char answer[65536];

int database_migrate(void)
{
	struct db *db;
	int applied, r = db_open(services_database_url(), "test", 5000, &db);

	if (r < 0)
		return -1;
	r = migrate_apply(db, &applied);
	db_close(db);
	return r < 0 ? -1 : 0;
}

void database_close(void)
{
	PQfinish(connection);
	connection = NULL;
}

static bool is_lost(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return PQstatus(connection) != CONNECTION_OK ||
	       (PQresultStatus(result) == PGRES_FATAL_ERROR && (!state || strncmp(state, "57", 2) == 0));
}

/* Connects again after the server was restarted. */
static PGresult *run(const char *sql)
{
	PGresult *result = NULL;

	for (int i = 0; i < 50; i++) {
		if (!connection)
			connection = PQconnectdb(services_database_url());
		result = PQexec(connection, sql);
		if (!is_lost(result))
			break;
		database_close();
		if (i == 49)
			break;
		PQclear(result);
		usleep(100000);
	}
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(result));
	return result;
}

static PGresult *run_formatted(const char *format, va_list arguments)
{
	char sql[8192];

	vsnprintf(sql, sizeof(sql), format, arguments);
	return run(sql);
}

const char *database_ask(const char *format, ...)
{
	va_list arguments;
	PGresult *result;

	va_start(arguments, format);
	result = run_formatted(format, arguments);
	va_end(arguments);
	snprintf(answer, sizeof(answer), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return answer;
}

int64_t database_count(const char *format, ...)
{
	va_list arguments;
	PGresult *result;
	int64_t count;

	va_start(arguments, format);
	result = run_formatted(format, arguments);
	va_end(arguments);
	count = PQntuples(result) > 0 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;
	PQclear(result);
	return count;
}

void database_do(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	PQclear(run_formatted(format, arguments));
	va_end(arguments);
}

int64_t database_tenant(const char *code)
{
	return database_count("INSERT INTO tenant (code) VALUES ('%s') RETURNING tenant_id", code);
}

char *database_dump(int64_t tenant_id)
{
	/* Identity columns, the tenant and the clock's own columns are left out; rows without a key keep their order.
	 */
	static const struct {
		const char *table, *columns, *order;
	} tables[] = {
		{"node", "to_jsonb(t) - 'tenant_id'", "inode"},
		{"entry", "to_jsonb(t) - 'tenant_id'", "parent_inode, name"},
		{"object", "to_jsonb(t) - 'tenant_id'", "object_id"},
		{"attribute", "to_jsonb(t) - 'tenant_id'", "inode, name"},
		{"spool", "to_jsonb(t) - 'tenant_id'", "inode"},
		{"tenant_usage", "to_jsonb(t) - 'tenant_id'", "1"},
		{"rejection", "to_jsonb(t) - 'tenant_id' - 'rejection_id'", "rejection_id"},
		{"outbox", "to_jsonb(t) - 'tenant_id' - 'event_id' - 'created_at'", "event_id"},
		{"extraction_job", "jsonb_build_object('sha256', sha256, 'state', state)", "sha256"},
	};
	struct buf dump = BUF_INIT(64 << 20);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char sql[400];
		PGresult *result;

		snprintf(sql, sizeof(sql),
			 "SELECT coalesce(string_agg((%s)::text, E'\n' ORDER BY %s), '') FROM %s t WHERE tenant_id = "
			 "%" PRId64,
			 tables[i].columns, tables[i].order, tables[i].table, tenant_id);
		result = run(sql);
		buf_printf(&dump, "--- %s\n%s\n", tables[i].table, PQgetvalue(result, 0, 0));
		PQclear(result);
	}
	assert_int_equal(buf_error(&dump), 0);
	return buf_take(&dump, NULL);
}
