/*
 * Removing a tenant whose deletion was asked for: its rows in batches, then its bytes, then its own row.
 *
 * The one use case behind fusefs (which runs it on a loader thread when NOTIFY tenantfs_tenant tells, and has first
 * refused everything inside and ended the tenant's journal) and adminctl (which takes the lease itself when nobody has
 * it). May be broken off at any point and called again: the tenant's row goes last. Blocking, minutes for millions of
 * files; never on a FUSE worker.
 */
#pragma once
#include <stdint.h>
#include "shared/db/db.h"
#include "shared/model/rows.h"

struct store;

struct tenant_removed {
	int64_t files, folders, bytes, extractions;
};

/*
 * The caller holds the tenant's lease under epoch; it is checked, and prolonged, with each batch. progress may be NULL.
 * -ESTALE: the lease is somebody else's now. -EPERM: its deletion was not asked for. -ENOENT: it is gone already.
 */
int tenant_remove(struct db *db, struct store *store, int64_t tenant_id, const char *code, int64_t epoch,
		  void (*progress)(const struct tenant_removed *so_far, void *context), void *context,
		  struct tenant_removed *ret_removed);

/*
 * For who is no mount: takes the lease when it is free or expired. -EBUSY: a mount holds it, and will do the work.
 */
int tenant_remove_acquire(struct db *db, int64_t tenant_id, const char *holder, int64_t *ret_epoch);
