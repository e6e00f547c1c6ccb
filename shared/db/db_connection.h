/* What the files of shared/db share: one connection with its prepared statements. Nobody outside includes this. */
#pragma once
#include <libpq-fe.h>
#include "shared/db/db.h"

enum statement_state { STATEMENT_NEW, STATEMENT_QUEUED, STATEMENT_READY };

struct statement {
	enum statement_state state;
	bool has_worked;  /* ran on this connection before: an error about its plan means that the schema changed */
	unsigned variant; /* in its name, so that one with other parameter types can be prepared beside it */
	int count;
	uint32_t types[DB_PARAMS_MAX]; /* 0: left to the server */
};

/* What a pipeline expects back, in order. */
struct expected {
	enum expected_kind { EXPECT_PREPARE, EXPECT_QUERY, EXPECT_BEGIN, EXPECT_COMMIT } kind;
	enum query_id query;
};

struct db {
	PGconn *connection; /* NULL when lost */
	char *url, *application_name;
	int timeout_ms, server_timeout_ms; /* wanted, and what the server was told */
	char sqlstate[6];
	char message[DB_MESSAGE_SIZE];
	struct statement *statements; /* QUERY_COUNT */
	int transaction_error;	      /* the first error since BEGIN: what a COMMIT that rolled back returns */
	bool in_transaction;

	bool in_pipeline, pipeline_is_transaction;
	int pipeline_error;
	struct expected *expected;
	int expected_count, expected_capacity, query_count;
};

/* The deadline of a call that begins now. */
int64_t db_deadline(const struct db *db);
/* Gives the connection up; sqlstate and message are kept if set. Returns -EAGAIN. */
int db_lose(struct db *db, const char *why);
/* Sends what libpq holds. -EAGAIN: lost. */
int db_flush(struct db *db, int64_t deadline_ns);
/* The next result, NULL at the end of a statement's results. -EAGAIN: lost. */
int db_next_result(struct db *db, int64_t deadline_ns, PGresult **ret_result);
/* Reads all results of the statement under way: the last, or the error. */
int db_collect(struct db *db, int64_t deadline_ns, enum query_id query, PGresult **ret_result);
/* Classes the error of a result (header comment of db.h) and keeps it. query: QUERY_COUNT for none. */
int db_take_error(struct db *db, const PGresult *result, enum query_id query);
void db_clear_error(struct db *db);
/* Asked after a COMMIT failed: whether nobody can know if it took place. */
bool db_is_unclear(const struct db *db);

/* Whether the statement, as it is prepared, takes these parameter types; if not it must be prepared (again). */
bool statement_fits(const struct statement *statement, const struct db_params *params);
/* Takes over the parameter types and a name not yet used on this connection. */
void statement_renew(struct statement *statement, const struct db_params *params);
enum { STATEMENT_NAME_SIZE = 80 };
const char *statement_name(const struct statement *statement, enum query_id query, char buffer[STATEMENT_NAME_SIZE]);
/* Queues PREPARE, or the execution. -EAGAIN: lost. */
int statement_send_prepare(struct db *db, enum query_id query);
int statement_send(struct db *db, enum query_id query, const struct db_params *params);

struct db_result *db_result_wrap(PGresult *rows); /* takes it over; cannot fail */
/* Tells the server the timeout if it changed; only outside transactions and pipelines. */
int db_sync_timeout(struct db *db);
