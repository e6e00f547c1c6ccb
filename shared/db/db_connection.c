#include "shared/db/db_connection.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

static _Thread_local char open_message[DB_MESSAGE_SIZE];

const char *db_open_message(void)
{
	return open_message;
}

static void copy_line(char *to, size_t size, const char *from)
{
	size_t length = strcspn(from, "\n");

	snprintf(to, size, "%.*s", (int)(length < size ? length : size - 1), from);
}

void db_clear_error(struct db *db)
{
	db->sqlstate[0] = '\0';
	db->message[0] = '\0';
}

int64_t db_deadline(const struct db *db)
{
	return clock_monotonic_ns() + db->timeout_ms * NS_PER_MS;
}

int db_lose(struct db *db, const char *why)
{
	if (!db->message[0])
		copy_line(db->message, sizeof(db->message), why);
	PQfinish(db->connection);
	db->connection = NULL;
	return -EAGAIN;
}

bool db_is_lost(const struct db *db)
{
	return !db->connection;
}

int db_socket(const struct db *db)
{
	return db->connection ? PQsocket(db->connection) : -1;
}

const char *db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

const char *db_message(const struct db *db)
{
	return db->message;
}

void db_set_timeout(struct db *db, int timeout_ms)
{
	db->timeout_ms = timeout_ms;
}

/* --- errors, by SQLSTATE (PostgreSQL, appendix A) --- */

static int class_of(const char *state)
{
	static const struct {
		const char *prefix;
		int error;
	} classes[] = {
		{"08", -EAGAIN}, {"40001", -EAGAIN}, {"40P01", -EAGAIN}, {"53", -EAGAIN},    {"55P03", -EAGAIN},
		{"57", -EAGAIN}, {"25006", -EAGAIN}, {"23505", -EEXIST}, {"23514", -ERANGE}, {"22", -EINVAL},
		{"TF", -ECANCELED},
	};

	if (!state || !*state)
		return -EAGAIN;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0)
			return classes[i].error;
	}
	return -EPROTO;
}

/* 0A000: the plan's columns changed; 26000: the server forgot the statement. It helps to prepare again, unless it never
 * worked. */
static bool is_stale_statement(struct db *db, enum query_id query)
{
	struct statement *statement;

	if (query >= QUERY_COUNT || (strcmp(db->sqlstate, "0A000") != 0 && strcmp(db->sqlstate, "26000") != 0))
		return false;
	statement = &db->statements[query];
	if (!statement->has_worked)
		return false;
	statement->state = STATEMENT_NEW;
	statement->has_worked = false;
	return true;
}

int db_take_error(struct db *db, const PGresult *result, enum query_id query)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	int error;

	snprintf(db->sqlstate, sizeof(db->sqlstate), "%s", state ? state : "");
	copy_line(db->message, sizeof(db->message), message ? message : PQresultErrorMessage(result));
	error = is_stale_statement(db, query) ? -EAGAIN : class_of(state);
	if (error == -EPROTO)
		log_error("the database refused a statement", "query", query < QUERY_COUNT ? queries[query].name : "-",
			  "sqlstate", db->sqlstate, "message", db->message);
	if (db->in_transaction && db->transaction_error == 0)
		db->transaction_error = error;
	return error;
}

/* --- waiting --- */

/* The events that came, or -ETIMEDOUT. */
static int wait_for(int socket, short events, int64_t deadline_ns)
{
	for (;;) {
		struct pollfd wanted = {.fd = socket, .events = events};
		int64_t left_ns = deadline_ns - clock_monotonic_ns();
		int left_ms = left_ns <= 0 ? 0 : (int)(left_ns / NS_PER_MS) + 1;
		int r = poll(&wanted, 1, left_ms);

		if (r > 0)
			return wanted.revents;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (left_ns <= 0)
			return -ETIMEDOUT;
	}
}

/* Waits, and reads what came. -EAGAIN: lost. */
static int wait_and_read(struct db *db, short events, int64_t deadline_ns)
{
	int r = wait_for(PQsocket(db->connection), events, deadline_ns);

	if (r == -ETIMEDOUT)
		return db_lose(db, "the server did not answer in time");
	if (r < 0)
		return db_lose(db, "poll failed");
	if ((r & ~POLLOUT) != 0 && PQconsumeInput(db->connection) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return 0;
}

int db_flush(struct db *db, int64_t deadline_ns)
{
	for (;;) {
		int r = PQflush(db->connection);

		if (r == 0)
			return 0;
		if (r < 0)
			return db_lose(db, PQerrorMessage(db->connection));
		/* Reading too: a server that cannot get rid of its answers stops taking ours. */
		r = wait_and_read(db, POLLIN | POLLOUT, deadline_ns);
		if (r < 0)
			return r;
	}
}

int db_next_result(struct db *db, int64_t deadline_ns, PGresult **ret_result)
{
	int r = db_flush(db, deadline_ns);

	if (r < 0)
		return r;
	while (PQisBusy(db->connection)) {
		r = wait_and_read(db, POLLIN, deadline_ns);
		if (r < 0)
			return r;
	}
	*ret_result = PQgetResult(db->connection);
	return 0;
}

/* --- opening --- */

static void on_notice(void *context, const char *message)
{
	char line[DB_MESSAGE_SIZE];

	(void)context;
	copy_line(line, sizeof(line), message);
	log_debug("notice from the database", "message", line);
}

/*
 * libpq tells no SQLSTATE of a refused connection but within its message, when asked for verbose ones:
 * "… FATAL:  28P01: password authentication failed …". Only the code is looked at.
 */
static void take_connect_error(struct db *db)
{
	const char *message = PQerrorMessage(db->connection), *at = message;

	copy_line(db->message, sizeof(db->message), message);
	while ((at = strstr(at, ":  ")) != NULL) {
		size_t length = 0;

		at += 3;
		while (length < 5 && (isdigit((unsigned char)at[length]) || isupper((unsigned char)at[length])))
			length++;
		if (length == 5 && at[5] == ':') {
			snprintf(db->sqlstate, sizeof(db->sqlstate), "%.5s", at);
			return;
		}
	}
}

static int connect_error(struct db *db)
{
	bool needs_password = PQconnectionNeedsPassword(db->connection) != 0;

	take_connect_error(db);
	db_lose(db, "not connected");
	if (needs_password || strncmp(db->sqlstate, "28", 2) == 0 || strcmp(db->sqlstate, "3D000") == 0 ||
	    strcmp(db->sqlstate, "42501") == 0)
		return -EACCES;
	return -EAGAIN;
}

static bool is_plausible(const PQconninfoOption *option)
{
	if (!option->val)
		return true;
	if (strcmp(option->keyword, "port") == 0)
		return strspn(option->val, "0123456789,") == strlen(option->val);
	if (strcmp(option->keyword, "host") == 0 && *option->val != '/' && *option->val != '@')
		return !strchr(option->val, '@');
	return true;
}

/*
 * Rejects what libpq cannot read, and keeps its explanation to itself: that quotes the URL, password and all. A
 * password with an @ or / in it that is not percent-encoded makes pieces of itself the host and the port, which later
 * messages would show.
 */
static int check_url(const char *url)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &message);
	int r = 0;

	PQfreemem(message);
	if (!options)
		return -EINVAL;
	for (const PQconninfoOption *option = options; option->keyword && r == 0; option++)
		r = is_plausible(option) ? 0 : -EINVAL;
	PQconninfoFree(options);
	return r;
}

static PGconn *start(const struct db *db)
{
	/* What comes before dbname the URL may override, what comes behind it may not. */
	const char *const names[] = {
		"keepalives",	    "keepalives_idle",	"keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "fallback_application_name",
		"dbname",	    "client_encoding",	NULL,
	};
	const char *const values[] = {"1", "10", "5", "3", "15000", db->application_name, db->url, "UTF8", NULL};

	return PQconnectStartParams(names, values, 1);
}

static int finish_connecting(struct db *db, int64_t deadline_ns)
{
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;

	while (wanted != PGRES_POLLING_OK) {
		int r;

		if (wanted == PGRES_POLLING_FAILED)
			return connect_error(db);
		r = wait_for(PQsocket(db->connection), wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ns);
		if (r < 0)
			return db_lose(db, "the server did not answer in time");
		wanted = PQconnectPoll(db->connection);
	}
	return 0;
}

int db_reopen(struct db *db, int timeout_ms)
{
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	int r;

	PQfinish(db->connection);
	db_clear_error(db);
	memset(db->statements, 0, (QUERY_COUNT + 1) * sizeof(*db->statements));
	db->in_transaction = db->in_pipeline = false;
	db->server_timeout_ms = 0;
	db->connection = start(db);
	if (!db->connection)
		return -ENOMEM;
	PQsetErrorVerbosity(db->connection, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(db->connection, on_notice, NULL);
	if (PQstatus(db->connection) == CONNECTION_BAD)
		return connect_error(db);
	r = finish_connecting(db, deadline_ns);
	if (r < 0)
		return r;
	PQsetErrorVerbosity(db->connection, PQERRORS_DEFAULT);
	if (PQsetnonblocking(db->connection, 1) != 0)
		return db_lose(db, PQerrorMessage(db->connection));
	return db_sync_timeout(db);
}

int db_open(const char *database_url, const char *application_name, int timeout_ms, struct db **ret_db)
{
	struct db *db;
	int r;

	open_message[0] = '\0';
	if (check_url(database_url) < 0) {
		snprintf(open_message, sizeof(open_message),
			 "the database URL is malformed (are @ : / in the password percent-encoded?)");
		return -EINVAL;
	}
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	db->url = strdup(database_url);
	db->application_name = strdup(application_name);
	db->statements = calloc(QUERY_COUNT + 1, sizeof(*db->statements));
	db->timeout_ms = DB_TIMEOUT_MS;
	r = db->url && db->application_name && db->statements ? db_reopen(db, timeout_ms) : -ENOMEM;
	if (r < 0) {
		snprintf(open_message, sizeof(open_message), "%s", db->message);
		db_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->connection);
	if (db->url)
		explicit_bzero(db->url, strlen(db->url));
	free(db->url);
	free(db->application_name);
	free(db->statements);
	free(db->expected);
	free(db);
}
