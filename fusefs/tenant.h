/*
 * One tenant of the mount: its settings, its tree, its lease and its counters.
 *
 * A struct tenant lives as long as the mount, so a pointer to one is always good. `lock` is the tree lock: it is held
 * for memory alone, never across a system call that may block, a reply, PostgreSQL or a notification to the kernel.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "fusefs/durable.h"
#include "fusefs/request.h"
#include "fusefs/tree.h"
#include "shared/base/buf.h"
#include "shared/validate/validate.h"

/* Settings as they stood at one moment: immutable, shared by reference, replaced as a whole when adminctl changes them.
 */
struct tenant_settings {
	_Atomic int references;
	struct tenant_row row; /* its strings lie behind it */
	struct rules *rules;
	int64_t max_file_size; /* bytes; INT64_MAX: none */
};

enum tenant_state {
	TENANT_KNOWN,	  /* its row is known, its lease is not asked for yet */
	TENANT_TAKING,	  /* a loader thread takes the lease and replays */
	TENANT_HELD,	  /* ours to change */
	TENANT_FOLLOWING, /* another mount holds it: read-only here */
	TENANT_LEAVING,	  /* the mount ends: no more changes */
	TENANT_REMOVED,
};

/* Charges: what rows hold (durable) and what open files hold beyond it (provisional), see quota.c. */
struct usage {
	int64_t used_bytes, file_count;
	int64_t provisional_bytes, provisional_files;
};

struct tenant {
	struct mount *mount; /* constant, as the next four */
	uint32_t slot;
	int64_t tenant_id, root_inode;
	char code[TENANT_CODE_SIZE];
	struct table_link by_id, by_code; /* tenants.c */

	pthread_mutex_t lock; /* all below */
	struct tenant_settings *settings;
	enum tenant_state state;
	bool is_read_only; /* held, but the lease was lost or the journal failed */
	char read_only_reason[128];
	struct durable_tenant *durable; /* while held; constant from then on, so usable without the lock */
	struct wait_list taking;	/* requests that wait for the lease */
	int64_t retry_at_ns;		/* FOLLOWING: when to ask for the lease again */
	struct tree tree;
	struct table loads;	       /* in flight, by key (load.c) */
	struct list_link loads_by_age; /* the oldest first */
	struct usage usage;
	int64_t next_sequence, next_object_id;
	uint64_t last_position;	    /* of the newest record */
	int64_t root_changed_ns;    /* mtime of the tenant folder */
	struct buf record, json;    /* scratch of edit.c */
	int shares_in_progress;	    /* while not 0, no object is appended to in place (share.c) */
	struct list_link appending; /* open files that append in place */
	struct list_link open_files;
	int64_t *atimes; /* inodes whose later atime has no record yet (atimes.c) */
	int atime_count;
	struct table mirrors, mirrors_by_id; /* nodes of .extract (mirror.c) */
	uint64_t next_mirror;
	int64_t counted_bytes; /* of tree.bytes, in mount.cache_used already */
	uint64_t unlocks;      /* debug builds: when to check the tree */
	char month[8];	       /* "2026-11": the month folder made last */
};

enum tenant_need {
	TENANT_FOR_STAT,   /* the tenant folder's own attributes: also when inactive; the lease is not needed */
	TENANT_FOR_READ,   /* anything inside */
	TENANT_FOR_CHANGE, /* -EROFS when it cannot be */
};

/*
 * Finds the tenant a node lies in, makes sure it is held, and locks its tree. 0: locked, the caller calls
 * tenant_unlock(). REQUEST_PARKED; -ESTALE: removed; -EACCES: inactive; -EROFS; the errors of request_park.
 */
int tenant_enter(struct request *request, uint64_t node, enum tenant_need need, struct tenant **ret_tenant);
/* The same when the tenant is known. */
int tenant_lock(struct request *request, struct tenant *tenant, enum tenant_need need);
/* Unlocks; in debug builds checks the tree now and then. Evicts when the cache is over its size. */
void tenant_unlock(struct tenant *tenant);

/* What is committed and could not be undone by a load in flight: the limit for eviction. Lock held. */
uint64_t tenant_evictable_position(const struct tenant *tenant);

struct tenant_settings *tenant_settings_ref(struct tenant_settings *settings);
void tenant_settings_unref(struct tenant_settings *settings);
/* rules that do not parse are logged and the instance's defaults hold. -ENOMEM. */
int tenant_settings_new(struct mount *mount, const struct tenant_row *row, struct tenant_settings **ret_settings);
/* The settings of a locked tenant, for use after it is unlocked; tenant_settings_unref() when done. */
struct tenant_settings *tenant_settings_get(struct tenant *tenant);

/* --- tenant_take.c --- */
/* Lock held: asks a loader thread to take the lease; whoever waits is in tenant->taking. */
void tenant_start_taking(struct tenant *tenant);
/* Before the mount answers: takes the lease on this thread. Negative errno; -EBUSY: it follows. */
int tenant_take_now(struct tenant *tenant);
/* Lock held. Another mount wrote until now: what is clean here may be old. */
void tenant_forget_clean(struct tenant *tenant);
/* The end of the mount: publishes or keeps what is open, gives the lease back. */
void tenant_leave(struct tenant *tenant, int timeout_ms);
/* Its row says it is being deleted: refuses everything inside and removes it, on the runner. No lock held. */
void tenant_start_removal(struct tenant *tenant);

/* --- tenants.c: the table of them --- */
struct tenants;

int tenants_new(struct mount *mount, struct tenants **ret_tenants);
void tenants_free(struct tenants *tenants);
/* Adds a tenant, or gives a known one its new settings (and tells the kernel what changed). -ENOMEM, -ENOSPC: too many.
 */
int tenants_put(struct tenants *tenants, const struct tenant_row *row, struct tenant **ret_tenant);
struct tenant *tenants_by_slot(struct tenants *tenants, uint32_t slot);
struct tenant *tenants_by_code(struct tenants *tenants, const char *code);
struct tenant *tenants_by_id(struct tenants *tenants, int64_t tenant_id);
/* The one with the next higher slot (after < 0: the first); NULL at the end. Any thread, no lock. */
struct tenant *tenants_next(struct tenants *tenants, int64_t after_slot);
uint32_t tenants_count(struct tenants *tenants);
/* It was removed: its code may be another tenant's from now on. */
void tenants_forget_code(struct tenants *tenants, struct tenant *tenant);
/* NOTIFY "tenantfs_tenant": reads the row again and puts it; a row that is gone marks the tenant removed. */
void tenants_refresh(struct tenants *tenants, int64_t tenant_id);
void tenants_refresh_all(struct tenants *tenants);
