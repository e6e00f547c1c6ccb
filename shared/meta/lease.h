/*
 * The lease of a tenant: the right to change its names and bytes, for one holder at a time (design section 7). The row
 * and its epoch fence what is committed; the lock on the journal folder says who of this machine is alive.
 *
 * Whoever takes a lease replays what the holder before had answered (replay.h) before anything else.
 */
#pragma once
#include <stdbool.h>
#include "shared/db/db.h"
#include "shared/store/journal_base.h"

enum { LEASE_HOLDER_SIZE = 160, LEASE_PLACE_SIZE = 96, LEASE_BOOT_ID_SIZE = JOURNAL_BOOT_ID_SIZE };

/* Who we are: one for a process. */
struct lease_holder {
	char name[LEASE_HOLDER_SIZE]; /* hostname:pid:random */
	char boot_id[LEASE_BOOT_ID_SIZE];
	char place[LEASE_PLACE_SIZE]; /* boot_id and which directory of this kernel it is that we have the lock on */
	char base_id[JOURNAL_BASE_ID_SIZE];
	int lock_fd;	   /* journal_lock() */
	bool is_exclusive; /* nobody else can hold a lease of this folder while we have the lock: it is on a local file
			      system */
};

/* -EBUSY: another process of this machine writes in the folder. */
int lease_holder_init(int journal_dir_fd, struct lease_holder *ret_holder);
void lease_holder_release(struct lease_holder *holder);

struct lease {
	int64_t epoch;
	int64_t journal_epoch; /* how far the holders before came */
	uint64_t journal_position;
	uint64_t synced_position; /* the last mark of the periodic syncfs, when it was and in which start of the machine
				   */
	int64_t synced_at_ns;	  /* 0: never */
	char synced_boot_id[LEASE_BOOT_ID_SIZE];
	char holder_before[LEASE_HOLDER_SIZE]; /* "": it was free */
	int64_t wait_ms;		       /* after -EBUSY: until it would expire */
};

/*
 * One transaction. Taking again what we hold gives a new epoch. -EBUSY: somebody else holds it. -EXDEV: it was last
 * held by a process with another folder, which may have answered what is only there; lease_break() frees it by force.
 * -ENOENT: no such tenant. After these holder_before and wait_ms are set. -EAGAIN: not known whether it took place; ask
 * again.
 */
int lease_take(struct db *db, int64_t tenant_id, const struct lease_holder *holder, int duration_ms,
	       struct lease *ret_lease);

/*
 * Prolongs count leases at once; is_lost[i] says which of them are another's by now. synced_positions[i] moves that
 * tenant's mark unless it is -1: all of its journal and of the bytes published before is on disk.
 */
int lease_renew(struct db *db, const struct lease_holder *holder, const int64_t *tenant_ids, const int64_t *epochs,
		const int64_t *synced_positions, int count, int duration_ms, bool *is_lost);

/* Only when nothing of the journal is left to replay. -ESTALE: it is another's by now. */
int lease_give_back(struct db *db, int64_t tenant_id, int64_t epoch);

/* Frees a lease whose holder and folder are gone for good. What they had answered and not committed is lost. -ENOENT.
 */
int lease_break(struct db *db, int64_t tenant_id, char ret_holder_before[LEASE_HOLDER_SIZE]);
