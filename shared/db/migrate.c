#include "shared/db/migrate.h"

#include <errno.h>
#include <string.h>
#include "shared/base/digest.h"
#include "shared/base/log.h"

/* Rewriting a large table takes as long as it takes. */
enum { MIGRATION_TIMEOUT_MS = 3600 * 1000 };

static int count_from(const struct migration *migration)
{
	int count = 0;

	while (migration && migration[count].sql)
		count++;
	return count;
}

/* Compares what was applied with what this program knows. *ret_next: the first one missing, NULL: none. */
static int compare(const struct db_result *applied, const struct migration **ret_next)
{
	const struct migration *migration = migrations;

	for (int row = 0; row < db_rows(applied); row++, migration++) {
		uint8_t expected[DIGEST_SIZE];
		const char *checksum;
		size_t length;
		int r;

		if (!migration->sql)
			return -ENOTSUP;
		if (db_get_int(applied, row, 0) != migration->number)
			return -ESTALE;
		r = digest_bytes(migration->sql, strlen(migration->sql), expected);
		if (r < 0)
			return r;
		checksum = db_get_bytes(applied, row, 2, &length);
		if (length != DIGEST_SIZE || memcmp(checksum, expected, DIGEST_SIZE) != 0)
			return -ESTALE;
	}
	*ret_next = migration->sql ? migration : NULL;
	return 0;
}

static int find_next(struct db *db, const struct migration **ret_next)
{
	autoresult struct db_result *applied = NULL;
	int r = db_run(db, QUERY_MIGRATION_LIST, NULL, &applied);

	return r < 0 ? r : compare(applied, ret_next);
}

static int note(struct db *db, const struct migration *migration)
{
	autoparams struct db_params params;
	uint8_t checksum[DIGEST_SIZE];
	int r;

	db_params_init(&params);
	r = digest_bytes(migration->sql, strlen(migration->sql), checksum);
	if (r < 0)
		return r;
	db_param_int(&params, migration->number);
	db_param_text(&params, migration->name);
	db_param_bytes(&params, checksum, sizeof(checksum));
	return db_run(db, QUERY_MIGRATION_ADD, &params, NULL);
}

/* In a transaction: 1 one was applied, 0 there is none. */
static int apply_next(struct db *db)
{
	const struct migration *next = NULL;
	int r = db_run(db, QUERY_MIGRATION_LOCK, NULL, NULL);

	if (r == 0)
		r = db_run(db, QUERY_MIGRATION_TABLE, NULL, NULL);
	if (r == 0)
		r = find_next(db, &next);
	if (r < 0 || !next)
		return r;
	log_info("migrating the database", "number", log_number(next->number), "name", next->name);
	r = db_execute(db, next->sql);
	if (r == 0)
		r = note(db, next);
	if (r < 0)
		log_error("the migration failed", "number", log_number(next->number), "name", next->name, "sqlstate",
			  db_sqlstate(db), "message", db_message(db));
	return r < 0 ? r : 1;
}

static int apply_all(struct db *db, int *ret_applied)
{
	for (;;) {
		int applied, r = db_begin(db);

		if (r < 0)
			return r;
		applied = apply_next(db);
		r = applied < 0 ? applied : db_commit(db, NULL);
		if (r < 0) {
			db_rollback(db);
			return r;
		}
		if (applied == 0)
			return 0;
		(*ret_applied)++;
	}
}

int migrate_apply(struct db *db, int *ret_applied)
{
	int r, applied = 0;

	/* Each is looked up anew under the lock: a commit that broke off, or another that migrates, is found there. */
	db_set_timeout(db, MIGRATION_TIMEOUT_MS);
	r = apply_all(db, &applied);
	db_set_timeout(db, DB_TIMEOUT_MS);
	if (ret_applied)
		*ret_applied = applied;
	return r;
}

int migrate_pending(struct db *db)
{
	autoresult struct db_result *exists = NULL;
	const struct migration *next = NULL;
	int r = db_run(db, QUERY_MIGRATION_TABLE_EXISTS, NULL, &exists);

	if (r < 0)
		return r;
	if (!db_get_bool(exists, 0, 0))
		return count_from(migrations);
	r = find_next(db, &next);
	return r < 0 ? r : count_from(next);
}
