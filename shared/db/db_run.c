/* Single statements and transactions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/db/db_connection.h"

/* --- prepared statements --- */

bool statement_fits(const struct statement *statement, const struct db_params *params)
{
	if (statement->state == STATEMENT_NEW || statement->count != params->count)
		return false;
	for (int i = 0; i < params->count; i++) {
		if (params->types[i] != 0 && params->types[i] != statement->types[i])
			return false;
	}
	return true;
}

void statement_renew(struct statement *statement, const struct db_params *params)
{
	statement->variant++;
	statement->has_worked = false;
	statement->count = params->count;
	/* An untyped NULL says nothing: a type that was known before stays. */
	for (int i = 0; i < params->count; i++) {
		if (params->types[i] != 0)
			statement->types[i] = params->types[i];
	}
}

const char *statement_name(const struct statement *statement, enum query_id query, char buffer[STATEMENT_NAME_SIZE])
{
	if (statement->variant <= 1)
		return queries[query].name;
	snprintf(buffer, STATEMENT_NAME_SIZE, "%.50s.%u", queries[query].name, statement->variant);
	return buffer;
}

int statement_send_prepare(struct db *db, enum query_id query)
{
	struct statement *statement = &db->statements[query];
	char name[STATEMENT_NAME_SIZE];

	if (PQsendPrepare(db->connection, statement_name(statement, query, name), queries[query].sql, statement->count,
			  statement->types) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return 0;
}

int statement_send(struct db *db, enum query_id query, const struct db_params *params)
{
	struct statement *statement = &db->statements[query];
	char name[STATEMENT_NAME_SIZE];

	if (PQsendQueryPrepared(db->connection, statement_name(statement, query, name), params->count, params->values,
				params->lengths, params->formats, 1) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return 0;
}

/* --- one statement --- */

static bool is_success(ExecStatusType status)
{
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* COPY would give the same result for ever. */
static bool is_copy(ExecStatusType status)
{
	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

int db_collect(struct db *db, int64_t deadline_ns, enum query_id query, PGresult **ret_result)
{
	PGresult *last = NULL;
	int error = 0;

	for (;;) {
		PGresult *result;
		int r = db_next_result(db, deadline_ns, &result);

		if (r < 0) {
			PQclear(last);
			return error < 0 ? error : r;
		}
		if (!result)
			break;
		PQclear(last);
		last = result;
		if (is_copy(PQresultStatus(result))) {
			PQclear(last);
			db_lose(db, "this is no place for COPY");
			return -EPROTO;
		}
		if (!is_success(PQresultStatus(result)) && error == 0)
			error = db_take_error(db, result, query);
	}
	/* A server that shuts down says so and hangs up. */
	if (error < 0 && PQstatus(db->connection) == CONNECTION_BAD)
		db_lose(db, "connection lost");
	if (error < 0) {
		PQclear(last);
		return error;
	}
	*ret_result = last;
	return 0;
}

static int prepare(struct db *db, enum query_id query, const struct db_params *params, int64_t deadline_ns)
{
	struct statement *statement = &db->statements[query];
	PGresult *result = NULL;
	int r;

	statement->state = STATEMENT_NEW;
	statement_renew(statement, params);
	r = statement_send_prepare(db, query);
	if (r < 0)
		return r;
	r = db_collect(db, deadline_ns, query, &result);
	if (r < 0)
		return r;
	PQclear(result);
	statement->state = STATEMENT_READY;
	return 0;
}

static int run(struct db *db, enum query_id query, const struct db_params *params, struct db_result **ret_result)
{
	int64_t deadline_ns = db_deadline(db);
	PGresult *rows = NULL;
	int r = 0;

	if (!statement_fits(&db->statements[query], params))
		r = prepare(db, query, params, deadline_ns);
	if (r == 0)
		r = statement_send(db, query, params);
	if (r == 0)
		r = db_collect(db, deadline_ns, query, &rows);
	if (r < 0)
		return r;
	db->statements[query].has_worked = true;
	if (ret_result)
		*ret_result = db_result_wrap(rows);
	else
		PQclear(rows);
	return 0;
}

int db_sync_timeout(struct db *db)
{
	struct db_params params;
	char text[16];
	int r;

	if (db->server_timeout_ms == db->timeout_ms || db->in_transaction)
		return 0;
	/* A tenth earlier than we give up, so that a slow statement costs itself and not the connection. */
	snprintf(text, sizeof(text), "%d", db->timeout_ms - db->timeout_ms / 10);
	db_params_init(&params);
	db_param_text(&params, text);
	r = run(db, QUERY_DATABASE_SESSION, &params, NULL);
	if (r == 0)
		db->server_timeout_ms = db->timeout_ms;
	return r;
}

/* What every call begins with. */
static int enter(struct db *db)
{
	if (!db->connection)
		return -EAGAIN;
	if (db->in_pipeline)
		return -EBUSY;
	db_clear_error(db);
	return db_sync_timeout(db);
}

int db_run(struct db *db, enum query_id query, const struct db_params *params, struct db_result **ret_result)
{
	static const struct db_params none;
	int r;

	if (!params)
		params = &none;
	if (params->error < 0)
		return params->error;
	r = enter(db);
	return r < 0 ? r : run(db, query, params, ret_result);
}

static int execute(struct db *db, const char *constant_sql, PGresult **ret_result)
{
	if (PQsendQuery(db->connection, constant_sql) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return db_collect(db, db_deadline(db), QUERY_COUNT, ret_result);
}

int db_execute(struct db *db, const char *constant_sql)
{
	PGresult *result = NULL;
	int r = enter(db);

	if (r == 0)
		r = execute(db, constant_sql, &result);
	PQclear(result);
	return r;
}

/* --- transactions --- */

int db_begin(struct db *db)
{
	int r = db_execute(db, "BEGIN");

	if (r < 0)
		return r;
	db->in_transaction = true;
	db->transaction_error = 0;
	return 0;
}

/* After these nobody knows whether a COMMIT under way took place: the server ended the session, or says so itself. */
bool db_is_unclear(const struct db *db)
{
	return !db->connection || !db->sqlstate[0] || strncmp(db->sqlstate, "57P", 3) == 0 ||
	       strncmp(db->sqlstate, "08", 2) == 0 || strcmp(db->sqlstate, "40003") == 0;
}

int db_commit(struct db *db, bool *ret_ambiguous)
{
	PGresult *result = NULL;
	int r, earlier_error = db->transaction_error;

	if (ret_ambiguous)
		*ret_ambiguous = false;
	r = enter(db);
	db->in_transaction = false;
	if (r < 0)
		return r;
	r = execute(db, "COMMIT", &result);
	/* COMMIT of a failed transaction succeeds as a ROLLBACK. */
	if (r == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		r = earlier_error < 0 ? earlier_error : -EPROTO;
	else if (r < 0 && earlier_error == 0 && ret_ambiguous)
		*ret_ambiguous = r == -EAGAIN && db_is_unclear(db);
	PQclear(result);
	return r;
}

void db_rollback(struct db *db)
{
	PGresult *result = NULL;
	char sqlstate[sizeof(db->sqlstate)], message[sizeof(db->message)];

	db->in_transaction = false;
	if (!db->connection || db->in_pipeline || PQtransactionStatus(db->connection) == PQTRANS_IDLE)
		return;
	/* The error that led here is still to be read. */
	memcpy(sqlstate, db->sqlstate, sizeof(sqlstate));
	memcpy(message, db->message, sizeof(message));
	if (execute(db, "ROLLBACK", &result) < 0 && db->connection)
		db_lose(db, "rollback failed");
	PQclear(result);
	memcpy(db->sqlstate, sqlstate, sizeof(sqlstate));
	memcpy(db->message, message, sizeof(message));
}
