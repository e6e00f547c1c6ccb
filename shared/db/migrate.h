/* The numbered migrations of sql/migrations, embedded at build time; forward only, each in one transaction. */
#pragma once
#include "shared/db/db.h"

struct migration {
	int number;
	const char *name; /* "core" */
	const char *sql;
};
extern const struct migration migrations[]; /* generated; the last has sql NULL */

/* Applies what is missing under an advisory lock, so that two may run at once. *ret_applied counts. A migration whose
 * text changed after it was applied is -ESTALE (the checksum is kept). */
int migrate_apply(struct db *db, int *ret_applied);
/* 0: the database is at the newest; n > 0: that many are missing; -ENOTSUP: it is newer than this program. */
int migrate_pending(struct db *db);
