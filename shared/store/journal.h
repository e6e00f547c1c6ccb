/*
 * The journal of one tenant under one lease epoch: what was answered and is not yet in PostgreSQL.
 *
 *   <base>/.tenantfs/journal/<tenant_id>.<epoch>     preallocated; records, each with length, position, XXH3
 *   <base>/.tenantfs/journal/<tenant_id>.kept        committed records, compacted: what a rebuild reads
 *
 * A position counts bytes from the beginning of the epoch and never goes back, also when the file is rewound: once all
 * is committed the file is used again from its start. append is called under the tenant's tree lock and never waits for
 * a disk sync; sync and the rest from any thread. journal_format.h says what the files look like, journal_base.h what
 * belongs to the folder as a whole.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"

struct journal;

struct journal_options {
	uint64_t limit_bytes;	/* changes wait for the committer above it; raised to about 4 MiB, two of the largest
				   records an area */
	uint64_t reserve_bytes; /* preallocated for unlink and truncate when the disk is full */
};

/*
 * Creates nothing yet: the file is made by the first append, so that a tenant nobody writes to costs neither room nor a
 * descriptor. An existing file of this epoch goes on behind its last valid record. -EBADMSG: it is damaged
 * (journal_scan).
 */
int journal_open(int journal_dir_fd, int64_t tenant_id, int64_t epoch, const struct journal_options *options,
		 struct journal **ret_journal);
void journal_close(struct journal *journal); /* the file stays; NULL is fine */

/*
 * One record. *ret_position is the position behind it. -EAGAIN: at the limit, wait for the committer. -ENOSPC: the disk
 * is full (frees_space records may use the reserve). -EMFILE, -ENFILE, -ENOMEM: not now. Other errors: the file is
 * unusable, the tenant must become read-only; every later call fails the same way. After an error nothing was appended.
 */
int journal_append(struct journal *journal, const struct buf *record, int frees_space, uint64_t *ret_position);
/* Whether the record that was last refused with -EAGAIN would find room now; true when none was refused. */
bool journal_has_room(struct journal *journal);
/* All up to now is on disk. After an error the kernel may have dropped what it could not write: the file is unusable.
 */
int journal_sync(struct journal *journal);
/*
 * Everything up to position is in PostgreSQL: copied to .kept, its room used again. One thread at a time. After an
 * error the records count as committed, but their room is taken until a later call (of the same position, too) has
 * copied them.
 */
int journal_committed(struct journal *journal, uint64_t position);
uint64_t journal_position(const struct journal *journal);      /* behind the last record appended */
uint64_t journal_pending_bytes(const struct journal *journal); /* appended, not committed */

/*
 * The records from from_position on, a position that an append returned, as they are in the file: the committer's way
 * of reading, so that what is pending takes no memory. Reads up to max_bytes, but at least one record if there is any;
 * fewer when that suits the file. journal_next() takes them out of the chunk, whose memory is used again by the next
 * read. -EBADMSG: a record is not what was appended.
 */
struct journal_chunk {
	char *data;
	size_t length, capacity, cursor;
	uint64_t position; /* of the record at cursor */
	uint64_t salt;
};
int journal_read(struct journal *journal, uint64_t from_position, size_t max_bytes, struct journal_chunk *chunk);
bool journal_next(struct journal_chunk *chunk, const void **ret_record, size_t *ret_length, uint64_t *ret_position);
void journal_chunk_release(struct journal_chunk *chunk);

/*
 * Housekeeping, off the hot path: compacts .kept (the last value of a key, nothing for keys that are gone) when more
 * than half of it may be garbage and is_idle, or more than three quarters. 1: compacted; 0: no need. May run beside
 * append and committed, not beside close. An error leaves .kept as it was.
 */
int journal_compact(struct journal *journal, bool is_idle);
/* Syncs .kept, for the mark of the periodic sync. */
int journal_kept_sync(struct journal *journal);
/* Closes the descriptors of a journal that has nothing pending, after a sync; they are opened again when needed. For
 * the thread that calls journal_committed(). */
int journal_rest(struct journal *journal);

/*
 * Reads an epoch's file from a position (0: all) in order, for replay and fsck. visit returns 0 to go on, anything else
 * ends the scan with it. Stops at the first torn record: *ret_torn_at is its position, or UINT64_MAX. A record with a
 * wrong checksum followed by valid ones is -EBADMSG and *ret_torn_at says which: it is never applied, nor anything
 * behind it. (After a restart of the machine such a place counts as torn, unless a sync had been answered for it: see
 * journal_scan.c.)
 */
int journal_scan(int journal_dir_fd, int64_t tenant_id, int64_t epoch, uint64_t from_position,
		 int (*visit)(const void *record, size_t length, uint64_t position, void *context), void *context,
		 uint64_t *ret_torn_at);
/* From where and up to where an epoch's file holds valid records; what lay before *ret_begin was committed. */
int journal_extent(int journal_dir_fd, int64_t tenant_id, int64_t epoch, uint64_t *ret_begin, uint64_t *ret_end);
/* The epochs that have a file, ascending. *ret_epochs is the caller's. */
int journal_epochs(int journal_dir_fd, int64_t tenant_id, int64_t **ret_epochs, int *ret_count);
/* Every epoch's file of every tenant. visit returns 0 to go on. */
int journal_each(int journal_dir_fd, int (*visit)(int64_t tenant_id, int64_t epoch, void *context), void *context);
int journal_remove(int journal_dir_fd, int64_t tenant_id, int64_t epoch);
/*
 * The end of an older epoch's file once all its valid records are in PostgreSQL: what .kept has not yet of them is
 * copied there, then the file is removed. Nobody may be writing to either. -EBADMSG: damaged, nothing was done.
 */
int journal_retire(int journal_dir_fd, int64_t tenant_id, int64_t epoch);
/* Renames a damaged file to NAME.damaged, so that it is not met again and can be looked into. */
int journal_set_aside(int journal_dir_fd, int64_t tenant_id, int64_t epoch);
/* Every file of a tenant that is being deleted. */
int journal_remove_all(int journal_dir_fd, int64_t tenant_id);

/*
 * Reads the kept records of a tenant, oldest first. Damaged places are passed over: -EBADMSG at the end, after all that
 * is valid was visited. -ENOENT: nothing was ever kept.
 */
int journal_kept_scan(int journal_dir_fd, int64_t tenant_id,
		      int (*visit)(const void *record, size_t length, void *context), void *context);
