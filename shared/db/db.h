/*
 * PostgreSQL: one struct db is one connection and belongs to one thread at a time.
 *
 * Statements are files: sql/queries/NAME.sql becomes QUERY_NAME, prepared on first use on each connection. Parameters
 * and results travel in binary. Errors are classed by SQLSTATE, never by the words of a message: -EAGAIN   try again:
 * connection lost (08*, none), 40001, 40P01, 53*, 55P03, 57*, 25006. db_is_lost() tells whether to reconnect -EEXIST
 * 23505 unique   -ERANGE 23514 check   -EINVAL 22*   -ECANCELED TF* (raised by a function of our own schema, which
 * says what it means)   -EPROTO anything else (our own mistake; logged with the SQLSTATE)
 *
 * Nothing here waits for ever: each call has a deadline (db_set_timeout), and a connection whose server went silent is
 * given up as lost. Behind a pooler only one in session mode will do: statements are prepared, LISTEN needs its own
 * session.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/cleanup.h"
#include "queries.h" /* generated: enum query_id */

struct db;
struct db_result;

enum { DB_TIMEOUT_MS = 30000, DB_MESSAGE_SIZE = 512 };

/* Waits up to timeout_ms for the connection (a name server that hangs may add to it). -EAGAIN not reachable, -EINVAL
 * malformed URL, -EACCES refused by the server (password, no such database). application_name is seen in
 * pg_stat_activity. */
int db_open(const char *database_url, const char *application_name, int timeout_ms, struct db **ret_db);
/* Why this thread's last db_open or db_pool_get failed; "" when it did not. Never a secret. */
const char *db_open_message(void);
void db_close(struct db *db);
bool db_is_lost(const struct db *db);
/* Reconnects a lost connection in place (prepared statements are forgotten). */
int db_reopen(struct db *db, int timeout_ms);
/* How long one call (a query, a whole pipeline, a commit) may take, DB_TIMEOUT_MS at first. The server cancels the
 * statement a little earlier (57014: -EAGAIN, the connection stays); when it does not answer at all the connection is
 * lost at the deadline. Inside a transaction it holds for the client at once, for the server from the next transaction
 * on. */
void db_set_timeout(struct db *db, int timeout_ms);
int db_socket(const struct db *db); /* for poll() while listening; -1 when lost */
/* The last error: SQLSTATE (5 characters, "" for none) and message; valid until the next call. */
const char *db_sqlstate(const struct db *db);
const char *db_message(const struct db *db);

/* --- parameters: a small builder; bytes are not copied and must live until the call returns --- */
enum { DB_PARAMS_MAX = 32 };
struct db_params {
	int count;
	int error; /* sticky: -E2BIG, -ENOMEM, -EINVAL (no UUID); the call they are given to returns it */
	uint32_t types[DB_PARAMS_MAX];
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX];
	char inline_values[DB_PARAMS_MAX][16]; /* numbers, in network order */
	char *owned[DB_PARAMS_MAX];	       /* arrays built here */
};
#define autoparams cleanup(db_params_release) /* db_params_init() comes before the first return */
void db_params_init(struct db_params *params);
void db_params_release(struct db_params *params);
void db_param_null(struct db_params *params); /* of a type the server infers; rather a typed one with NULL */
void db_param_int(struct db_params *params, int64_t value); /* bigint */
void db_param_int_or_null(struct db_params *params, int64_t value, bool is_null);
void db_param_bool(struct db_params *params, bool value);
void db_param_double(struct db_params *params, double value);
void db_param_char(struct db_params *params, char value);	/* "char" */
void db_param_text(struct db_params *params, const char *text); /* NULL: SQL NULL. Must be UTF-8 without NUL */
void db_param_text_n(struct db_params *params, const char *text, size_t length);
void db_param_json(struct db_params *params, const char *json, size_t length);	 /* jsonb; NULL: SQL NULL */
void db_param_bytes(struct db_params *params, const void *bytes, size_t length); /* bytea; NULL: SQL NULL */
void db_param_uuid(struct db_params *params, const char *uuid_text);
void db_param_time(struct db_params *params, int64_t time_ns); /* timestamptz */

/* Arrays for unnest(): one builder a column; is_null entries allowed. Give each to the params when full (copied there).
 */
struct db_array {
	uint32_t element_type;
	int count;
	bool has_null;
	int error;
	char *data;
	size_t length, capacity;
};
void db_array_init(struct db_array *array, uint32_t element_type); /* DB_TYPE_* */
void db_array_release(struct db_array *array);
void db_array_reset(struct db_array *array);
void db_array_int(struct db_array *array, int64_t value); /* of DB_TYPE_INT8 or DB_TYPE_INT4 */
void db_array_char(struct db_array *array, char value);	  /* of DB_TYPE_CHAR */
void db_array_bytes(struct db_array *array, const void *bytes,
		    size_t length); /* of bytea, text, jsonb, by element_type */
void db_array_null(struct db_array *array);
void db_param_array(struct db_params *params, const struct db_array *array);
enum {
	DB_TYPE_BOOL = 16,
	DB_TYPE_BYTEA = 17,
	DB_TYPE_CHAR = 18,
	DB_TYPE_INT8 = 20,
	DB_TYPE_INT4 = 23,
	DB_TYPE_TEXT = 25,
	DB_TYPE_FLOAT4 = 700,
	DB_TYPE_FLOAT8 = 701,
	DB_TYPE_TIMESTAMPTZ = 1184,
	DB_TYPE_UUID = 2950,
	DB_TYPE_JSONB = 3802
};

/* --- running --- */
/* Runs one query. ret_result may be NULL when no rows are wanted. The result is the caller's. */
int db_run(struct db *db, enum query_id query, const struct db_params *params, struct db_result **ret_result);
/* A fixed statement without parameters (BEGIN, LISTEN x): constants only, never built from input. */
int db_execute(struct db *db, const char *constant_sql);

/* A transaction: begin, any db_run, then commit or rollback. db_commit: -EAGAIN with *ret_ambiguous set when the
 * connection broke while the commit was under way; the caller must find out whether it took place. */
int db_begin(struct db *db);
int db_commit(struct db *db, bool *ret_ambiguous);
void db_rollback(struct db *db);

/* A pipeline: queue several, one round trip. db_pipeline_run gives the results of the queued queries in order into
 * ret_results (count entries, each the caller's, NULL after an error; ret_results NULL: not wanted) and the first
 * error. Wrap in BEGIN/COMMIT with db_pipeline_begin(db, true): then the whole is one transaction, and ambiguity is
 * reported as for db_commit. After a failed begin or add, run is still to be called: it ends the pipeline and returns
 * that error, with nothing done. Nothing of a pipeline that failed stays (outside a transaction PostgreSQL undoes it up
 * to its beginning). */
int db_pipeline_begin(struct db *db, bool as_transaction);
int db_pipeline_add(struct db *db, enum query_id query, const struct db_params *params);
int db_pipeline_run(struct db *db, struct db_result **ret_results, int count, bool *ret_ambiguous);

/* --- results --- */
#define autoresult cleanup(db_result_cleanup)
void db_result_free(struct db_result *result);
void db_result_cleanup(struct db_result **result);
int db_rows(const struct db_result *result);
int db_affected(const struct db_result *result);
bool db_is_null(const struct db_result *result, int row, int column);
int64_t db_get_int(const struct db_result *result, int row,
		   int column); /* int2, int4, int8, by the column's type; 0 for NULL */
bool db_get_bool(const struct db_result *result, int row, int column);
double db_get_double(const struct db_result *result, int row, int column);
char db_get_char(const struct db_result *result, int row, int column); /* "char"; 0 for NULL */
/* Bytes of text, bytea, jsonb (its text); NULL for NULL. Valid as long as the result. NUL-terminated behind the length.
 */
const char *db_get_bytes(const struct db_result *result, int row, int column, size_t *ret_length);
const char *db_get_text(const struct db_result *result, int row, int column);
int64_t db_get_time(const struct db_result *result, int row, int column); /* ns since 1970; 0 for NULL */
void db_get_uuid(const struct db_result *result, int row, int column, char ret_uuid[37]); /* "" for NULL */
/* A bigint[]: *ret_values is the caller's (free), NULL when empty or NULL. Entries that are NULL are 0. -ENOMEM,
 * -EPROTO. */
int db_get_int_array(const struct db_result *result, int row, int column, int64_t **ret_values, int *ret_count);

/* --- notifications --- */
/* Takes the next notification of a LISTENing connection without waiting. 1: one was there; 0: none; -EAGAIN: lost. Call
 * it until 0 before each poll() of db_socket: what has been read already does not wake poll. What does not fit is cut.
 */
int db_next_notification(struct db *db, char *ret_channel, size_t channel_size, char *ret_payload, size_t payload_size);

/* --- a pool: connections for threads that come and go --- */
struct db_pool;
int db_pool_new(const char *database_url, const char *application_name, int max_connections, struct db_pool **ret_pool);
void db_pool_free(struct db_pool *pool);
/* Waits up to timeout_ms for a free (or new) live connection. -EAGAIN: PostgreSQL is away; -ETIMEDOUT: all are busy. */
int db_pool_get(struct db_pool *pool, int timeout_ms, struct db **ret_db);
void db_pool_put(struct db_pool *pool, struct db *db); /* a lost one is closed, an open transaction rolled back */
