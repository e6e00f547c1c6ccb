/* What the files that write a journal share: journal.c, journal_open.c, journal_read.c. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include "shared/store/journal.h"
#include "shared/store/journal_format.h"

#define JOURNAL_RESERVE_NAME "reserve"

struct area {
	uint64_t base, end; /* positions of its first frame and behind its last */
	uint64_t allocated; /* bytes for frames that need no more room on the disk */
};

/*
 *   released = min(kept_to, committed) <= committed <= position      synced <= position
 *   areas[current].end == position; the other area's frames end where the current one's begin, or are released
 */
struct journal {
	int dir_fd; /* the caller's */
	int64_t tenant_id, epoch;
	struct journal_options options;
	uint64_t area_bytes, salt; /* constant */

	pthread_mutex_t lock; /* all below but what says otherwise; never held over a sync */
	int fd;		      /* -1: not yet, or at rest */
	bool is_begun;	      /* the file has its first header */
	int error;	      /* sticky: the file is unusable */
	int current;
	struct area areas[JOURNAL_AREAS];
	_Atomic uint64_t position, committed; /* written under the lock, read without */
	uint64_t kept_to, synced;
	uint64_t refused_bytes; /* what the last record that found no room needs; 0: none */

	pthread_mutex_t sync_lock; /* one sync at a time; taken before lock. Also: nobody closes fd meanwhile */
	bool is_dir_synced;	   /* sync_lock */

	pthread_mutex_t kept_lock; /* the two below; struct kept has a lock of its own */
	struct kept *kept;
	int kept_users; /* compactions and syncs under way: it stays open */
};

static inline uint64_t area_capacity(const struct journal *journal)
{
	return journal->area_bytes - JOURNAL_HEADER_BYTES;
}

static inline uint64_t journal_released(const struct journal *journal)
{
	return journal->kept_to < journal->committed ? journal->kept_to : journal->committed;
}

/* In the current area. */
static inline bool fits(const struct journal *journal, uint64_t need)
{
	return journal->position - journal->areas[journal->current].base + need <= area_capacity(journal);
}

/* .kept, opened when it was not. Give it back with journal_kept_put(). */
int journal_kept_get(struct journal *journal, struct kept **ret_kept);
void journal_kept_put(struct journal *journal);
/* -ENOSPC (also for a quota of the backing file system). */
int journal_allocate(struct journal *journal, int index, uint64_t bytes);
/* All bytes, or an error; what was written of them then is undefined. */
int write_all(int fd, const void *bytes, size_t length, uint64_t offset);
int writev_all(int fd, struct iovec *parts, int count, uint64_t offset);
