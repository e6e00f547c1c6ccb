/*
 * One run of adminctl: settings, the connection to PostgreSQL when a command asks for it, and how errors are told: to
 * stderr, the reason first, then what to do about it.
 */
#pragma once
#include <stdbool.h>
#include "shared/db/db.h"
#include "shared/meta/tenants.h"

struct config;
struct store;

struct session {
	struct config *config;
	struct db *db;	     /* NULL until session_database() */
	struct store *store; /* NULL until session_store() */
	bool wants_json;
};

void session_release(struct session *session);

/* Says why, and what to do (advice may be NULL); returns exit_code, so that a command can return what this returns. */
int complain(int exit_code, const char *advice, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a failed call of shared/db or shared/meta while doing what: chooses exit code and advice. */
int complain_database(const struct session *session, int error, const char *what);

/* The same for migrate_apply() and migrate_pending(). */
int complain_schema(const struct session *session, int error);
/* What to do when db_open() failed with this. */
const char *session_connect_advice(int error);

/* All of these return 0, or an exit code after the complaint. */
int session_database(struct session *session, struct db **ret_db);    /* connected, and its schema is the newest */
int session_connect(struct session *session, struct db **ret_db);     /* connected, whatever its schema */
int session_store(struct session *session, struct store **ret_store); /* read-only */
int session_tenant(struct session *session, const char *code, struct tenant_list *ret_list);
