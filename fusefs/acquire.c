/* Taking a tenant: its lease, the replay of what was answered before, its journal. Giving it back. Removing it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"
#include "shared/meta/replay.h"
#include "shared/meta/tenant_remove.h"
#include "shared/store/store.h"

enum { ASK_AGAIN_MS = 200, TIMEOUT_LEAST_MS = 100 };

/* One tenant on its way to being held. */
struct acquisition {
	struct durable *durable;
	const struct tenant_row *row;
	struct db *db;
	struct lease lease;
	int64_t sent_ns;     /* CLOCK_BOOTTIME before the statement that last took or renewed the lease */
	int64_t deadline_ns; /* CLOCK_MONOTONIC */
};

static int left_ms(int64_t deadline_ns)
{
	int64_t left = (deadline_ns - clock_monotonic_ns()) / NS_PER_MS;

	return left > TIMEOUT_LEAST_MS ? (int)left : TIMEOUT_LEAST_MS;
}

/* --- the lease --- */

static void say_other_folder(const struct acquisition *acquisition)
{
	log_error("the tenant was last served from another storage folder, whose journal is not here", "tenant",
		  acquisition->row->code, "holder", acquisition->lease.holder_before, "try",
		  "mount that folder, or adminctl to break the lease when it is gone for good");
}

/* Asks until it is ours or wait_ms have passed. What others hold expires, or they give it back. */
static int take(struct acquisition *acquisition, int wait_ms)
{
	int64_t until_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	int r;

	for (;;) {
		const struct timespec pause = {.tv_nsec = ASK_AGAIN_MS * NS_PER_MS};

		acquisition->sent_ns = clock_boottime_ns();
		r = lease_take(acquisition->db, acquisition->row->tenant_id, &acquisition->durable->holder,
			       acquisition->durable->lease_ms, &acquisition->lease);
		if (r != -EBUSY || clock_monotonic_ns() + ASK_AGAIN_MS * NS_PER_MS > until_ns)
			break;
		nanosleep(&pause, NULL);
	}
	if (r == -EXDEV)
		say_other_folder(acquisition);
	return r == -EXDEV ? -EBUSY : r;
}

/* Between the batches of a long replay. */
static int renew(void *context)
{
	struct acquisition *acquisition = context;
	struct durable *durable = acquisition->durable;
	const int64_t unmoved = -1;
	int64_t now_ns = clock_boottime_ns();
	bool is_lost;
	int r;

	if (now_ns - acquisition->sent_ns < durable->lease_ms * NS_PER_MS / 3)
		return 0;
	r = lease_renew(acquisition->db, &durable->holder, &acquisition->row->tenant_id, &acquisition->lease.epoch,
			&unmoved, 1, durable->lease_ms, &is_lost);
	if (r < 0)
		return r == -EAGAIN ? 0 : r; /* the next batch will tell */
	if (is_lost)
		return -ESTALE;
	acquisition->sent_ns = now_ns;
	return 0;
}

static int replay(struct acquisition *acquisition)
{
	const struct replay replay = {
		.db = acquisition->db,
		.store = acquisition->durable->store,
		.tenant_id = acquisition->row->tenant_id,
		.code = acquisition->row->code,
		.lease = &acquisition->lease,
		.deadline_monotonic_ns = acquisition->deadline_ns,
		.tick = renew,
		.context = acquisition,
	};
	struct replay_done done;
	int64_t begin_ns = clock_monotonic_ns();
	int r = replay_journals(&replay, &done);

	if (done.records > 0)
		log_info("replayed what a mount before had answered", "tenant", acquisition->row->code, "records",
			 log_number((int64_t)done.records), "ms",
			 log_number((clock_monotonic_ns() - begin_ns) / NS_PER_MS));
	return r;
}

/* --- the tenant --- */

static int make_tenant(struct acquisition *acquisition, void *context, struct durable_tenant **ret_tenant)
{
	struct durable *durable = acquisition->durable;
	struct durable_tenant *tenant = calloc(1, sizeof(*tenant));
	int64_t life_ns = durable->lease_ms * NS_PER_MS;
	int r;

	if (!tenant)
		return -ENOMEM;
	tenant->durable = durable;
	tenant->tenant_id = acquisition->row->tenant_id;
	tenant->epoch = acquisition->lease.epoch;
	memcpy(tenant->code, acquisition->row->code, sizeof(tenant->code));
	tenant->context = context;
	atomic_store(&tenant->held_until_ns,
		     durable->holder.is_exclusive ? INT64_MAX : acquisition->sent_ns + life_ns - life_ns / 20);
	r = journal_open(store_journal_dir(durable->store), tenant->tenant_id, tenant->epoch, &durable->journal_options,
			 &tenant->journal);
	if (r < 0) {
		free(tenant);
		return r;
	}
	*ret_tenant = tenant;
	return 0;
}

/* From here on the lease thread renews, the committer commits, the keeper tidies. */
static void activate(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;

	pthread_mutex_lock(&durable->lock);
	tenant->life = LIFE_ACTIVE;
	tenant->next = durable->tenants;
	durable->tenants = tenant;
	pthread_mutex_unlock(&durable->lock);
	atomic_store(&tenant->is_open, true);
}

static int acquire(struct acquisition *acquisition, void *context, int wait_ms, struct durable_tenant **ret_tenant,
		   struct durable_start *start)
{
	struct durable_tenant *tenant = NULL;
	int r = take(acquisition, wait_ms);

	if (r < 0)
		return r;
	FAULT_POINT("acquire_taken");
	r = apply_session(acquisition->db);
	if (r == 0)
		r = replay(acquisition);
	FAULT_POINT("acquire_replayed");
	if (r == 0)
		r = start_read(acquisition->db, acquisition->row->tenant_id, start);
	if (r == 0)
		r = make_tenant(acquisition, context, &tenant);
	if (r < 0)
		return r;
	assert(tenant);
	start->epoch = tenant->epoch;
	activate(tenant);
	if (sweep_unlinked(tenant, acquisition->db, start) < 0)
		log_warn("files that were unlinked while open are swept another time", "tenant", tenant->code);
	*ret_tenant = tenant;
	return 0;
}

int durable_acquire(struct durable *durable, const struct tenant_row *row, void *tenant_context, int wait_ms,
		    struct durable_tenant **ret_tenant, struct durable_start *ret_start)
{
	struct acquisition acquisition = {
		.durable = durable,
		.row = row,
		.deadline_ns = clock_monotonic_ns() + (wait_ms + durable->deadline_ms) * NS_PER_MS,
	};
	struct durable_start start = {0};
	int r = db_pool_get(durable->pool, left_ms(acquisition.deadline_ns), &acquisition.db);

	if (r < 0)
		return r == -ETIMEDOUT ? -EAGAIN : r;
	r = acquire(&acquisition, tenant_context, wait_ms, ret_tenant, &start);
	db_pool_put(durable->pool, acquisition.db);
	if (r < 0) {
		/* The lease, if it was taken, is neither renewed nor given back: what could not be replayed stays ours.
		 */
		free(start.spools);
		return r;
	}
	*ret_start = start;
	return 0;
}

/* --- the end --- */

/* Nobody works on the tenant any more, and nobody will. */
static void close_tenant(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;

	atomic_store(&tenant->is_open, false);
	pthread_mutex_lock(&durable->lock);
	tenant->life = LIFE_CLOSED;
	while (tenant->is_busy || tenant->is_kept_busy)
		wait_until(&durable->progress, durable, INT64_MAX);
	pthread_mutex_unlock(&durable->lock);
	atomic_store(&tenant->held_until_ns, 0);
	waiters_fail(tenant, -EIO);
}

/* All of it is committed. When .kept cannot be completed the file stays for who comes next. */
static int remove_journal(struct durable_tenant *tenant)
{
	int r = journal_committed(tenant->journal, journal_position(tenant->journal));

	if (r < 0)
		return r;
	return journal_remove(store_journal_dir(tenant->durable->store), tenant->tenant_id, tenant->epoch);
}

int durable_give_back(struct durable_tenant *tenant, int timeout_ms)
{
	struct durable *durable = tenant->durable;
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	struct db *db;
	int r;

	atomic_store(&tenant->is_open, false);
	r = committer_drain(tenant, deadline_ns);
	if (r < 0)
		return r;
	close_tenant(tenant);
	FAULT_POINT("give_back_closed");
	r = remove_journal(tenant);
	if (r < 0)
		return r;
	r = db_pool_get(durable->pool, left_ms(deadline_ns), &db);
	if (r < 0)
		return r;
	r = lease_give_back(db, tenant->tenant_id, tenant->epoch);
	db_pool_put(durable->pool, db);
	return r;
}

int durable_remove(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;
	struct tenant_removed removed;
	struct db *db;
	int r;

	close_tenant(tenant);
	r = db_pool_get(durable->pool, durable->deadline_ms, &db);
	if (r < 0)
		return r;
	r = tenant_remove(db, durable->store, tenant->tenant_id, tenant->code, tenant->epoch, NULL, NULL, &removed);
	db_pool_put(durable->pool, db);
	return r;
}
