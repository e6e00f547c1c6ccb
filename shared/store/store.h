/*
 * Bytes: objects (published, named, never overwritten) and spools (being written). One vtable, layers that stack:
 * store_local keeps them in a plain tree, store_mem in memory for unit tests, store_fault fails every nth call of another.
 *
 *   <base>/<tenant_code>/YYYY-MM/fs_<id>[.<n>].<ext>   objects        <base>/.tenantfs/spool/    spools
 *
 * Paths of objects are relative to <base>/<tenant_code>/ and are checked: no "..", no absolute, no symbolic link on the way.
 * Thread-safe. Errors are negative errno, logged here when the backing storage failed (-EIO, -ENOSPC).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct store;

struct spool {
	int fd;		      /* open read-write */
	uint64_t number;      /* names it in log lines and in the journal */
	bool is_named;	      /* has a name in spool/ (O_TMPFILE missing, or after spool_name) */
	char name[32];
};

struct store_abilities {
	bool has_tmpfile, has_reflink, has_hard_links;
	uint64_t free_bytes, total_bytes;
};

/*
 * Opens <base>: makes .tenantfs/ in an empty folder. -ENOTEMPTY: not empty and no .tenantfs/ (an older service's tree, see `adminctl
 * import --adopt`). -EBUSY: another process of ours writes there (a lock is held while open for writing). read_only takes none.
 */
int store_local_open(const char *base_path, bool read_only, struct store **ret_store);
int store_mem_new(struct store **ret_store);
/* Every nth call fails with error; takes over lower. */
int store_fault_new(struct store *lower, unsigned every_nth, int error, struct store **ret_store);
void store_close(struct store *store);

const struct store_abilities *store_abilities(struct store *store); /* found by probing at open */
int store_journal_dir(struct store *store);			     /* a descriptor that lives as long as the store */
int store_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);

int spool_create(struct store *store, struct spool *ret_spool);
void spool_discard(struct store *store, struct spool *spool);			 /* closes and removes; fd becomes -1 */
int spool_name(struct store *store, struct spool *spool);			 /* links it under a name, for fsync */
int spool_open_named(struct store *store, const char *name, struct spool *ret_spool); /* for a replay */
/* Fills an empty spool with an object's first size_bytes: reflink, else copy_file_range, else read and write. Holes stay holes. */
int spool_clone(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path,
		uint64_t size_bytes);
/* Gives the spool its final name; makes the month folder. -EEXIST: never overwritten. The descriptor stays open with the caller. */
int spool_publish(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path);

int store_open(struct store *store, const char *tenant_code, const char *object_path, int flags, int *ret_fd);
int store_stat(struct store *store, const char *tenant_code, const char *object_path, struct stat *ret_stat);
int store_remove(struct store *store, const char *tenant_code, const char *object_path); /* -ENOENT is 0 */
/* Makes two objects of equal bytes one: compared byte for byte first, then the second becomes a hard link of the first.
 * 1: now shared; 0: different, or already shared; -EMLINK: the first is full. */
int store_share(struct store *store, const char *tenant_code, const char *first_path, const char *second_path);
int store_sync(struct store *store, const char *tenant_code, const char *object_path); /* bytes and the folders above */
int store_sync_all(struct store *store);					      /* syncfs */
int store_remove_tenant(struct store *store, const char *tenant_code);		      /* renames away, then deletes */

/* Lists the objects of a tenant, or the spools (tenant_code NULL). visit returns 0 to go on. Any error ends the listing with it:
 * an incomplete list is never taken for a short one. */
int store_list(struct store *store, const char *tenant_code,
	       int (*visit)(const char *path, const struct stat *stat, void *context), void *context);
