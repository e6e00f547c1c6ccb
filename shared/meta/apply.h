/*
 * Applying records to PostgreSQL: what the committer does all day, a successor's replay once, and adminctl when it takes a lease.
 *
 * A batch is one transaction of one tenant: the lease's epoch is checked and its position moved, then nodes, entries,
 * objects, attributes, counters, jobs, events, in one order (tenant, parent, inode), a statement a table over arrays. Within
 * a batch the last value of a key wins. NOTIFY once a batch: tenantfs_job when extractions were queued, tenantfs_commit
 * ("tenant_id position") always.
 */
#pragma once
#include "shared/db/db.h"
#include "shared/model/change.h"

struct apply_record {
	const void *bytes;
	size_t length;
	uint64_t position; /* behind it, in the journal of journal_epoch */
};

struct apply_removed {
	char (*paths)[OBJECT_PATH_SIZE]; /* objects no row names any more: remove them from the store after the commit */
	int count;
};

/* Pairs of objects with equal SHA-256 and size found while objects were put: candidates for store_share(). */
struct apply_equal {
	struct {
		char first[OBJECT_PATH_SIZE], second[OBJECT_PATH_SIZE];
	} *pairs;
	int count;
};

/*
 * -EAGAIN: nothing was committed, try again. -ESTALE: the epoch is no longer ours, stop writing. -EINPROGRESS: the connection broke in the
 * COMMIT; read the position back (apply_position) to know. Anything else: this tenant is to be quarantined.
 */
int apply_batch(struct db *db, int64_t tenant_id, int64_t epoch, int64_t journal_epoch, const struct apply_record *records,
		int count, int extractor_version, struct apply_removed *ret_removed, struct apply_equal *ret_equal);
void apply_removed_release(struct apply_removed *removed);
void apply_equal_release(struct apply_equal *equal);
/* How far a tenant has been applied. */
int apply_position(struct db *db, int64_t tenant_id, int64_t *ret_journal_epoch, uint64_t *ret_position);
