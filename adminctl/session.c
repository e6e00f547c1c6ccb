#include "adminctl/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "adminctl/command.h"
#include "shared/config/config.h"
#include "shared/db/migrate.h"
#include "shared/store/store.h"

enum { CONNECT_TIMEOUT_MS = 5000 };

void session_release(struct session *session)
{
	db_close(session->db);
	store_close(session->store);
	config_free(session->config);
	*session = (struct session){0};
}

int complain(int exit_code, const char *advice, const char *format, ...)
{
	va_list arguments;

	fputs("adminctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	if (advice != NULL)
		fprintf(stderr, "  %s\n", advice);
	return exit_code;
}

int complain_database(const struct session *session, int error, const char *what)
{
	switch (error) {
	case -EAGAIN:
		return complain(EXIT_UNAVAILABLE, "Try again; `adminctl doctor` says what is reachable.", "%s: %s",
				what, db_message(session->db));
	case -ENOENT:
		return complain(EXIT_NOT_FOUND, NULL, "%s: no such thing (any more)", what);
	case -EEXIST:
		return complain(EXIT_EXISTS, NULL, "%s: there already", what);
	case -EINVAL:
	case -ERANGE:
		return complain(EXIT_FINDINGS, NULL, "%s: %s", what, db_message(session->db));
	case -ENOMEM:
		return complain(EXIT_UNAVAILABLE, NULL, "%s: out of memory", what);
	default:
		return complain(EXIT_UNAVAILABLE, "This is a defect; please report it with this line.",
				"%s: %s (SQLSTATE %s, %s)", what, db_message(session->db), db_sqlstate(session->db),
				strerror(-error));
	}
}

int complain_schema(const struct session *session, int error)
{
	if (error == -ESTALE)
		return complain(EXIT_UNAVAILABLE,
				"The schema was made by another build; use that one, or restore a backup.",
				"a migration that was applied has another text now");
	if (error == -ENOTSUP)
		return complain(EXIT_UNAVAILABLE, "Install the newer tenantfs.",
				"the database is newer than this adminctl");
	return complain_database(session, error, "migrating");
}

const char *session_connect_advice(int error)
{
	switch (error) {
	case -EINVAL:
		return "DATABASE_URL should look like postgresql://user:password@host:5432/tenantfs.";
	case -EACCES:
		return "The server answers but refuses: check user, password, database and pg_hba.conf.";
	default:
		return "Is PostgreSQL running, and do DATABASE_URL or DB_HOST, DB_PORT point to it?";
	}
}

int session_connect(struct session *session, struct db **ret_db)
{
	char reason[256];
	int r;

	if (session->db == NULL) {
		if (config_require(session->config, SETTING_DATABASE_URL, reason, sizeof(reason)) < 0 &&
		    config_require(session->config, SETTING_DB_HOST, reason, sizeof(reason)) < 0)
			return complain(
				EXIT_USAGE,
				"Set DATABASE_URL in the environment, a .env file (--env-file) or tenantfs.conf.",
				"which database is not set");
		r = db_open(config_database_url(session->config), "adminctl", CONNECT_TIMEOUT_MS, &session->db);
		if (r < 0)
			return complain(EXIT_UNAVAILABLE, session_connect_advice(r), "cannot connect to PostgreSQL: %s",
					db_open_message());
	}
	*ret_db = session->db;
	return 0;
}

int session_database(struct session *session, struct db **ret_db)
{
	int r = session_connect(session, ret_db);

	if (r != 0)
		return r;
	r = migrate_pending(*ret_db);
	if (r == 0)
		return 0;
	if (r > 0)
		return complain(EXIT_UNAVAILABLE, "Run: adminctl migrate", "the database lacks %d migration%s", r,
				r == 1 ? "" : "s");
	return complain_schema(session, r);
}

int session_store(struct session *session, struct store **ret_store)
{
	const char *base = config_string(session->config, SETTING_STORAGE_BASE_PATH);
	int r;

	if (base == NULL)
		return complain(EXIT_USAGE,
				"Set STORAGE_BASE_PATH in the environment, a .env file (--env-file) or tenantfs.conf.",
				"where the bytes are is not set");
	if (session->store == NULL) {
		r = store_local_open(base, true, &session->store);
		if (r == -ENOTEMPTY)
			return complain(EXIT_UNAVAILABLE, "It is empty of .tenantfs: has it ever been mounted?",
					"%s is no storage of tenantfs", base);
		if (r < 0)
			return complain(EXIT_UNAVAILABLE, "Is STORAGE_BASE_PATH right, and may this user read there?",
					"cannot open the storage %s: %s", base, strerror(-r));
	}
	*ret_store = session->store;
	return 0;
}

int session_tenant(struct session *session, const char *code, struct tenant_list *ret_list)
{
	struct db *db;
	int r = session_database(session, &db);

	if (r != 0)
		return r;
	r = tenant_find(db, code, ret_list);
	if (r == -ENOENT)
		return complain(EXIT_NOT_FOUND, "`adminctl tenant list` shows which there are.", "no tenant %s", code);
	return r < 0 ? complain_database(session, r, "looking for the tenant") : 0;
}
