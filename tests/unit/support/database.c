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
	static const char sql[] =
		"SELECT string_agg(line::text, E'\\n') FROM ("
		" (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"node\"}' AS line FROM node t WHERE tenant_id = "
		"%1$" PRId64 "   ORDER BY inode)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"entry\"}' FROM entry t WHERE tenant_id = "
		"%1$" PRId64 "   ORDER BY parent_inode, name)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"object\"}' FROM object t WHERE tenant_id = "
		"%1$" PRId64 "   ORDER BY object_id)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"attribute\"}' FROM attribute t"
		"   WHERE tenant_id = %1$" PRId64 " ORDER BY inode, name)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"spool\"}' FROM spool t WHERE tenant_id = "
		"%1$" PRId64 "   ORDER BY inode)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' || '{\"t\": \"usage\"}' FROM tenant_usage t"
		"   WHERE tenant_id = %1$" PRId64 ")"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' - 'rejection_id' || '{\"t\": \"rejection\"}' FROM "
		"rejection t"
		"   WHERE tenant_id = %1$" PRId64 " ORDER BY rejection_id)"
		" UNION ALL (SELECT to_jsonb(t) - 'tenant_id' - 'event_id' - 'created_at' || '{\"t\": \"outbox\"}' "
		"FROM outbox t"
		"   WHERE tenant_id = %1$" PRId64 " ORDER BY event_id)"
		" UNION ALL (SELECT jsonb_build_object('sha256', sha256, 'state', state, 't', 'job') FROM "
		"extraction_job t"
		"   WHERE tenant_id = %1$" PRId64 " ORDER BY sha256)"
		") x (line)";
	char *query = NULL, *text;
	PGresult *result;

	if (asprintf(&query, sql, tenant_id) < 0)
		fail();
	result = run(query);
	text = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	free(query);
	return text;
}
