/*
 * The journal of one tenant under one lease epoch: what was answered and is not yet in PostgreSQL.
 *
 *   <base>/.tenantfs/journal/<tenant_id>.<epoch>     preallocated; records, each with length, position, XXH3
 *   <base>/.tenantfs/journal/<tenant_id>.kept        committed records, compacted: what a rebuild reads
 *
 * A position counts bytes from the beginning of the epoch and never goes back, also when the file is rewound: once all is
 * committed the file is used again from its start. append is called under the tenant's tree lock and never waits for a disk
 * sync; sync and the rest from any thread.
 */
#pragma once
#include <stdint.h>
#include "shared/base/buf.h"

struct journal;

struct journal_options {
	uint64_t limit_bytes;	/* changes wait for the committer above it */
	uint64_t reserve_bytes; /* preallocated for unlink and truncate when the disk is full */
};

/* Opens or creates; an existing file of this epoch goes on behind its last valid record. */
int journal_open(int journal_dir_fd, int64_t tenant_id, int64_t epoch, const struct journal_options *options,
		 struct journal **ret_journal);
void journal_close(struct journal *journal);

/*
 * One record. *ret_position is the position behind it. -EAGAIN: at the limit, wait for the committer. -ENOSPC: the disk is full
 * (frees_space records may use the reserve). Other errors: the file is unusable, the tenant must become read-only.
 */
int journal_append(struct journal *journal, const struct buf *record, int frees_space, uint64_t *ret_position);
/* All up to now is on disk. */
int journal_sync(struct journal *journal);
/* Everything up to position is in PostgreSQL: copied to .kept (compacted now and then), its room used again. */
int journal_committed(struct journal *journal, uint64_t position);
uint64_t journal_position(const struct journal *journal);
uint64_t journal_pending_bytes(const struct journal *journal);

/*
 * Reads an epoch's file from a position (0: all) in order, for replay and fsck. visit returns 0 to go on. Stops at the first
 * torn record: *ret_torn_at is its position, or UINT64_MAX. A record with a wrong checksum followed by valid ones is -EBADMSG
 * and *ret_torn_at says which: it is never applied, nor anything behind it.
 */
int journal_scan(int journal_dir_fd, int64_t tenant_id, int64_t epoch, uint64_t from_position,
		 int (*visit)(const void *record, size_t length, uint64_t position, void *context), void *context,
		 uint64_t *ret_torn_at);
/* The epochs that have a file, ascending. *ret_epochs is the caller's. */
int journal_epochs(int journal_dir_fd, int64_t tenant_id, int64_t **ret_epochs, int *ret_count);
int journal_remove(int journal_dir_fd, int64_t tenant_id, int64_t epoch);
/* Reads the kept records of a tenant, oldest first. */
int journal_kept_scan(int journal_dir_fd, int64_t tenant_id,
		      int (*visit)(const void *record, size_t length, void *context), void *context);
