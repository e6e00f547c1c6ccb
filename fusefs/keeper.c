/*
 * The keeper: disk work that nobody waits for. It removes the objects whose removal was committed, compacts .kept
 * files, refills the reserve for a full disk, lets journals rest that nobody writes to, and every few seconds makes all
 * of it durable:
 *
 * The synced mark. With syncfs everything published and journaled until then is on disk. The position of each journal
 * before that goes into tenant_lease.synced_position with the next renewal, with the time and the start of the machine
 * (boot_id). After a power loss whoever takes the lease finds a synced_boot_id that is not its own and knows from
 * synced_at what may not have reached the disk: durable_acquire is the place to compare that by size and SHA-256, once
 * the journals are replayed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"
#include "shared/store/store.h"

enum { REMOVALS_QUEUED_MAX = 200000 };

/* --- objects --- */

static void remove_one(struct durable_tenant *tenant, const char *path)
{
	int r = store_remove(tenant->durable->store, tenant->code, path);

	/* An orphan on disk, which the collection of garbage finds. */
	if (r < 0)
		log_warn("an object could not be removed", "tenant", tenant->code, "path", path, "errno", log_errno(r));
	FAULT_POINT("keeper_object_removed");
}

void keeper_remove(struct durable_tenant *tenant, const struct apply_removed *removed)
{
	struct durable *durable = tenant->durable;
	struct removal *removal = malloc(sizeof(*removal) + (size_t)removed->count * sizeof(removal->paths[0]));
	bool is_queued = false;

	if (removal) {
		*removal = (struct removal){.tenant = tenant, .count = removed->count};
		memcpy(removal->paths, removed->paths, (size_t)removed->count * sizeof(removal->paths[0]));
		pthread_mutex_lock(&durable->lock);
		is_queued = durable->queued_removals < REMOVALS_QUEUED_MAX;
		if (is_queued) {
			durable->queued_removals += (uint64_t)removed->count;
			if (durable->last_removal)
				durable->last_removal->next = removal;
			else
				durable->first_removal = removal;
			durable->last_removal = removal;
			pthread_cond_signal(&durable->keeper_wakes);
		}
		pthread_mutex_unlock(&durable->lock);
	}
	if (is_queued)
		return;
	free(removal);
	/* Too far behind, or no memory: on the caller's thread, which slows down whoever removes. */
	for (int i = 0; i < removed->count; i++)
		remove_one(tenant, removed->paths[i]);
}

static struct removal *take_removal(struct durable *durable)
{
	struct removal *removal;

	pthread_mutex_lock(&durable->lock);
	removal = durable->first_removal;
	if (removal) {
		durable->first_removal = removal->next;
		if (!removal->next)
			durable->last_removal = NULL;
	}
	pthread_mutex_unlock(&durable->lock);
	return removal;
}

static void remove_queued(struct durable *durable)
{
	struct removal *removal;

	while ((removal = take_removal(durable))) {
		for (int i = 0; i < removal->count; i++)
			remove_one(removal->tenant, removal->paths[i]);
		pthread_mutex_lock(&durable->lock);
		durable->queued_removals -= (uint64_t)removal->count;
		pthread_mutex_unlock(&durable->lock);
		free(removal);
	}
}

/* --- the mark --- */

static bool begin_visit(struct durable_tenant *tenant)
{
	pthread_mutex_lock(&tenant->durable->lock);
	tenant->is_kept_busy = tenant->life == LIFE_ACTIVE;
	pthread_mutex_unlock(&tenant->durable->lock);
	return tenant->is_kept_busy;
}

static void end_visit(struct durable_tenant *tenant)
{
	pthread_mutex_lock(&tenant->durable->lock);
	tenant->is_kept_busy = false;
	pthread_cond_broadcast(&tenant->durable->progress);
	pthread_mutex_unlock(&tenant->durable->lock);
}

/* Visits every tenant that is active, without the lock. Tenants are only ever added, at the head, until durable_free.
 */
static void each_active(struct durable *durable, void (*visit)(struct durable_tenant *tenant, void *context),
			void *context)
{
	struct durable_tenant *tenant;

	pthread_mutex_lock(&durable->lock);
	tenant = durable->tenants;
	pthread_mutex_unlock(&durable->lock);
	for (; tenant; tenant = tenant->next) {
		if (!begin_visit(tenant))
			continue;
		visit(tenant, context);
		end_visit(tenant);
	}
}

static void note_position(struct durable_tenant *tenant, void *context)
{
	tenant->seen_position = journal_position(tenant->journal);
	*(bool *)context |= tenant->seen_position != atomic_load(&tenant->synced);
}

static void move_mark(struct durable_tenant *tenant, void *context)
{
	(void)context;
	atomic_store(&tenant->synced, tenant->seen_position);
}

static void sync_all(struct durable *durable)
{
	bool has_changed = false;
	int r;

	each_active(durable, note_position, &has_changed);
	if (!has_changed)
		return;
	r = store_sync_all(durable->store);
	if (r < 0) {
		log_error("the periodic sync failed", "errno", log_errno(r));
		return;
	}
	FAULT_POINT("keeper_synced");
	each_active(durable, move_mark, NULL);
}

/* --- the rest --- */

static void tidy(struct durable_tenant *tenant, void *context)
{
	uint64_t position = journal_position(tenant->journal);
	bool is_idle = position == tenant->kept_position;
	int r = journal_compact(tenant->journal, is_idle);

	(void)context;
	if (r < 0 && !tenant->has_compact_error)
		log_warn("committed records could not be compacted", "tenant", tenant->code, "errno", log_errno(r));
	tenant->has_compact_error = r < 0;
	/* Two rounds without a change: the committer, whose journal it is, lets it rest. */
	if (is_idle && !tenant->is_resting) {
		atomic_store(&tenant->may_rest, true);
		committer_wake(tenant);
	}
	tenant->is_resting = is_idle;
	tenant->kept_position = position;
}

static void keep_house(struct durable *durable)
{
	int r;

	sync_all(durable);
	each_active(durable, tidy, NULL);
	r = journal_reserve_fill(store_journal_dir(durable->store), durable->reserve_bytes);
	if (r < 0 && r != -ENOSPC)
		log_warn("the reserve for a full disk could not be made", "errno", log_errno(r));
}

void *keeper_run(void *context)
{
	struct durable *durable = context;
	int64_t next_ns = clock_monotonic_ns();

	for (;;) {
		bool is_stopping;

		remove_queued(durable);
		if (clock_monotonic_ns() >= next_ns) {
			keep_house(durable);
			next_ns = clock_monotonic_ns() + durable->sync_interval_ms * NS_PER_MS;
		}
		pthread_mutex_lock(&durable->lock);
		if (!durable->is_stopping && !durable->first_removal)
			wait_until(&durable->keeper_wakes, durable, next_ns);
		is_stopping = durable->is_stopping && !durable->first_removal;
		pthread_mutex_unlock(&durable->lock);
		if (is_stopping)
			return NULL;
	}
}
