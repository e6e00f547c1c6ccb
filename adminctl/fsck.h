/*
 * The parts of `adminctl fsck`. Each looks at one tenant and reports what disagrees; none changes anything, so that it
 * can run beside mounts. What a mount at work may explain (an object published a moment ago, records on their way) is
 * no finding: bytes are compared after the rows, and differences younger than the grace period pass.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/model/rows.h"

struct db;
struct listing;
struct store;

struct fsck {
	struct db *db;
	struct store *store; /* NULL: only the database is checked */
	struct listing *findings;
	int64_t grace_ns;
	bool wants_hashes; /* read every object and compare its SHA-256 */
	int64_t errors, notes, objects;
};

/* error: something disagrees; note: something a mount will put right by itself. what may be absent. */
void fsck_report(struct fsck *fsck, bool is_error, const char *tenant_code, const char *rule, struct bytes what,
		 const char *format, ...) __attribute__((format(printf, 6, 7)));

/* All return 0 or a negative errno: then it could not be checked, which is not the same as clean. */
int fsck_names(struct fsck *fsck, const struct tenant_row *tenant);
int fsck_usage(struct fsck *fsck, const struct tenant_row *tenant);
int fsck_objects(struct fsck *fsck, const struct tenant_row *tenant);
int fsck_journal(struct fsck *fsck, const struct tenant_row *tenant);
/* Not of one tenant: what belongs to none. */
int fsck_strangers(struct fsck *fsck);
