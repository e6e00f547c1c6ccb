#include "fusefs/durable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/store/store.h"

enum { POOL_CONNECTIONS = 4, START_CONNECT_MS = 5000, JOURNAL_RESERVE_EACH = 65536, THREAD_STACK_BYTES = 512 * 1024 };

bool wait_until(pthread_cond_t *condition, struct durable *durable, int64_t deadline_ns)
{
	struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};

	if (deadline_ns == INT64_MAX)
		return pthread_cond_wait(condition, &durable->lock) == 0;
	return pthread_cond_clockwait(condition, &durable->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

/* --- the life of it all --- */

static void read_settings(struct durable *durable, const struct config *config)
{
	durable->config = config;
	durable->database_url = config_database_url(config);
	durable->lease_ms = (int)config_int(config, SETTING_LEASE_DURATION);
	durable->sync_interval_ms = (int)config_int(config, SETTING_SYNC_INTERVAL);
	durable->deadline_ms = (int)config_int(config, SETTING_DEADLINE);
	durable->journal_options.limit_bytes = (uint64_t)config_int(config, SETTING_JOURNAL_SIZE);
	/* A little in each journal that is in use, and the rest in one file for all. */
	durable->journal_options.reserve_bytes = JOURNAL_RESERVE_EACH;
	durable->reserve_bytes = (uint64_t)config_int(config, SETTING_JOURNAL_RESERVE);
}

static void init_locks(struct durable *durable)
{
	pthread_mutex_init(&durable->lock, NULL);
	pthread_cond_init(&durable->committer_wakes, NULL);
	pthread_cond_init(&durable->leaser_wakes, NULL);
	pthread_cond_init(&durable->keeper_wakes, NULL);
	pthread_cond_init(&durable->clock_wakes, NULL);
	pthread_cond_init(&durable->progress, NULL);
}

/* So that inode numbers are there when the mount answers. */
static int fetch_first_inodes(struct durable *durable)
{
	struct db *db;
	int r = db_pool_get(durable->pool, START_CONNECT_MS, &db);

	if (r < 0)
		return r;
	r = inode_blocks_fill(durable, db);
	db_pool_put(durable->pool, db);
	return r;
}

static int start_threads(struct durable *durable)
{
	const struct {
		pthread_t *thread;
		void *(*run)(void *durable);
		const char *name;
	} threads[] = {
		{&durable->committer, committer_run, "committer"}, {&durable->leaser, leaser_run, "leases"},
		{&durable->keeper, keeper_run, "keeper"},	   {&durable->clock, clock_run, "clock"},
		{&durable->listener, listener_run, "listener"},
	};
	pthread_attr_t attributes;
	int r = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	for (; durable->threads < sizeof(threads) / sizeof(threads[0]); durable->threads++) {
		r = pthread_create(threads[durable->threads].thread, &attributes, threads[durable->threads].run,
				   durable);
		if (r != 0)
			break;
		pthread_setname_np(*threads[durable->threads].thread, threads[durable->threads].name);
	}
	pthread_attr_destroy(&attributes);
	return -r;
}

int durable_new(const struct config *config, struct store *store, const struct durable_events *events,
		void *mount_context, struct durable **ret_durable)
{
	struct durable *durable = calloc(1, sizeof(*durable));
	int r;

	if (!durable)
		return -ENOMEM;
	read_settings(durable, config);
	durable->store = store;
	durable->events = *events;
	durable->mount_context = mount_context;
	durable->holder.lock_fd = -1;
	durable->clock_until_ns = INT64_MAX;
	durable->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	init_locks(durable);
	r = durable->wake_fd < 0 ? -errno : lease_holder_init(store_journal_dir(store), &durable->holder);
	if (r == 0)
		r = db_pool_new(durable->database_url, "fusefs leases", POOL_CONNECTIONS, &durable->pool);
	if (r == 0)
		r = fetch_first_inodes(durable);
	if (r == 0)
		r = committer_new(durable, &durable->committer_state);
	if (r == 0)
		r = start_threads(durable);
	if (r < 0) {
		durable_free(durable, 0);
		return r;
	}
	*ret_durable = durable;
	return 0;
}

static void stop_threads(struct durable *durable)
{
	pthread_t *const threads[] = {&durable->committer, &durable->leaser, &durable->keeper, &durable->clock,
				      &durable->listener};
	uint64_t one = 1;

	pthread_mutex_lock(&durable->lock);
	durable->is_stopping = true;
	pthread_cond_broadcast(&durable->committer_wakes);
	pthread_cond_broadcast(&durable->leaser_wakes);
	pthread_cond_broadcast(&durable->keeper_wakes);
	pthread_cond_broadcast(&durable->clock_wakes);
	pthread_mutex_unlock(&durable->lock);
	if (durable->wake_fd >= 0 && write(durable->wake_fd, &one, sizeof(one)) < 0)
		log_warn("the listening thread could not be woken", "errno", log_errno(errno));
	for (unsigned i = 0; i < durable->threads; i++)
		pthread_join(*threads[i], NULL);
}

static void give_all_back(struct durable *durable, int timeout_ms)
{
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	for (struct durable_tenant *tenant = durable->tenants; tenant; tenant = tenant->next) {
		int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / NS_PER_MS;
		int r;

		if (tenant->life != LIFE_ACTIVE)
			continue;
		r = durable_give_back(tenant, left_ms > 0 ? (int)left_ms : 0);
		if (r < 0)
			log_warn("a lease is not given back; what is pending is replayed when it is taken next",
				 "tenant", tenant->code, "errno", log_errno(r));
	}
}

void durable_free(struct durable *durable, int timeout_ms)
{
	if (!durable)
		return;
	if (durable->threads > 0)
		give_all_back(durable, timeout_ms);
	stop_threads(durable);
	while (durable->tenants) {
		struct durable_tenant *tenant = durable->tenants;

		durable->tenants = tenant->next;
		waiters_fail(tenant, -EIO);
		journal_close(tenant->journal);
		free(tenant);
	}
	committer_free(durable->committer_state);
	db_pool_free(durable->pool);
	/* Last: who takes the folder over may rely on us writing no more. */
	lease_holder_release(&durable->holder);
	if (durable->wake_fd >= 0)
		close(durable->wake_fd);
	pthread_mutex_destroy(&durable->lock);
	pthread_cond_destroy(&durable->committer_wakes);
	pthread_cond_destroy(&durable->leaser_wakes);
	pthread_cond_destroy(&durable->keeper_wakes);
	pthread_cond_destroy(&durable->clock_wakes);
	pthread_cond_destroy(&durable->progress);
	free(durable);
}

/* --- appending --- */

/* The record is on its way: the committer hears of it, unless it does already. */
static void note_append(struct durable_tenant *tenant)
{
	if (atomic_fetch_add(&tenant->appended_records, 1) == atomic_load(&tenant->committed_records))
		atomic_store(&tenant->pending_since_ns, clock_monotonic_ns());
	if (!atomic_load(&tenant->is_queued))
		committer_wake(tenant);
}

static bool is_passing(int error)
{
	return error == -EAGAIN || error == -ENOSPC || error == -ENOMEM || error == -EMFILE || error == -ENFILE ||
	       error == -EINVAL || error == -EOVERFLOW;
}

int durable_append(struct durable_tenant *tenant, const struct buf *record, bool frees_space, uint64_t *ret_position)
{
	int r = buf_error(record);

	if (r < 0)
		return r;
	if (!atomic_load(&tenant->is_open))
		return -EROFS;
	FAULT_POINT("durable_append_before");
	r = journal_append(tenant->journal, record, frees_space, ret_position);
	if (r < 0) {
		if (is_passing(r))
			return r;
		tenant_fail(tenant, "the journal could not be written");
		return -EIO;
	}
	FAULT_POINT("durable_append_after");
	note_append(tenant);
	return 0;
}

bool durable_is_held(const struct durable_tenant *tenant)
{
	int64_t until_ns = atomic_load(&tenant->held_until_ns);

	return until_ns == INT64_MAX || clock_boottime_ns() < until_ns;
}

int durable_sync(struct durable_tenant *tenant)
{
	int r = journal_sync(tenant->journal);

	if (r == 0)
		return 0;
	/* What the kernel could not write it may have dropped: nothing more is promised on top of that. */
	tenant_fail(tenant, "the journal could not be synced");
	return -EIO;
}

uint64_t durable_committed_position(const struct durable_tenant *tenant)
{
	return atomic_load(&tenant->committed);
}

/* --- inode numbers --- */

int durable_inode(struct durable *durable, int64_t *ret_inode)
{
	int r = 0;

	pthread_mutex_lock(&durable->lock);
	if (durable->next_inode == durable->end_inode && durable->spare_count > 0) {
		durable->next_inode = durable->spare_blocks[0] << INODE_BLOCK_BITS;
		durable->end_inode = durable->next_inode + (1 << INODE_BLOCK_BITS);
		durable->spare_count--;
		memmove(durable->spare_blocks, durable->spare_blocks + 1,
			(size_t)durable->spare_count * sizeof(durable->spare_blocks[0]));
		durable->is_renewal_wanted = true;
		pthread_cond_signal(&durable->leaser_wakes);
	}
	if (durable->next_inode < durable->end_inode)
		*ret_inode = durable->next_inode++;
	else
		r = -EAGAIN;
	pthread_mutex_unlock(&durable->lock);
	return r;
}

/* --- figures --- */

void durable_stats(struct durable *durable, struct durable_stats *ret_stats)
{
	struct durable_stats stats = {
		.commits = atomic_load(&durable->commits),
		.commit_failures = atomic_load(&durable->commit_failures),
		.last_commit_ns = atomic_load(&durable->last_commit_ns),
		.is_connected = atomic_load(&durable->is_connected),
	};
	int64_t now_ns = clock_monotonic_ns();

	pthread_mutex_lock(&durable->lock);
	for (const struct durable_tenant *tenant = durable->tenants; tenant; tenant = tenant->next) {
		int64_t since_ns = atomic_load(&tenant->pending_since_ns);

		if (tenant->life != LIFE_ACTIVE)
			continue;
		stats.pending_records +=
			atomic_load(&tenant->appended_records) - atomic_load(&tenant->committed_records);
		stats.pending_bytes += journal_pending_bytes(tenant->journal);
		if (since_ns != 0 && now_ns - since_ns > (int64_t)stats.lag_ns)
			stats.lag_ns = (uint64_t)(now_ns - since_ns);
	}
	pthread_mutex_unlock(&durable->lock);
	*ret_stats = stats;
}
