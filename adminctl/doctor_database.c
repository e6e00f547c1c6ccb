#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include "adminctl/doctor.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/config/config.h"
#include "shared/db/migrate.h"

enum { CONNECT_TIMEOUT_MS = 5000, QUEUE_LATE_S = 60, OLDEST_VERSION = 130000 };

static void check_server(struct doctor *doctor, struct db *db)
{
	enum {
		COLUMN_NUMBER,
		COLUMN_VERSION,
		COLUMN_IS_STANDBY,
		COLUMN_HAS_FSYNC,
		COLUMN_CONNECTIONS,
		COLUMN_CONNECTIONS_MAX
	};
	autoresult struct db_result *result = NULL;
	autoparams struct db_params params;
	int64_t used, most;

	db_params_init(&params);
	if (db_run(db, QUERY_DOCTOR_DATABASE, &params, &result) < 0) {
		doctor_say(doctor, "PostgreSQL", DOCTOR_PROBLEM, NULL, "%s", db_message(db));
		return;
	}
	used = db_get_int(result, 0, COLUMN_CONNECTIONS);
	most = db_get_int(result, 0, COLUMN_CONNECTIONS_MAX);
	if (db_get_int(result, 0, COLUMN_NUMBER) < OLDEST_VERSION)
		doctor_say(doctor, "PostgreSQL", DOCTOR_PROBLEM, "Use PostgreSQL 13 or newer.", "version %s is too old",
			   db_get_text(result, 0, COLUMN_VERSION));
	else if (db_get_bool(result, 0, COLUMN_IS_STANDBY))
		doctor_say(doctor, "PostgreSQL", DOCTOR_PROBLEM, "Point DATABASE_URL to the primary.",
			   "a standby, it takes no writes");
	else if (!db_get_bool(result, 0, COLUMN_HAS_FSYNC))
		doctor_say(doctor, "PostgreSQL", DOCTOR_WARNING,
			   "Set fsync and full_page_writes on, or a power loss may take it all.",
			   "version %s, fsync or full_page_writes is off", db_get_text(result, 0, COLUMN_VERSION));
	else if (used * 10 > most * 9)
		doctor_say(doctor, "PostgreSQL", DOCTOR_WARNING,
			   "Raise max_connections, or lower DATABASE_CONNECTIONS.",
			   "%" PRId64 " of %" PRId64 " connections are taken", used, most);
	else
		doctor_say(doctor, "PostgreSQL", DOCTOR_OK, NULL, "version %s, %" PRId64 " of %" PRId64 " connections",
			   db_get_text(result, 0, COLUMN_VERSION), used, most);
}

/* True when the schema is the newest, so that the tables can be asked. */
static int check_schema(struct doctor *doctor, struct db *db)
{
	int r = migrate_pending(db);

	if (r > 0)
		doctor_say(doctor, "schema", DOCTOR_PROBLEM, "Run: adminctl migrate", "%d migration%s missing", r,
			   r == 1 ? "" : "s");
	else if (r == -ENOTSUP)
		doctor_say(doctor, "schema", DOCTOR_PROBLEM, "Install the newer tenantfs.", "newer than this program");
	else if (r == -ESTALE)
		doctor_say(doctor, "schema", DOCTOR_PROBLEM,
			   "It was made by another build; use that one, or restore a backup.",
			   "a migration was applied with another text");
	else if (r < 0)
		doctor_say(doctor, "schema", DOCTOR_PROBLEM, NULL, "%s", db_message(db));
	else
		doctor_say(doctor, "schema", DOCTOR_OK, NULL, "the newest");
	return r == 0;
}

static void check_extractors(struct doctor *doctor, int64_t extractors, int64_t queued, int64_t oldest_s,
			     int64_t failed)
{
	if (extractors == 0)
		doctor_say(doctor, "extractd", DOCTOR_PROBLEM,
			   "Start it: systemctl start tenantfs-extractd, or make up.",
			   "none is at work, %" PRId64 " jobs wait", queued);
	else if (oldest_s > QUEUE_LATE_S)
		doctor_say(doctor, "extractd", DOCTOR_WARNING,
			   "Look at its log; more WORKERS or a second extractd help.",
			   "%" PRId64 " jobs wait, the oldest for %" PRId64 " s", queued, oldest_s);
	else
		doctor_say(doctor, "extractd", DOCTOR_OK, NULL,
			   "%" PRId64 " at work, %" PRId64 " jobs wait, %" PRId64 " failed in a day", extractors,
			   queued, failed);
}

static void check_work(struct doctor *doctor, struct db *db)
{
	enum {
		COLUMN_EXTRACTORS,
		COLUMN_QUEUED,
		COLUMN_OLDEST,
		COLUMN_FAILED,
		COLUMN_MOUNTS,
		COLUMN_LEASES,
		COLUMN_TENANTS,
		COLUMN_DELETIONS
	};
	autoresult struct db_result *result = NULL;
	autoparams struct db_params params;
	int64_t tenants, deletions;

	db_params_init(&params);
	if (db_run(db, QUERY_DOCTOR_WORK, &params, &result) < 0) {
		doctor_say(doctor, "tenants", DOCTOR_PROBLEM, NULL, "%s", db_message(db));
		return;
	}
	tenants = db_get_int(result, 0, COLUMN_TENANTS);
	deletions = db_get_int(result, 0, COLUMN_DELETIONS);
	if (deletions > 0)
		doctor_say(doctor, "tenants", DOCTOR_WARNING,
			   "Is a mount running? `adminctl tenant delete` goes on without one.",
			   "%" PRId64 " wait for their deletion since ten minutes or more", deletions);
	else
		doctor_say(doctor, "tenants", DOCTOR_OK, NULL,
			   "%" PRId64 ", of which %" PRId64 " are held by %" PRId64 " mounts", tenants,
			   db_get_int(result, 0, COLUMN_LEASES), db_get_int(result, 0, COLUMN_MOUNTS));
	check_extractors(doctor, db_get_int(result, 0, COLUMN_EXTRACTORS), db_get_int(result, 0, COLUMN_QUEUED),
			 db_get_int(result, 0, COLUMN_OLDEST), db_get_int(result, 0, COLUMN_FAILED));
}

void doctor_database(struct doctor *doctor)
{
	const struct config *config = doctor->session->config;
	struct db *db;
	int r;

	if (config_database_url(config)[0] == '\0') {
		doctor_say(doctor, "PostgreSQL", DOCTOR_PROBLEM,
			   "Set DATABASE_URL: postgresql://user:password@host:5432/tenantfs.",
			   "DATABASE_URL is not set");
		return;
	}
	r = db_open(config_database_url(config), "adminctl", CONNECT_TIMEOUT_MS, &doctor->session->db);
	if (r < 0) {
		doctor_say(doctor, "PostgreSQL", DOCTOR_PROBLEM, session_connect_advice(r), "%s", db_open_message());
		return;
	}
	db = doctor->session->db;
	check_server(doctor, db);
	if (check_schema(doctor, db))
		check_work(doctor, db);
}
