/*
 * The lease thread: renews what the mount holds every third of a lease's life, moves the marks of the periodic sync
 * along with it, and fetches inode numbers ahead of need.
 *
 * A lease is ours from before the renewing statement was sent until its life has passed by CLOCK_BOOTTIME, which goes
 * on while the machine sleeps, less a twentieth for clocks that run differently. Where only this machine can reach the
 * folder (holder.is_exclusive) our lock on it keeps others away for as long as we live, and PostgreSQL may be away
 * longer than a lease: nobody without that lock can take it (tenant_lease_take), and no reply waits for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"

enum { RETRY_MS = 500 };

/* What is renewed in one statement. */
struct renewal {
	struct durable_tenant **tenants;
	int64_t *tenant_ids, *epochs, *synced;
	bool *is_lost;
	int count;
};

static void renewal_release(struct renewal *renewal)
{
	free(renewal->tenants);
	free(renewal->tenant_ids);
	free(renewal->epochs);
	free(renewal->synced);
	free(renewal->is_lost);
}

static bool is_renewed(const struct durable_tenant *tenant)
{
	/* Also of a tenant that failed: its journal is to be looked into, and nobody else could do better with it. */
	return tenant->life == LIFE_ACTIVE && !tenant->is_lost;
}

static int renewal_init(struct renewal *renewal, size_t count)
{
	renewal->tenants = calloc(count, sizeof(*renewal->tenants));
	renewal->tenant_ids = calloc(count, sizeof(*renewal->tenant_ids));
	renewal->epochs = calloc(count, sizeof(*renewal->epochs));
	renewal->synced = calloc(count, sizeof(*renewal->synced));
	renewal->is_lost = calloc(count, sizeof(*renewal->is_lost));
	return renewal->tenants && renewal->tenant_ids && renewal->epochs && renewal->synced && renewal->is_lost
		       ? 0
		       : -ENOMEM;
}

static void add(struct renewal *renewal, struct durable_tenant *tenant)
{
	uint64_t synced = atomic_load(&tenant->synced);
	int i = renewal->count++;

	renewal->tenants[i] = tenant;
	renewal->tenant_ids[i] = tenant->tenant_id;
	renewal->epochs[i] = tenant->epoch;
	renewal->synced[i] = synced > tenant->renewed_synced ? (int64_t)synced : -1;
}

static int collect(struct durable *durable, struct renewal *renewal)
{
	size_t count = 0;
	int r;

	pthread_mutex_lock(&durable->lock);
	for (struct durable_tenant *tenant = durable->tenants; tenant; tenant = tenant->next)
		count += is_renewed(tenant);
	r = renewal_init(renewal, count + 1);
	for (struct durable_tenant *tenant = durable->tenants; r == 0 && tenant; tenant = tenant->next) {
		if (is_renewed(tenant))
			add(renewal, tenant);
	}
	pthread_mutex_unlock(&durable->lock);
	return r;
}

/* Only forwards, and not when it was lost meanwhile. */
static void prolong(struct durable_tenant *tenant, int64_t until_ns)
{
	int64_t before = atomic_load(&tenant->held_until_ns);

	while (before != 0 && before < until_ns &&
	       !atomic_compare_exchange_weak(&tenant->held_until_ns, &before, until_ns))
		;
}

/* False: it was given back or removed meanwhile, which is no loss. */
static bool note_loss(struct durable_tenant *tenant)
{
	bool is_active;

	pthread_mutex_lock(&tenant->durable->lock);
	is_active = tenant->life == LIFE_ACTIVE;
	tenant->is_lost = true;
	pthread_mutex_unlock(&tenant->durable->lock);
	return is_active;
}

static void settle(struct durable *durable, const struct renewal *renewal, int64_t sent_ns)
{
	int64_t life_ns = durable->lease_ms * NS_PER_MS;

	for (int i = 0; i < renewal->count; i++) {
		struct durable_tenant *tenant = renewal->tenants[i];

		if (!renewal->is_lost[i]) {
			prolong(tenant, sent_ns + life_ns - life_ns / 20);
			if (renewal->synced[i] >= 0)
				tenant->renewed_synced = (uint64_t)renewal->synced[i];
			continue;
		}
		if (!note_loss(tenant))
			continue;
		log_error("the lease is another's by now", "tenant", tenant->code, "epoch", log_number(tenant->epoch));
		tenant_fail(tenant, "the lease was lost");
	}
}

static int renew(struct durable *durable, struct db *db)
{
	cleanup(renewal_release) struct renewal renewal = {0};
	int64_t sent_ns;
	int r = collect(durable, &renewal);

	if (r < 0 || renewal.count == 0)
		return r;
	sent_ns = clock_boottime_ns();
	r = lease_renew(db, &durable->holder, renewal.tenant_ids, renewal.epochs, renewal.synced, renewal.count,
			durable->lease_ms, renewal.is_lost);
	if (r == 0)
		settle(durable, &renewal, sent_ns);
	return r;
}

/* --- inode numbers --- */

static int fetch_block(struct db *db, int64_t *ret_block)
{
	autoresult struct db_result *result = NULL;
	int r = db_run(db, QUERY_INODE_BLOCK, NULL, &result);

	if (r == 0)
		*ret_block = db_get_int(result, 0, 0);
	return r;
}

int inode_blocks_fill(struct durable *durable, struct db *db)
{
	int r = 0;

	for (;;) {
		int64_t block = 0;
		bool is_full;

		pthread_mutex_lock(&durable->lock);
		is_full = durable->spare_count == INODE_SPARES;
		pthread_mutex_unlock(&durable->lock);
		if (is_full)
			return 0;
		r = fetch_block(db, &block);
		if (r < 0)
			return r;
		FAULT_POINT("inode_block_fetched");
		pthread_mutex_lock(&durable->lock);
		durable->spare_blocks[durable->spare_count++] = block;
		pthread_mutex_unlock(&durable->lock);
	}
}

/* --- the thread --- */

static int ensure_connected(struct durable *durable, struct db **db)
{
	if (!*db)
		return db_open(durable->database_url, "fusefs leases", CONNECT_TIMEOUT_MS, db);
	return db_is_lost(*db) ? db_reopen(*db, CONNECT_TIMEOUT_MS) : 0;
}

static int round_of(struct durable *durable, struct db **db)
{
	int r = ensure_connected(durable, db);

	if (r < 0)
		return r;
	/* A renewal that is answered late is worth nothing, and must not hold up the next. */
	db_set_timeout(*db, durable->lease_ms / 3);
	r = renew(durable, *db);
	return r < 0 ? r : inode_blocks_fill(durable, *db);
}

void *leaser_run(void *context)
{
	struct durable *durable = context;
	struct db *db = NULL;

	pthread_mutex_lock(&durable->lock);
	while (!durable->is_stopping) {
		int64_t begin_ns = clock_monotonic_ns();
		int64_t next_ns;
		int r;

		durable->is_renewal_wanted = false;
		pthread_mutex_unlock(&durable->lock);
		r = round_of(durable, &db);
		next_ns = r < 0 ? clock_monotonic_ns() + RETRY_MS * NS_PER_MS
				: begin_ns + durable->lease_ms * NS_PER_MS / 3;
		pthread_mutex_lock(&durable->lock);
		/* After a failure it is not tried at once, however much it is wanted. */
		while (!durable->is_stopping && (r < 0 || !durable->is_renewal_wanted) &&
		       wait_until(&durable->leaser_wakes, durable, next_ns))
			;
	}
	pthread_mutex_unlock(&durable->lock);
	db_close(db);
	return NULL;
}
