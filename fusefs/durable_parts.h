/*
 * What the files of durable share (durable.h is what the rest of fusefs sees):
 *
 *   durable.c   the life of it all, appending, numbers      acquire.c   taking a tenant, giving it back, removing it
 *   commit.c    the committer thread                        sweep.c     what a new holder finds and puts in order
 *   lease.c     the lease thread, inode blocks              keeper.c    the keeper thread: disk work nobody waits for
 *   waiters.c   the clock thread: deadlines, bad news       listen.c    the listening thread
 *
 * Locks: durable->lock is the only one here; it is never held over a call to PostgreSQL, the disk, the journal or the
 * tree. The tree's lock may be held by whoever calls durable_append, so nothing below it calls back. A struct
 * durable_tenant stays until durable_free, so a pointer that the tree kept is good as long as durable is.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "fusefs/durable.h"
#include "shared/db/db.h"
#include "shared/meta/apply.h"
#include "shared/meta/lease.h"
#include "shared/store/journal.h"

enum { INODE_SPARES = 4, REASON_SIZE = 160, CONNECT_TIMEOUT_MS = 2000 };

struct committer; /* the thread's own */

/* --- waiters.c --- */

enum wait_kind { WAIT_COMMITTED, WAIT_ROOM };

struct waiter {
	struct waiter *next;
	enum wait_kind kind;
	uint64_t position; /* WAIT_COMMITTED */
	int64_t deadline_ns;
	void (*done)(void *context, int error);
	void *context;
};

enum tenant_life {
	LIFE_ACTIVE,
	LIFE_CLOSED, /* given back or removed */
};

struct durable_tenant {
	struct durable *durable; /* constant, as all up to journal */
	int64_t tenant_id, epoch;
	char code[TENANT_CODE_SIZE];
	void *context;
	struct journal *journal;

	_Atomic int64_t held_until_ns; /* CLOCK_BOOTTIME; 0: lost; INT64_MAX: nobody else can have it (lease.h) */
	_Atomic bool is_open;	       /* durable_append may append */
	_Atomic bool is_queued;	       /* in the committer's queue, or about to be */
	_Atomic uint64_t committed;    /* position; written by the committer */
	_Atomic uint64_t appended_records, committed_records;
	_Atomic int64_t pending_since_ns; /* about when the oldest record was appended that is not committed; 0: none */
	_Atomic uint64_t synced;	  /* position of the last syncfs */
	_Atomic bool may_rest;		  /* nobody has written for a while: the committer closes the journal's files */

	/* durable->lock: */
	struct durable_tenant *next; /* all of them */
	enum tenant_life life;
	struct durable_tenant *next_ready; /* the committer's queue */
	int64_t due_ns;			   /* not before */
	int backoff_ms;
	bool is_busy, is_kept_busy; /* the committer, the keeper works on it */
	bool is_urgent;		    /* somebody waits */
	bool is_lost;		    /* the lease */
	struct waiter *waiters;	    /* in the order in which they came */
	char reason[REASON_SIZE];   /* why it is read-only */
	bool is_failed, is_failure_told;
	int64_t last_commit_ns; /* when the last batch was begun */
	int last_batch;		/* its records */

	/* The committer's alone: */
	bool has_keep_error;

	/* The keeper's alone: */
	uint64_t seen_position; /* before the syncfs under way */
	uint64_t kept_position; /* as of its last round, to see whether anything happened */
	bool is_resting, has_compact_error;
	/* The lease thread's alone: */
	uint64_t renewed_synced; /* the mark in the database */
};

/* Objects to remove from the store. */
struct removal {
	struct removal *next;
	struct durable_tenant *tenant;
	int count;
	char paths[][OBJECT_PATH_SIZE];
};

struct durable {
	const struct config *config; /* constant, as all up to base */
	struct store *store;
	struct durable_events events;
	void *mount_context;
	const char *database_url;
	struct lease_holder holder;
	int lease_ms, sync_interval_ms, deadline_ms;
	struct journal_options journal_options;
	uint64_t reserve_bytes;
	struct db_pool *pool; /* for acquiring and giving back */
	int wake_fd;	      /* eventfd: ends the listening thread's poll */

	struct committer *committer_state;
	pthread_t committer, leaser, keeper, clock, listener;
	unsigned threads; /* how many of them run, in this order */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t committer_wakes, leaser_wakes, keeper_wakes, clock_wakes;
	pthread_cond_t progress; /* a batch is done, a tenant is no longer busy */
	struct durable_tenant *tenants;
	struct durable_tenant *first_ready, *last_ready;
	bool is_stopping;	   /* threads end, the committer and the keeper after what is left for them */
	bool has_news;		   /* for the clock thread: a failure to tell, an earlier deadline */
	int64_t clock_until_ns;	   /* how long the clock thread sleeps */
	bool is_renewal_wanted;	   /* for the lease thread: a new tenant, too few inode blocks */
	bool is_committer_pausing; /* PostgreSQL is away */
	struct removal *first_removal, *last_removal;
	uint64_t queued_removals;

	int64_t next_inode, end_inode;
	int64_t spare_blocks[INODE_SPARES];
	int spare_count;

	_Atomic bool is_connected;
	_Atomic uint64_t commits, commit_failures, last_commit_ns;
};

/* --- commit.c --- */
int committer_new(struct durable *durable, struct committer **ret_committer);
void committer_free(struct committer *committer);
void *committer_run(void *durable);
/* Puts a tenant in the committer's queue unless it is there. Any thread, no durable->lock. */
void committer_wake(struct durable_tenant *tenant);
/* Waits until all of the tenant's records are committed and its callbacks have returned. -ETIMEDOUT; -EIO: it failed.
 */
int committer_drain(struct durable_tenant *tenant, int64_t deadline_ns);

/* --- lease.c --- */
void *leaser_run(void *durable);
/* Fills the spare inode blocks on the caller's connection; for the start. */
int inode_blocks_fill(struct durable *durable, struct db *db);

/* --- waiters.c --- */
void *clock_run(void *durable);
/* The tenant can no longer write: refuses appends at once; the tree hears of it from the clock thread. Any thread, no
 * lock of ours. */
void tenant_fail(struct durable_tenant *tenant, const char *reason);
/* Calls back whoever waited for what is there now. */
void waiters_notify(struct durable_tenant *tenant);
/* Calls back all, with error. */
void waiters_fail(struct durable_tenant *tenant, int error);

/* --- keeper.c --- */
void *keeper_run(void *durable);
/* Objects whose removal was committed; copied. */
void keeper_remove(struct durable_tenant *tenant, const struct apply_removed *removed);

/* --- listen.c --- */
void *listener_run(void *durable);

/* --- sweep.c --- */
/* Counters and spools as they are after the replay. */
int start_read(struct db *db, int64_t tenant_id, struct durable_start *start);
/* Journals the removal of what was unlinked while open; the tenant is active. Adjusts start's counters. */
int sweep_unlinked(struct durable_tenant *tenant, struct db *db, struct durable_start *start);

/* Waits on a condition of durable->lock until CLOCK_MONOTONIC deadline_ns (INT64_MAX: for ever). False: it has passed.
 */
bool wait_until(pthread_cond_t *condition, struct durable *durable, int64_t deadline_ns);
