/*
 * Replaying what the holder of a lease before us had answered and PostgreSQL has not seen: the first thing after
 * lease_take(), exactly once, in order, over as many journals as there are. Raising the epoch has sealed them: whatever
 * their writer still appends it cannot answer.
 *
 * Each journal that is done is copied to .kept and removed. What a power loss took from the end of one is said in the
 * log.
 */
#pragma once
#include "shared/meta/lease.h"

struct store;

struct replay {
	struct db *db; /* reconnected when it is lost, until the deadline */
	struct store *store;
	int64_t tenant_id;
	const char *code;
	const struct lease *lease; /* as lease_take() gave it */
	int64_t deadline_monotonic_ns;
	/* Called between batches, so that the caller may prolong the lease; NULL: not. 0 to go on. */
	int (*tick)(void *context);
	void *context;
};

struct replay_done {
	uint64_t records;
	bool has_lost; /* a tail that no sync had been answered for */
};

/*
 * -ESTALE: the lease is another's by now. -EAGAIN: PostgreSQL is away, past the deadline. -EBADMSG: a record is
 * damaged; what lies before it has been applied, it and what is behind it never are; the file stays. -ENODATA: the
 * database is older than the journal (restored from a backup): `adminctl fsck --rebuild`. Anything else: PostgreSQL
 * refuses a record; the file stays.
 */
int replay_journals(const struct replay *replay, struct replay_done *ret_done);
