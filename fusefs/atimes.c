#include "fusefs/atimes.h"

#include <stdlib.h>
#include "fusefs/edit.h"
#include "fusefs/mount.h"
#include "fusefs/runner.h"

enum { ATIMES_MAX = 4096, ATIMES_EVERY_MS = 60000 };

bool atimes_note(struct tenant *tenant, int64_t inode)
{
	if (tenant->state != TENANT_HELD || tenant->atime_count == ATIMES_MAX)
		return false;
	if (!tenant->atimes)
		tenant->atimes = calloc(ATIMES_MAX, sizeof(tenant->atimes[0]));
	if (!tenant->atimes)
		return false;
	tenant->atimes[tenant->atime_count++] = inode;
	return true;
}

static void record_some(struct tenant *tenant)
{
	struct edit edit;

	edit_begin(&edit, tenant);
	while (tenant->atime_count > 0 && edit.inode_count < EDIT_INODES_MAX) {
		struct inode *inode = tree_find(&tenant->tree, tenant->atimes[--tenant->atime_count]);

		if (!inode || !inode->has_later_atime)
			continue;
		inode->has_later_atime = false;
		if (!inode->is_gone)
			edit_inode(&edit, inode);
	}
	/* A journal at its limit has better things to do: these times stay in memory alone. */
	(void)edit_commit(&edit);
}

void atimes_record(struct tenant *tenant)
{
	bool is_done;

	do {
		pthread_mutex_lock(&tenant->lock);
		if (tenant->atime_count > 0)
			record_some(tenant);
		is_done = tenant->atime_count == 0;
		tenant_unlock(tenant);
	} while (!is_done);
}

static void every_minute(void *context)
{
	struct mount *mount = context;
	struct tenant *tenant;

	if (atomic_load(&mount->is_ending))
		return;
	for (int64_t slot = -1; (tenant = tenants_next(mount->tenants, slot)); slot = tenant->slot)
		atimes_record(tenant);
	atimes_start(mount);
}

void atimes_start(struct mount *mount)
{
	runner_add_later(mount->runner, ATIMES_EVERY_MS, every_minute, mount);
}
