#include "fusefs/mount.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/atimes.h"
#include "fusefs/detectors.h"
#include "fusefs/durable.h"
#include "fusefs/invalidator.h"
#include "fusefs/loader.h"
#include "fusefs/runner.h"
#include "fusefs/session.h"
#include "fusefs/share.h"
#include "fusefs/words.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/db/migrate.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"

enum { CONNECT_MS = 5000, RUNNER_THREADS = 4, LEAVE_MS = 10000 };

static int fail(int error, char *ret_error, size_t size, const char *what, const char *detail)
{
	snprintf(ret_error, size, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
	return error;
}

/* --- what durable tells --- */

static void on_committed(void *tenant_context, uint64_t position)
{
	(void)tenant_context;
	(void)position;
}

static void on_read_only(void *tenant_context, const char *reason)
{
	struct tenant *tenant = tenant_context;

	pthread_mutex_lock(&tenant->lock);
	tenant->is_read_only = true;
	snprintf(tenant->read_only_reason, sizeof(tenant->read_only_reason), "%s", reason);
	pthread_mutex_unlock(&tenant->lock);
	log_error("the tenant is read-only", "tenant", tenant->code, "reason", reason);
}

static void on_equal(void *tenant_context, const struct apply_equal *equal)
{
	share_later(tenant_context, equal);
}

/* Another mount committed something of a tenant that is followed here. */
static void drop_followed(struct mount *mount, int64_t tenant_id)
{
	struct tenant *tenant = tenants_by_id(mount->tenants, tenant_id);

	if (!tenant)
		return;
	pthread_mutex_lock(&tenant->lock);
	if (tenant->state == TENANT_FOLLOWING)
		tenant_forget_clean(tenant);
	tenant_unlock(tenant);
}

static void on_notified(void *mount_context, const char *channel, const char *payload)
{
	struct mount *mount = mount_context;
	int64_t tenant_id = strtoll(payload, NULL, 10);

	if (strcmp(channel, "tenantfs_tenant") == 0)
		tenants_refresh(mount->tenants, tenant_id);
	else if (strcmp(channel, "tenantfs_commit") == 0)
		drop_followed(mount, tenant_id);
	else if (strcmp(channel, "reconnected") == 0)
		tenants_refresh_all(mount->tenants);
}

/* --- start --- */

static int open_store(struct mount *mount, char *error, size_t size)
{
	const char *base = config_string(mount->config, SETTING_STORAGE_BASE_PATH);
	const char *plan = getenv("TENANTFS_STORE_FAULTS");
	int r = store_local_open(base, false, &mount->store);

	if (r == -ENOTEMPTY)
		return fail(r, error, size, base,
			    "holds files that are not ours and no .tenantfs; `adminctl import --adopt` takes such a "
			    "tree over");
	if (r == -EBUSY)
		return fail(r, error, size, base, "another fusefs writes there");
	if (r < 0)
		return fail(r, error, size, base, strerror(-r));
	if (!plan)
		return 0;
	/* Injected failures, for the tests. */
	r = store_fault_parse(mount->store, plan, &mount->store);
	return r < 0 ? fail(r, error, size, "TENANTFS_STORE_FAULTS is no plan", plan) : 0;
}

static int check_migrations(struct db *db, char *error, size_t size)
{
	char count[64];
	int r = migrate_pending(db);

	if (r == -ENOTSUP)
		return fail(r, error, size, "the database is newer than this program", NULL);
	if (r < 0)
		return fail(r, error, size, "the database could not be asked for its version", db_message(db));
	if (r == 0)
		return 0;
	snprintf(count, sizeof(count), "%d", r);
	fail(-EINVAL, error, size, "migrations to apply first, with `adminctl migrate`", count);
	return -EINVAL;
}

/* A database that is not there at the start is a mistake in the settings; one that goes away later is waited for. */
static int check_database(struct mount *mount, char *error, size_t size)
{
	struct db *db = NULL;
	int r = db_open(config_database_url(mount->config), "fusefs", CONNECT_MS, &db);

	if (r == -EINVAL)
		return fail(r, error, size, "DATABASE_URL is malformed", NULL);
	if (r == -EACCES)
		return fail(r, error, size,
			    "PostgreSQL refused the connection (DATABASE_URL: user, password or database)", NULL);
	if (r < 0)
		return fail(r, error, size, "PostgreSQL is not reachable (DATABASE_URL)", strerror(-r));
	r = check_migrations(db, error, size);
	db_close(db);
	return r;
}

static int make_parts(struct mount *mount)
{
	static const struct durable_events events = {
		.committed = on_committed,
		.read_only = on_read_only,
		.equal = on_equal,
		.notified = on_notified,
	};
	int r;

	mount->words = words_new();
	mount->detectors = detectors_new();
	if (!mount->words || !mount->detectors)
		return -ENOMEM;
	r = runner_new(RUNNER_THREADS, &mount->runner);
	if (r == 0)
		r = invalidator_new(mount, &mount->invalidator);
	if (r == 0)
		r = tenants_new(mount, &mount->tenants);
	if (r == 0)
		r = loader_new(mount->config, (int)config_int(mount->config, SETTING_LOADER_THREADS), &mount->loader);
	if (r == 0)
		r = durable_new(mount->config, mount->store, &events, mount, &mount->durable);
	return r;
}

/* --- the tenants there are, before the mount answers --- */

struct wait_for_tenants {
	struct mount *mount;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	int error;
};

static void tenants_loaded(void *context, int error, const struct tenant_row *rows, int count)
{
	struct wait_for_tenants *wait = context;
	struct tenant *tenant;

	for (int i = 0; error == 0 && i < count; i++) {
		int r = tenants_put(wait->mount->tenants, &rows[i], &tenant);

		if (r < 0 && r != -ENOENT)
			error = r;
	}
	pthread_mutex_lock(&wait->lock);
	wait->error = error;
	wait->is_done = true;
	pthread_cond_signal(&wait->done);
	pthread_mutex_unlock(&wait->lock);
}

static int load_tenants(struct mount *mount)
{
	struct wait_for_tenants wait = {
		.mount = mount, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

	loader_tenants(mount->loader, tenants_loaded, &wait);
	pthread_mutex_lock(&wait.lock);
	while (!wait.is_done)
		pthread_cond_wait(&wait.done, &wait.lock);
	pthread_mutex_unlock(&wait.lock);
	return wait.error;
}

static bool has_journal(struct mount *mount, const struct tenant *tenant)
{
	int64_t *epochs = NULL;
	int count = 0, r = journal_epochs(store_journal_dir(mount->store), tenant->tenant_id, &epochs, &count);

	free(epochs);
	return r == 0 && count > 0;
}

/* What a dead mount answered and did not commit is brought into the database now; the other tenants come when somebody
 * does. */
static void replay(struct mount *mount)
{
	struct tenant *tenant;

	for (int64_t slot = -1; (tenant = tenants_next(mount->tenants, slot)); slot = tenant->slot) {
		int r = has_journal(mount, tenant) ? tenant_take_now(tenant) : 0;

		if (r < 0)
			log_error("a journal could not be replayed yet", "tenant", tenant->code, "errno", log_errno(r));
	}
}

struct wanted_spools {
	char (*names)[DURABLE_SPOOL_NAME_SIZE];
	int count;
};

static bool is_wanted(const char *name, void *context)
{
	const struct wanted_spools *wanted = context;

	for (int i = 0; i < wanted->count; i++)
		if (strcmp(wanted->names[i], name) == 0)
			return true;
	return false;
}

/* Spools that no record names were being written when their process died. When it cannot be known, all stay. */
static void sweep_spools(struct mount *mount)
{
	struct wanted_spools wanted = {0};
	int r = durable_spools_wanted(mount->durable, &wanted.names, &wanted.count);

	if (r == 0)
		r = store_sweep(mount->store, is_wanted, &wanted);
	free(wanted.names);
	if (r < 0)
		log_warn("what a dead mount left was not swept", "errno", log_errno(r));
	else if (r > 0)
		log_info("what a dead mount left was swept", "count", log_number(r));
}

int mount_start(struct mount *mount, char *ret_error, size_t error_size)
{
	int r = open_store(mount, ret_error, error_size);

	if (r == 0)
		r = check_database(mount, ret_error, error_size);
	if (r < 0)
		return r;
	r = make_parts(mount);
	if (r < 0)
		return fail(r, ret_error, error_size, "the start failed", strerror(-r));
	r = load_tenants(mount);
	if (r < 0)
		return fail(r, ret_error, error_size, "the tenants could not be read", strerror(-r));
	if (mount->options.tenant_code[0] && !tenants_by_code(mount->tenants, mount->options.tenant_code))
		return fail(-ENOENT, ret_error, error_size, "no such tenant", mount->options.tenant_code);
	replay(mount);
	sweep_spools(mount);
	atimes_start(mount);
	return 0;
}

/* --- serving --- */

int mount_serve(struct mount *mount, char *ret_error, size_t error_size)
{
	int r = session_open(mount, ret_error, error_size);

	if (r < 0)
		return r;
	r = session_loop(mount);
	log_info("unmounting", "mountpoint", mount->options.mountpoint);
	return r < 0 ? fail(r, ret_error, error_size, "serving ended", strerror(-r)) : 0;
}

/* --- the end, in the reverse order --- */

static void leave_tenants(struct mount *mount)
{
	struct tenant *tenant;

	for (int64_t slot = -1; (tenant = tenants_next(mount->tenants, slot)); slot = tenant->slot)
		tenant_leave(tenant, LEAVE_MS);
}

void mount_stop(struct mount *mount)
{
	atomic_store(&mount->is_ending, true);
	if (mount->tenants && mount->durable)
		leave_tenants(mount);
	session_unmount(mount);
	durable_free(mount->durable, LEAVE_MS);
	loader_free(mount->loader);
	runner_free(mount->runner);
	invalidator_free(mount->invalidator);
	session_close(mount);
	tenants_free(mount->tenants);
	detectors_free(mount->detectors);
	words_free(mount->words);
	store_close(mount->store);
}
