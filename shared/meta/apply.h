/*
 * Applying records to PostgreSQL: what the committer does all day, a successor's replay once, and adminctl when it
 * takes a lease.
 *
 * A batch is one transaction of one tenant: the lease's epoch is checked and its position moved, then nodes, entries,
 * objects, attributes, counters, jobs, events, in one order (tenant, parent, inode), a statement a table over arrays.
 * Within a batch the last value of a key wins. NOTIFY once a batch: tenantfs_job when extractions were queued,
 * tenantfs_commit
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
	char (*paths)[OBJECT_PATH_SIZE]; /* objects no row names any more: remove them from the store after the commit
					  */
	int count;
};

/* Pairs of objects with equal SHA-256 and size found while objects were put: candidates for store_share(). */
struct apply_equal {
	struct {
		char first[OBJECT_PATH_SIZE], second[OBJECT_PATH_SIZE]; /* the older, the newer */
		int64_t first_inode, second_inode;
		int64_t first_object_id, second_object_id;
	} * pairs;
	int count;
};

/* How the session plans and how long it waits for a lock: once after each connect, before the first batch. */
int apply_session(struct db *db);

/*
 * Atomic, and exactly once: a batch that was applied before (its last position or a later one is in the database) is 0
 * and changes nothing. What is to be removed is told then as well; equal objects are not.
 *
 * -EAGAIN: nothing was committed, try again. -ESTALE: the epoch is no longer ours, stop writing. -EINPROGRESS: the
 * connection broke in the COMMIT; nobody knows. Apply it again when there is a connection, or read apply_position.
 * -EBADMSG: a record is none. -ENOMEM. Anything else: PostgreSQL refuses the batch; halve it to find the record, which
 * quarantines the tenant.
 */
int apply_batch(struct db *db, int64_t tenant_id, int64_t epoch, int64_t journal_epoch,
		const struct apply_record *records, int count, int extractor_version, struct apply_removed *ret_removed,
		struct apply_equal *ret_equal);

/*
 * The same for records of any number, in as many batches as it takes: one, unless PostgreSQL refuses it. Then it is
 * halved until the record is found that is refused (or is none), everything before it is committed, and the error says
 * why. done is called after each commit with how many records it took; what it is given is released afterwards.
 */
struct apply_target {
	int64_t tenant_id, epoch, journal_epoch;
	int extractor_version;
	void (*done)(void *context, const struct apply_record *last, int count, const struct apply_removed *removed,
		     const struct apply_equal *equal);
	void *context;
};
int apply_records(struct db *db, const struct apply_target *target, const struct apply_record *records, int count);
/* Whether an error of apply_batch is about the records themselves: trying again would not help. */
bool apply_is_refused(int error);
/* What a record is about, in words for the log: "node+entry+object". */
void apply_describe(const struct apply_record *record, char ret_text[128]);

void apply_removed_release(struct apply_removed *removed);
void apply_equal_release(struct apply_equal *equal);
/* How far a tenant has been applied. -ENOENT: it never had a lease. */
int apply_position(struct db *db, int64_t tenant_id, int64_t *ret_journal_epoch, uint64_t *ret_position);
