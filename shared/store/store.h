/*
 * Bytes: objects (published, named, never overwritten) and spools (being written). One vtable, layers that stack:
 * store_local keeps them in a plain tree, store_mem in memory for unit tests, store_fault fails every nth call of
 * another.
 *
 *   <base>/<tenant_code>/YYYY-MM/fs_<id>[.<n>].<ext>   objects        <base>/.tenantfs/spool/    spools
 *
 * Paths of objects are relative to <base>/<tenant_code>/ and are checked: no "..", no absolute, no symbolic link on the
 * way. Thread-safe. Errors are negative errno, logged here when the backing storage failed (-EIO, -ENOSPC).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct store;

enum { SPOOL_NAME_SIZE = 32 };

/* One thread at a time; fd may be read and written by others meanwhile. */
struct spool {
	int fd;		 /* open read-write */
	uint64_t number; /* names it in log lines and in the journal; grows over restarts */
	bool is_named;	 /* has a name in spool/ (O_TMPFILE missing, or after spool_name) */
	char name[SPOOL_NAME_SIZE];
};

struct store_abilities {
	bool has_tmpfile, has_reflink, has_hard_links;
	uint64_t free_bytes, total_bytes;
};

/*
 * Opens <base>: makes .tenantfs/ in an empty folder. -ENOTEMPTY: not empty and no .tenantfs/ (an older service's tree,
 * see `adminctl import --adopt`). -EBUSY: another process of this machine writes there (a lock is held while open for
 * writing). -EPROTONOSUPPORT: written by a later version. read_only takes no lock, makes nothing, and its calls that
 * would change something are -EROFS; -ENOENT: nothing there yet. One line of the log tells what was found.
 */
int store_local_open(const char *base_path, bool read_only, struct store **ret_store);
/* A store opened read_only may write from now on: a standby that takes over. -EBUSY as above. No other call meanwhile.
 */
int store_local_become_writer(struct store *store);
/* For writing, a folder that is not empty becomes a store: what lies there is the caller's to take over. */
int store_local_adopt(const char *base_path, struct store **ret_store);
int store_mem_new(struct store **ret_store);
void store_close(struct store *store); /* NULL is fine */

/* --- failure as another layer, for tests
 * -------------------------------------------------------------------------------- */

enum store_call {
	STORE_CALL_SPOOL_CREATE,
	STORE_CALL_SPOOL_NAME,
	STORE_CALL_SPOOL_SYNC,
	STORE_CALL_SPOOL_OPEN_NAMED,
	STORE_CALL_SPOOL_CLONE,
	STORE_CALL_SPOOL_PUBLISH,
	STORE_CALL_OPEN,
	STORE_CALL_STAT,
	STORE_CALL_REMOVE,
	STORE_CALL_SHARE,
	STORE_CALL_SYNC,
	STORE_CALL_SYNC_ALL,
	STORE_CALL_REMOVE_TENANT,
	STORE_CALL_LIST,
	STORE_CALL_FREE_SPACE,
	STORE_CALL_COUNT
};

/*
 * Every nth call, of all kinds counted together, fails with error (negative errno) before lower sees it; 0: none. Takes
 * over lower.
 */
int store_fault_new(struct store *lower, unsigned every_nth, int error, struct store **ret_store);
/* Calls first to first + count - 1 of one kind from now on fail with error; first is 1 for the next. count 0: none any
 * more. */
void store_fault_plan(struct store *store, enum store_call call, unsigned first, unsigned count, int error);
/* How many calls of a kind were made, failed ones included. */
unsigned store_fault_calls(struct store *store, enum store_call call);
/*
 * "publish:3:EIO,open:1-5:EMFILE,all:7:ENOSPC": the third publish; the first five opens; every seventh call of any
 * kind. So that a whole program can be tested. Takes over lower, unless it fails. -EINVAL: the plan is none.
 */
int store_fault_parse(struct store *lower, const char *plan, struct store **ret_store);

/* --- the store
 * ---------------------------------------------------------------------------------------------------------- */

const struct store_abilities *
store_abilities(struct store *store);	    /* found by probing at open; all false when read only */
int store_journal_dir(struct store *store); /* a descriptor that lives as long as the store */
int store_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);

int spool_create(struct store *store, struct spool *ret_spool);
void spool_discard(struct store *store, struct spool *spool); /* closes and removes; fd becomes -1 */
int spool_name(struct store *store, struct spool *spool);     /* links it under a name, for fsync */
int spool_sync(struct store *store, struct spool *spool);     /* spool_name, and bytes and name are on disk */
int spool_open_named(struct store *store, const char *name, struct spool *ret_spool); /* for a replay; -ENOENT */
/*
 * Fills an empty spool with an object's first size_bytes: reflink, else copy_file_range, else read and write. Holes
 * stay holes. -EIO: also when the object is shorter than that. After an error the spool is empty again.
 */
int spool_clone(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path,
		uint64_t size_bytes);
/*
 * Gives the spool its final name; makes the month folder. -EEXIST: never overwritten. The descriptor stays open with
 * the caller (where the tenant's folder is another file system the bytes are copied and the same number refers to the
 * copy). After an error the spool is as before.
 */
int spool_publish(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path);

/* flags as of open(2), without O_CREAT; O_CLOEXEC is added. -ELOOP, -EXDEV: a symbolic link is in the way. */
int store_open(struct store *store, const char *tenant_code, const char *object_path, int flags, int *ret_fd);
int store_stat(struct store *store, const char *tenant_code, const char *object_path, struct stat *ret_stat);
int store_remove(struct store *store, const char *tenant_code, const char *object_path); /* -ENOENT is 0 */
/*
 * Makes two objects of equal bytes one: compared byte for byte first, then the second becomes, atomically, a hard link
 * of the first. 1: now shared; 0: different, or already shared, or cannot be (no hard links, two file systems);
 * -EMLINK: the first is full. Nobody may be extending either of the two meanwhile: an append needs a link count of one,
 * asked after it has kept this call away.
 */
int store_share(struct store *store, const char *tenant_code, const char *first_path, const char *second_path);
int store_sync(struct store *store, const char *tenant_code, const char *object_path); /* bytes and the folders above */
int store_sync_all(struct store *store);					       /* syncfs */
int store_remove_tenant(struct store *store, const char *tenant_code); /* renames away, then deletes; -ENOENT is 0 */

/*
 * Lists what a tenant's folder holds ("2026-11/fs_….pdf", anything else found there too, folders of months not), or the
 * spools (tenant_code NULL; plain names). visit returns 0 to go on. Any error ends the listing with it: an incomplete
 * list is never taken for a short one. -ENOENT: the tenant has no folder. What is removed meanwhile may be missing.
 */
int store_list(struct store *store, const char *tenant_code,
	       int (*visit)(const char *path, const struct stat *stat, void *context), void *context);
/* The tenants that have a folder, and whatever else lies in <base>; visit gets the name. */
int store_list_tenants(struct store *store, int (*visit)(const char *name, const struct stat *stat, void *context),
		       void *context);
/*
 * Removes the spools that an earlier process of this machine left under a name, unless is_wanted says otherwise (the
 * journal names it), and finishes removals of tenants. For the start, after the replay. The count of what was removed,
 * or an error.
 */
int store_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context);
