/* Several queries in one round trip (libpq's pipeline mode). */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/db/db_connection.h"

static int expect(struct db *db, enum expected_kind kind, enum query_id query)
{
	if (db->expected_count == db->expected_capacity) {
		int capacity = db->expected_capacity > 0 ? db->expected_capacity * 2 : 64;
		struct expected *larger = reallocarray(db->expected, (size_t)capacity, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		db->expected = larger;
		db->expected_capacity = capacity;
	}
	db->expected[db->expected_count++] = (struct expected){.kind = kind, .query = query};
	return 0;
}

/* BEGIN and COMMIT; pipeline mode knows the extended protocol only. */
static int send_constant(struct db *db, enum expected_kind kind, const char *constant_sql)
{
	int r = expect(db, kind, QUERY_COUNT);

	if (r < 0)
		return r;
	if (PQsendQueryParams(db->connection, constant_sql, 0, NULL, NULL, NULL, NULL, 1) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return 0;
}

int db_pipeline_begin(struct db *db, bool as_transaction)
{
	int r = 0;

	assert(!db->in_pipeline && !(as_transaction && db->in_transaction));
	db_clear_error(db);
	db->expected_count = db->query_count = 0;
	db->pipeline_is_transaction = as_transaction;
	if (!db->connection)
		r = -EAGAIN;
	if (r == 0)
		r = db_sync_timeout(db);
	if (r == 0 && PQenterPipelineMode(db->connection) != 1)
		r = db_lose(db, PQerrorMessage(db->connection));
	db->in_pipeline = true;
	if (r == 0 && as_transaction)
		r = send_constant(db, EXPECT_BEGIN, "BEGIN");
	db->pipeline_error = r;
	return r;
}

static int add(struct db *db, enum query_id query, const struct db_params *params)
{
	struct statement *statement = &db->statements[query];
	int r = 0;

	if (!statement_fits(statement, params)) {
		statement_renew(statement, params);
		statement->state = STATEMENT_QUEUED;
		r = expect(db, EXPECT_PREPARE, query);
		if (r == 0)
			r = statement_send_prepare(db, query);
	}
	if (r == 0)
		r = expect(db, EXPECT_QUERY, query);
	if (r == 0)
		r = statement_send(db, query, params);
	return r;
}

int db_pipeline_add(struct db *db, enum query_id query, const struct db_params *params)
{
	static const struct db_params none;

	assert(db->in_pipeline);
	if (!params)
		params = &none;
	db->query_count++;
	if (db->pipeline_error == 0)
		db->pipeline_error = params->error < 0 ? params->error : add(db, query, params);
	return db->pipeline_error;
}

/* What came back for one expected command. */
static int take_result(struct db *db, const struct expected *expected, PGresult *result, bool has_failed,
		       struct db_result **ret_result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		break;
	case PGRES_PIPELINE_ABORTED: /* an earlier one failed */
		PQclear(result);
		return has_failed ? 0 : -EPROTO;
	default: {
		int r = db_take_error(db, result, expected->query);

		PQclear(result);
		return r;
	}
	}
	if (expected->kind == EXPECT_PREPARE)
		db->statements[expected->query].state = STATEMENT_READY;
	if (expected->kind == EXPECT_QUERY)
		db->statements[expected->query].has_worked = true;
	if (expected->kind == EXPECT_QUERY && ret_result)
		*ret_result = db_result_wrap(result);
	else
		PQclear(result);
	return 0;
}

/* One expected command: its result, then the NULL that ends it. */
static int read_command(struct db *db, const struct expected *expected, int64_t deadline_ns, bool has_failed,
			struct db_result **ret_result)
{
	PGresult *result = NULL, *end = NULL;
	int r = db_next_result(db, deadline_ns, &result), r_end;

	if (r < 0)
		return r;
	r = take_result(db, expected, result, has_failed, ret_result);
	if (r < 0 && PQstatus(db->connection) == CONNECTION_BAD) {
		db_lose(db, "connection lost");
		return r;
	}
	r_end = db_next_result(db, deadline_ns, &end);
	PQclear(end);
	return r < 0 ? r : r_end;
}

/*
 * All commands; the first error, the rest is read and dropped. *ret_unclear: nobody knows whether the transaction took
 * place: the connection broke before any answer of the server said that it did not.
 */
static int read_commands(struct db *db, int64_t deadline_ns, struct db_result **ret_results, bool *ret_unclear)
{
	int first_error = 0, query = 0;

	for (int i = 0; i < db->expected_count && db->connection; i++) {
		const struct expected *expected = &db->expected[i];
		bool is_query = expected->kind == EXPECT_QUERY;
		int r = read_command(db, expected, deadline_ns, first_error < 0,
				     is_query && ret_results ? &ret_results[query] : NULL);

		query += is_query;
		/* What was read of COMMIT counts, also when the connection broke right behind it. */
		if (r == 0 || first_error < 0)
			continue;
		first_error = r;
		*ret_unclear = expected->kind == EXPECT_COMMIT ? db_is_unclear(db) : !db->sqlstate[0];
	}
	return first_error;
}

/* The end of the pipeline; outside a transaction this is where PostgreSQL commits. */
static int read_sync(struct db *db, int64_t deadline_ns)
{
	int error = 0;

	for (int i = 0; i < 4; i++) {
		PGresult *result = NULL;
		ExecStatusType status;
		int r = db_next_result(db, deadline_ns, &result);

		if (r < 0)
			return error < 0 ? error : r;
		status = PQresultStatus(result);
		if (result && status != PGRES_PIPELINE_SYNC && error == 0)
			error = db_take_error(db, result, QUERY_COUNT);
		PQclear(result);
		if (result && status == PGRES_PIPELINE_SYNC && PQexitPipelineMode(db->connection) == 1)
			return error;
	}
	db_lose(db, "the pipeline is out of step");
	return error < 0 ? error : -EAGAIN;
}

/* What was only queued when something before it failed was never prepared. */
static void forget_unprepared(struct db *db)
{
	for (int i = 0; i < db->expected_count; i++) {
		struct statement *statement;

		if (db->expected[i].kind != EXPECT_PREPARE)
			continue;
		statement = &db->statements[db->expected[i].query];
		if (statement->state == STATEMENT_QUEUED)
			statement->state = STATEMENT_NEW;
	}
}

static void drop_results(struct db_result **results, int count)
{
	for (int i = 0; results && i < count; i++) {
		db_result_free(results[i]);
		results[i] = NULL;
	}
}

static int send_and_read(struct db *db, struct db_result **ret_results, bool *ret_ambiguous)
{
	int64_t deadline_ns = db_deadline(db);
	bool is_unclear = true;
	int r = 0, r_sync;

	if (db->pipeline_is_transaction)
		r = send_constant(db, EXPECT_COMMIT, "COMMIT");
	if (r < 0) /* a COMMIT that libpq did not take cannot have been sent */
		return r;
	if (PQpipelineSync(db->connection) != 1) {
		r = db_lose(db, PQerrorMessage(db->connection));
	} else {
		r = read_commands(db, deadline_ns, ret_results, &is_unclear);
		if (db->connection) {
			r_sync = read_sync(db, deadline_ns);
			/* Behind an answered COMMIT the connection may break as it likes. */
			if (r == 0 && r_sync < 0 && !db->pipeline_is_transaction) {
				r = r_sync;
				is_unclear = db_is_unclear(db);
			}
		}
	}
	*ret_ambiguous = r == -EAGAIN && is_unclear && !db->in_transaction;
	return r;
}

/* Hanging up before the end of a pipeline is what undoes the part of it that may have been sent already. */
static int give_up(struct db *db)
{
	if (db->connection && db->query_count + db->expected_count > 0)
		db_lose(db, "a pipeline was given up");
	else if (db->connection && PQexitPipelineMode(db->connection) != 1)
		db_lose(db, "a pipeline was given up");
	return db->pipeline_error;
}

int db_pipeline_run(struct db *db, struct db_result **ret_results, int count, bool *ret_ambiguous)
{
	bool is_ambiguous = false;
	int r;

	assert(db->in_pipeline && (!ret_results || count == db->query_count));
	for (int i = 0; ret_results && i < count; i++)
		ret_results[i] = NULL;
	r = db->pipeline_error < 0 ? give_up(db) : send_and_read(db, ret_results, &is_ambiguous);
	db->in_pipeline = false;
	forget_unprepared(db);
	if (r < 0)
		drop_results(ret_results, count);
	if (r < 0 && db->pipeline_is_transaction)
		db_rollback(db);
	if (ret_ambiguous)
		*ret_ambiguous = is_ambiguous;
	return r;
}
