/*
 * The committer: one thread that takes what tenants have journaled and applies it, a transaction a tenant, in turns.
 *
 * While a commit is under way the next batch gathers, so batches grow with the load by themselves. Under load it also
 * waits some milliseconds between two small batches of a tenant, unless somebody waits for the commit: a row in a batch
 * of a hundred costs PostgreSQL a fraction of a row alone. What is pending stays in the journal's file until it is read
 * for its batch, so it takes no memory however long PostgreSQL is away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/extractor_version.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"

enum {
	BATCH_RECORDS = 2000,
	LOADED_RECORDS = 32,
	PACE_MS = 8,
	BACKOFF_FIRST_MS = 20,
	BACKOFF_MAX_MS = 2000,
	KEEP_RETRY_MS = 1000
};
#define BATCH_BYTES ((size_t)4 << 20)

struct committer {
	struct durable *durable;
	struct db *db;
	int connect_backoff_ms;
	int64_t connect_at_ns;
	bool was_connected, is_away_told;
	struct journal_chunk chunk;
	struct apply_record records[BATCH_RECORDS];
};

struct batch {
	struct committer *committer;
	struct durable_tenant *tenant;
};

/* --- the queue --- */

/* Under the lock. */
static void push(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;

	tenant->next_ready = NULL;
	if (durable->last_ready)
		durable->last_ready->next_ready = tenant;
	else
		durable->first_ready = tenant;
	durable->last_ready = tenant;
}

void committer_wake(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;

	pthread_mutex_lock(&durable->lock);
	if (!atomic_exchange(&tenant->is_queued, true)) {
		push(tenant);
		pthread_cond_signal(&durable->committer_wakes);
	}
	pthread_mutex_unlock(&durable->lock);
}

/* When the tenant's next batch is to begin: at once, but after a failure, and under load so that it is worth while. */
static int64_t due_at(const struct durable_tenant *tenant)
{
	uint64_t pending = atomic_load(&tenant->appended_records) - atomic_load(&tenant->committed_records);
	int64_t due_ns = tenant->due_ns;

	if (tenant->durable->is_stopping || tenant->is_urgent || tenant->last_batch < LOADED_RECORDS ||
	    pending >= BATCH_RECORDS / 4)
		return due_ns;
	if (due_ns < tenant->last_commit_ns + PACE_MS * NS_PER_MS)
		due_ns = tenant->last_commit_ns + PACE_MS * NS_PER_MS;
	return due_ns;
}

/* The first that is due, taken out of the queue; NULL, and when the next one will be. Under the lock. */
static struct durable_tenant *pop(struct durable *durable, int64_t now_ns, int64_t *ret_next_ns)
{
	struct durable_tenant *before = NULL;

	*ret_next_ns = INT64_MAX;
	for (struct durable_tenant *tenant = durable->first_ready; tenant; tenant = tenant->next_ready) {
		int64_t due_ns = due_at(tenant);

		if (due_ns > now_ns) {
			*ret_next_ns = due_ns < *ret_next_ns ? due_ns : *ret_next_ns;
			before = tenant;
			continue;
		}
		if (before)
			before->next_ready = tenant->next_ready;
		else
			durable->first_ready = tenant->next_ready;
		if (durable->last_ready == tenant)
			durable->last_ready = before;
		return tenant;
	}
	return NULL;
}

static int jitter(int ms)
{
	return ms / 2 + (int)((uint64_t)clock_monotonic_ns() / 1000 % (uint64_t)(ms / 2 + 1));
}

static int longer(int backoff_ms)
{
	if (backoff_ms == 0)
		return BACKOFF_FIRST_MS;
	return backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* --- the connection --- */

static void stay_away(struct committer *committer)
{
	committer->connect_backoff_ms = longer(committer->connect_backoff_ms);
	committer->connect_at_ns = clock_monotonic_ns() + jitter(committer->connect_backoff_ms) * NS_PER_MS;
	atomic_store(&committer->durable->is_connected, false);
	if (!committer->is_away_told)
		log_warn("PostgreSQL is away; changes are journaled and wait", "message",
			 committer->db ? db_message(committer->db) : db_open_message());
	committer->is_away_told = true;
}

static int open_session(struct committer *committer)
{
	int r;

	if (!committer->db)
		r = db_open(committer->durable->database_url, "fusefs committer", CONNECT_TIMEOUT_MS, &committer->db);
	else
		r = db_reopen(committer->db, CONNECT_TIMEOUT_MS);
	return r < 0 ? r : apply_session(committer->db);
}

/* -EAGAIN: PostgreSQL is away; connect_at_ns says when to try again. */
static int ensure_connected(struct committer *committer)
{
	if (committer->was_connected && committer->db && !db_is_lost(committer->db))
		return 0;
	committer->was_connected = false;
	if (clock_monotonic_ns() < committer->connect_at_ns)
		return -EAGAIN;
	if (open_session(committer) < 0) {
		stay_away(committer);
		return -EAGAIN;
	}
	committer->was_connected = true;
	committer->connect_backoff_ms = 0;
	atomic_store(&committer->durable->is_connected, true);
	if (committer->is_away_told)
		log_info("PostgreSQL is back");
	committer->is_away_told = false;
	return 0;
}

/* --- after a commit --- */

/* Copies to .kept and gives the journal's room back. */
static void keep(struct durable_tenant *tenant)
{
	int r = journal_committed(tenant->journal, atomic_load(&tenant->committed));

	if (r == 0) {
		tenant->has_keep_error = false;
		return;
	}
	if (!tenant->has_keep_error)
		log_error("committed records could not be copied; the journal keeps them and it is tried again",
			  "tenant", tenant->code, "errno", log_errno(r));
	tenant->has_keep_error = true;
	if (r != -ENOSPC && r != -EMFILE && r != -ENFILE && r != -ENOMEM)
		tenant_fail(tenant, "committed records could not be copied");
}

static void note_commit(struct durable_tenant *tenant, const struct apply_record *last, int count)
{
	uint64_t committed = atomic_fetch_add(&tenant->committed_records, (uint64_t)count) + (uint64_t)count;

	atomic_store(&tenant->committed, last->position);
	/* What was appended since this batch was read is younger than this. */
	atomic_store(&tenant->pending_since_ns,
		     atomic_load(&tenant->appended_records) == committed ? 0 : tenant->last_commit_ns);
	atomic_fetch_add(&tenant->durable->commits, 1);
}

static void after_commit(void *context, const struct apply_record *last, int count, const struct apply_removed *removed,
			 const struct apply_equal *equal)
{
	struct batch *batch = context;
	struct durable_tenant *tenant = batch->tenant;
	struct durable *durable = tenant->durable;

	FAULT_POINT("commit_done");
	note_commit(tenant, last, count);
	keep(tenant);
	FAULT_POINT("commit_kept");
	if (durable->events.committed)
		durable->events.committed(tenant->context, last->position);
	if (equal->count > 0 && durable->events.equal)
		durable->events.equal(tenant->context, equal);
	if (removed->count > 0)
		keeper_remove(tenant, removed);
	waiters_notify(tenant);
}

/* --- errors --- */

static void quarantine(struct committer *committer, struct durable_tenant *tenant, const struct apply_record *record,
		       int error)
{
	char text[128];

	apply_describe(record, text);
	log_error("PostgreSQL refuses a record; the tenant becomes read-only, its journal is kept", "tenant",
		  tenant->code, "journal_epoch", log_number(tenant->epoch), "position",
		  log_number((int64_t)record->position), "record", text, "sqlstate", db_sqlstate(committer->db),
		  "message", db_message(committer->db), "error", log_errno(error));
	tenant_fail(tenant, "PostgreSQL refuses a record");
}

static void postpone(struct durable_tenant *tenant)
{
	pthread_mutex_lock(&tenant->durable->lock);
	tenant->backoff_ms = longer(tenant->backoff_ms);
	tenant->due_ns = clock_monotonic_ns() + jitter(tenant->backoff_ms) * NS_PER_MS;
	pthread_mutex_unlock(&tenant->durable->lock);
}

/* When to try this tenant again, or never. applied: records of the batch that were committed. */
static void handle_error(struct committer *committer, struct durable_tenant *tenant, int applied, int error)
{
	struct durable *durable = committer->durable;

	atomic_fetch_add(&durable->commit_failures, 1);
	if (error == -ESTALE) {
		log_error("the lease is another's by now", "tenant", tenant->code, "epoch", log_number(tenant->epoch));
		tenant_fail(tenant, "the lease was lost");
		return;
	}
	if (apply_is_refused(error)) {
		quarantine(committer, tenant, &committer->records[applied], error);
		return;
	}
	/* An ambiguous commit is simply applied again: the fence knows whether it took place. */
	log_debug("a batch is tried again", "tenant", tenant->code, "sqlstate", db_sqlstate(committer->db), "message",
		  db_message(committer->db));
	postpone(tenant);
	/* A server that became a standby: the URL may name the one that took over. */
	if (strcmp(db_sqlstate(committer->db), "25006") == 0) {
		db_close(committer->db);
		committer->db = NULL;
		stay_away(committer);
	} else if (db_is_lost(committer->db)) {
		stay_away(committer);
	}
}

/* --- one batch --- */

static int read_batch(struct committer *committer, struct durable_tenant *tenant)
{
	uint64_t from = atomic_load(&tenant->committed);
	int r = journal_read(tenant->journal, from, BATCH_BYTES, &committer->chunk), count = 0;

	if (r < 0) {
		log_error("the journal cannot be read back", "tenant", tenant->code, "position",
			  log_number((int64_t)from), "errno", log_errno(r));
		/* Too little memory passes; a record that is not what was appended does not. */
		if (r != -ENOMEM)
			tenant_fail(tenant, "the journal could not be read back");
		postpone(tenant);
		return r;
	}
	while (count < BATCH_RECORDS &&
	       journal_next(&committer->chunk, &committer->records[count].bytes, &committer->records[count].length,
			    &committer->records[count].position))
		count++;
	return count;
}

static void apply(struct committer *committer, struct durable_tenant *tenant, int count)
{
	struct batch batch = {committer, tenant};
	uint64_t before = atomic_load(&tenant->committed_records);
	int64_t begin_ns = clock_monotonic_ns();
	struct apply_target target = {
		.tenant_id = tenant->tenant_id,
		.epoch = tenant->epoch,
		.journal_epoch = tenant->epoch,
		.extractor_version = EXTRACTOR_VERSION,
		.done = after_commit,
		.context = &batch,
	};
	int r;

	tenant->last_commit_ns = begin_ns;
	tenant->last_batch = count;
	FAULT_POINT("commit_before");
	r = apply_records(committer->db, &target, committer->records, count);
	if (r == 0) {
		atomic_store(&committer->durable->last_commit_ns, (uint64_t)(clock_monotonic_ns() - begin_ns));
		tenant->backoff_ms = 0;
	} else {
		handle_error(committer, tenant, (int)(atomic_load(&tenant->committed_records) - before), r);
	}
}

static bool is_committing(struct durable_tenant *tenant)
{
	bool is_active;

	pthread_mutex_lock(&tenant->durable->lock);
	is_active = tenant->life == LIFE_ACTIVE && !tenant->is_failed;
	pthread_mutex_unlock(&tenant->durable->lock);
	return is_active;
}

static void rest(struct durable_tenant *tenant)
{
	int r = journal_rest(tenant->journal);

	if (r < 0)
		tenant_fail(tenant, "the journal could not be synced");
}

/* Without the lock. True: there is more to do for this tenant, at once or when it is due. */
static bool serve(struct committer *committer, struct durable_tenant *tenant)
{
	int count;

	/* Before the position is read: whoever appends from here on queues it again. */
	atomic_store(&tenant->is_queued, false);
	if (!is_committing(tenant))
		return false;
	if (tenant->has_keep_error) {
		keep(tenant);
		waiters_notify(tenant);
	}
	if (journal_position(tenant->journal) == atomic_load(&tenant->committed)) {
		if (atomic_exchange(&tenant->may_rest, false) && !tenant->has_keep_error)
			rest(tenant);
		return tenant->has_keep_error;
	}
	if (ensure_connected(committer) < 0)
		return true;
	count = read_batch(committer, tenant);
	if (count > 0)
		apply(committer, tenant, count);
	return count != 0;
}

/* Under the lock: when a tenant that has more to do is to be looked at again. */
static void requeue(struct committer *committer, struct durable_tenant *tenant)
{
	int64_t not_before_ns = committer->was_connected ? 0 : committer->connect_at_ns;

	if (tenant->has_keep_error && journal_position(tenant->journal) == atomic_load(&tenant->committed))
		not_before_ns = clock_monotonic_ns() + KEEP_RETRY_MS * NS_PER_MS;
	if (tenant->due_ns < not_before_ns)
		tenant->due_ns = not_before_ns;
	if (!atomic_exchange(&tenant->is_queued, true))
		push(tenant);
}

static void serve_next(struct committer *committer, struct durable_tenant *tenant)
{
	struct durable *durable = committer->durable;
	bool has_more;

	tenant->is_busy = true;
	tenant->is_urgent = tenant->is_urgent && tenant->waiters;
	pthread_mutex_unlock(&durable->lock);
	has_more = serve(committer, tenant);
	pthread_mutex_lock(&durable->lock);
	tenant->is_busy = false;
	if (has_more && !tenant->is_failed && tenant->life == LIFE_ACTIVE)
		requeue(committer, tenant);
	pthread_cond_broadcast(&durable->progress);
}

void *committer_run(void *context)
{
	struct durable *durable = context;
	struct committer *committer = durable->committer_state;

	ensure_connected(committer);
	pthread_mutex_lock(&durable->lock);
	while (!durable->is_stopping) {
		int64_t next_ns;
		struct durable_tenant *tenant = pop(durable, clock_monotonic_ns(), &next_ns);

		if (tenant) {
			serve_next(committer, tenant);
			continue;
		}
		if (next_ns == INT64_MAX)
			journal_chunk_release(&committer->chunk); /* idle: megabytes after a busy time */
		wait_until(&durable->committer_wakes, durable, next_ns);
	}
	pthread_mutex_unlock(&durable->lock);
	return NULL;
}

int committer_new(struct durable *durable, struct committer **ret_committer)
{
	struct committer *committer = calloc(1, sizeof(*committer));

	if (!committer)
		return -ENOMEM;
	committer->durable = durable;
	*ret_committer = committer;
	return 0;
}

void committer_free(struct committer *committer)
{
	if (!committer)
		return;
	journal_chunk_release(&committer->chunk);
	db_close(committer->db);
	free(committer);
}

int committer_drain(struct durable_tenant *tenant, int64_t deadline_ns)
{
	struct durable *durable = tenant->durable;
	int r = 0;

	pthread_mutex_lock(&durable->lock);
	tenant->is_urgent = true;
	tenant->due_ns = 0;
	pthread_cond_signal(&durable->committer_wakes);
	for (;;) {
		bool is_done = journal_position(tenant->journal) == atomic_load(&tenant->committed) && !tenant->is_busy;

		if (is_done || (tenant->is_failed && !tenant->is_busy)) {
			r = tenant->is_failed ? -EIO : 0;
			break;
		}
		if (!wait_until(&durable->progress, durable, deadline_ns)) {
			r = -ETIMEDOUT;
			break;
		}
	}
	pthread_mutex_unlock(&durable->lock);
	return r;
}
