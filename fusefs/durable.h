/*
 * What makes an answer stay true: a tenant's lease, its journal, and the committer that carries records to PostgreSQL.
 *
 * The tree (tree.h) changes memory and calls durable_append under the tenant's tree lock; the committer thread, which holds no
 * tree lock, applies batches and tells the tree how far they went. Nothing here knows inodes or FUSE.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"
#include "shared/model/rows.h"

struct apply_equal;
struct config;
struct store;
struct durable;	       /* one for the mount: connections, committer thread, lease thread */
struct durable_tenant; /* one for each tenant held */

struct durable_events {
	/* All of them from threads of durable, no lock held. Everything up to position is in PostgreSQL. */
	void (*committed)(void *tenant_context, uint64_t position);
	/* The tenant can no longer write: lease lost, journal unusable or records refused (reason for the log and .stats). */
	void (*read_only)(void *tenant_context, const char *reason);
	/*
	 * Objects of equal content that a commit found; borrowed for the call, which copies what it keeps. The tree compares and
	 * shares them on a thread of its own (share.c), because an object that is being appended to in place must not be shared at
	 * that moment; durable never calls store_share(). Objects no row names any more durable removes itself (store_remove),
	 * after the commit: an open descriptor keeps the bytes for whoever reads them.
	 */
	void (*equal)(void *tenant_context, const struct apply_equal *equal);
	/* NOTIFY on the listening connection: "tenantfs_tenant" with a tenant_id, "tenantfs_touch" with an inode, …. After a
	 * reconnect, channel "reconnected": whatever was heard may have been missed. */
	void (*notified)(void *mount_context, const char *channel, const char *payload);
};

int durable_new(const struct config *config, struct store *store, const struct durable_events *events, void *mount_context,
		struct durable **ret_durable);
/* Commits what is pending (up to timeout_ms), gives the leases back, ends the threads. */
void durable_free(struct durable *durable, int timeout_ms);

/*
 * Takes the tenant's lease (waiting for a dead holder's to expire when wait_ms allows), seals and replays old journals, sweeps
 * what was unlinked while open, names named spools in ret_spools for the caller to validate and publish. Blocking: for the loader's
 * threads and the start, never a FUSE worker. -EBUSY: another mount holds it; serve read-only.
 */
/*
 * What is charged (CHANGE_USAGE, absolute, of rows alone): size_bytes of regular files, also of those unlinked while open until
 * their NODE_DELETE, plus the bytes of names and values in attribute; file_count counts regular files. Files that are being
 * written for the first time have no row until they are published, unless fsync or a rename over another name asked for one:
 * then the same record holds NODE_PUT (status u), ENTRY_PUT and CHANGE_SPOOL, and the spool comes back here. CHANGE_SPOOL with an
 * empty name, or NODE_DELETE of the inode, takes a spool off the list.
 */
enum { DURABLE_SPOOL_NAME_SIZE = 32 };
struct durable_spool {
	int64_t inode, size_bytes;
	char name[DURABLE_SPOOL_NAME_SIZE];
};
struct durable_start {
	int64_t epoch;
	int64_t used_bytes, file_count; /* exact after the replay */
	int64_t next_sequence;		/* entries from here on */
	int64_t next_object_id;
	struct durable_spool *spools; /* the caller's to free */
	int spool_count;
};
int durable_acquire(struct durable *durable, const struct tenant_row *tenant, void *tenant_context, int wait_ms,
		    struct durable_tenant **ret_tenant, struct durable_start *ret_start);
/*
 * Commits what is pending, gives the lease back. Appends are refused from now on (-EROFS); the pointer stays good until
 * durable_free. -ETIMEDOUT, -EIO (it failed before): what is pending stays in the journal for the next holder, and so does the lease.
 */
int durable_give_back(struct durable_tenant *tenant, int timeout_ms);
/*
 * The holder's part of deleting a tenant (delete_requested_at is set; the tree has closed everything inside and appends no more):
 * drops what is pending and the journal, then rows and bytes as shared/meta/tenant_remove.h says, and lets the lease end with the
 * row. Blocking: for a loader thread. On an error the tenant stays as asked for and the call may be repeated; on success tenant is
 * gone, though the pointer stays good until durable_free.
 */
int durable_remove(struct durable_tenant *tenant);

/*
 * Under the tenant's tree lock: journals one record in its final order and hands it to the committer. Never blocks.
 * -EAGAIN: the journal is at its limit: undo the change in memory and park until durable_when_room() tells.
 * -EROFS: lease lost, quarantined or given back. -ENOSPC, -EIO. The record's own error (record_put): -EINVAL, -EOVERFLOW, -ENOMEM.
 */
int durable_append(struct durable_tenant *tenant, const struct buf *record, bool frees_space, uint64_t *ret_position);
/* After the append and before the reply: the lease is still ours by CLOCK_BOOTTIME. */
bool durable_is_held(const struct durable_tenant *tenant);
/* fsync: the journal is on disk up to now. Blocks on the disk, not on PostgreSQL. */
int durable_sync(struct durable_tenant *tenant);
/* Calls back once, from a thread of durable with no lock held (or at once, on the caller's, when it is so already), when all up to
 * position is committed (error 0) or the deadline passed, or the tenant failed or was given back (-EIO). For parked requests. */
void durable_when_committed(struct durable_tenant *tenant, uint64_t position, int64_t deadline_monotonic_ns,
			    void (*done)(void *context, int error), void *context);
/* The same for room in the journal after -EAGAIN. */
void durable_when_room(struct durable_tenant *tenant, int64_t deadline_monotonic_ns, void (*done)(void *context, int error),
		       void *context);
uint64_t durable_committed_position(const struct durable_tenant *tenant);

/*
 * All spools that any tenant's journal or row names, replayed or not: what store_sweep() must leave. *ret_names is the caller's.
 * Blocking. After an error (a damaged journal, PostgreSQL away) nothing may be swept.
 */
int durable_spools_wanted(struct durable *durable, char (**ret_names)[DURABLE_SPOOL_NAME_SIZE], int *ret_count);

/* A fresh inode number, out of blocks of 1 << INODE_BLOCK_BITS that are fetched ahead, so it answers at once; -EAGAIN: none is
 * left (PostgreSQL is away for long), try again later. */
int durable_inode(struct durable *durable, int64_t *ret_inode);

struct durable_stats {
	uint64_t pending_records, pending_bytes, commits, commit_failures;
	uint64_t last_commit_ns; /* how long the last commit took */
	uint64_t lag_ns;	 /* how long the oldest pending record has waited, about */
	bool is_connected;
};
void durable_stats(struct durable *durable, struct durable_stats *ret_stats);
