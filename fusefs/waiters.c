/* Who waits for a commit or for room, until when; and the thread that tells bad news: deadlines that passed, tenants
 * that failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

static bool is_satisfied(struct durable_tenant *tenant, const struct waiter *waiter)
{
	if (waiter->kind == WAIT_COMMITTED)
		return atomic_load(&tenant->committed) >= waiter->position;
	return journal_has_room(tenant->journal);
}

/* Takes the waiters out that `wanted` says, in order. Under the lock. */
static struct waiter *take(struct durable_tenant *tenant, bool (*is_wanted)(const struct waiter *waiter, int64_t value),
			   int64_t value)
{
	struct waiter *taken = NULL, **tail = &taken, **at = &tenant->waiters;

	while (*at) {
		struct waiter *waiter = *at;

		if (!is_wanted(waiter, value)) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		waiter->next = NULL;
		*tail = waiter;
		tail = &waiter->next;
	}
	return taken;
}

static void call_back(struct waiter *waiters, int error)
{
	while (waiters) {
		struct waiter *waiter = waiters;

		waiters = waiter->next;
		waiter->done(waiter->context, error);
		free(waiter);
	}
}

static bool waits_for_commit(const struct waiter *waiter, int64_t committed)
{
	return waiter->kind == WAIT_COMMITTED && (int64_t)waiter->position <= committed;
}

static bool waits_for_room(const struct waiter *waiter, int64_t unused)
{
	(void)unused;
	return waiter->kind == WAIT_ROOM;
}

static bool is_overdue(const struct waiter *waiter, int64_t now_ns)
{
	return waiter->deadline_ns <= now_ns;
}

static bool is_any(const struct waiter *waiter, int64_t unused)
{
	(void)waiter;
	(void)unused;
	return true;
}

void waiters_notify(struct durable_tenant *tenant)
{
	bool has_room = journal_has_room(tenant->journal);
	struct waiter *committed, *roomy = NULL;

	pthread_mutex_lock(&tenant->durable->lock);
	committed = take(tenant, waits_for_commit, (int64_t)atomic_load(&tenant->committed));
	if (has_room)
		roomy = take(tenant, waits_for_room, 0);
	pthread_mutex_unlock(&tenant->durable->lock);
	call_back(committed, 0);
	call_back(roomy, 0);
}

void waiters_fail(struct durable_tenant *tenant, int error)
{
	struct waiter *waiters;

	pthread_mutex_lock(&tenant->durable->lock);
	waiters = take(tenant, is_any, 0);
	pthread_mutex_unlock(&tenant->durable->lock);
	call_back(waiters, error);
}

/* --- waiting --- */

static void append_waiter(struct durable_tenant *tenant, struct waiter *waiter)
{
	struct waiter **at = &tenant->waiters;

	while (*at)
		at = &(*at)->next;
	*at = waiter;
}

/* False when it was satisfied meanwhile and is not kept. */
static bool keep(struct durable_tenant *tenant, struct waiter *waiter)
{
	struct durable *durable = tenant->durable;
	bool is_kept;

	pthread_mutex_lock(&durable->lock);
	/* A closed or failed tenant commits no more; the clock thread or whoever closed it has called back all before.
	 */
	is_kept = tenant->life == LIFE_ACTIVE && !(tenant->is_failed && tenant->is_failure_told);
	if (is_kept) {
		append_waiter(tenant, waiter);
		tenant->is_urgent = true;
		pthread_cond_signal(&durable->committer_wakes);
	}
	if (is_kept && waiter->deadline_ns < durable->clock_until_ns) {
		durable->has_news = true;
		pthread_cond_signal(&durable->clock_wakes);
	}
	pthread_mutex_unlock(&durable->lock);
	return is_kept;
}

static void wait_for(struct durable_tenant *tenant, const struct waiter *wanted)
{
	struct waiter *waiter;

	if (is_satisfied(tenant, wanted)) {
		wanted->done(wanted->context, 0);
		return;
	}
	waiter = malloc(sizeof(*waiter));
	if (!waiter) {
		wanted->done(wanted->context, -ENOMEM);
		return;
	}
	*waiter = *wanted;
	if (!keep(tenant, waiter)) {
		free(waiter);
		wanted->done(wanted->context, -EIO);
		return;
	}
	/* What became true between the question and the keeping the committer may have passed by. */
	if (is_satisfied(tenant, wanted))
		waiters_notify(tenant);
}

void durable_when_committed(struct durable_tenant *tenant, uint64_t position, int64_t deadline_monotonic_ns,
			    void (*done)(void *context, int error), void *context)
{
	wait_for(tenant, &(struct waiter){.kind = WAIT_COMMITTED,
					  .position = position,
					  .deadline_ns = deadline_monotonic_ns,
					  .done = done,
					  .context = context});
}

void durable_when_room(struct durable_tenant *tenant, int64_t deadline_monotonic_ns,
		       void (*done)(void *context, int error), void *context)
{
	wait_for(tenant,
		 &(struct waiter){
			 .kind = WAIT_ROOM, .deadline_ns = deadline_monotonic_ns, .done = done, .context = context});
}

/* --- failing --- */

void tenant_fail(struct durable_tenant *tenant, const char *reason)
{
	struct durable *durable = tenant->durable;

	atomic_store(&tenant->is_open, false);
	atomic_store(&tenant->held_until_ns, 0);
	pthread_mutex_lock(&durable->lock);
	if (!tenant->is_failed) {
		tenant->is_failed = true;
		snprintf(tenant->reason, sizeof(tenant->reason), "%s", reason);
		durable->has_news = true;
		pthread_cond_signal(&durable->clock_wakes);
	}
	pthread_cond_broadcast(&durable->progress);
	pthread_mutex_unlock(&durable->lock);
}

/* Under the lock, which is given up for the calls. */
static void tell_failure(struct durable_tenant *tenant)
{
	struct durable *durable = tenant->durable;
	bool is_known_to_tree = tenant->life == LIFE_ACTIVE;

	tenant->is_failure_told = true;
	pthread_mutex_unlock(&durable->lock);
	if (is_known_to_tree && durable->events.read_only)
		durable->events.read_only(tenant->context, tenant->reason);
	waiters_fail(tenant, -EIO);
	pthread_mutex_lock(&durable->lock);
}

/* --- the clock thread --- */

static int64_t earliest_deadline(const struct durable *durable)
{
	int64_t earliest = INT64_MAX;

	for (const struct durable_tenant *tenant = durable->tenants; tenant; tenant = tenant->next) {
		for (const struct waiter *waiter = tenant->waiters; waiter; waiter = waiter->next)
			earliest = waiter->deadline_ns < earliest ? waiter->deadline_ns : earliest;
	}
	return earliest;
}

/* One round over all tenants; they are only ever added, at the head. Under the lock, given up for the calls. */
static void tell_news(struct durable *durable)
{
	int64_t now_ns = clock_monotonic_ns();

	for (struct durable_tenant *tenant = durable->tenants; tenant; tenant = tenant->next) {
		struct waiter *overdue;

		if (tenant->is_failed && !tenant->is_failure_told)
			tell_failure(tenant);
		overdue = take(tenant, is_overdue, now_ns);
		if (!overdue)
			continue;
		pthread_mutex_unlock(&durable->lock);
		call_back(overdue, -EIO);
		pthread_mutex_lock(&durable->lock);
	}
}

void *clock_run(void *context)
{
	struct durable *durable = context;

	pthread_mutex_lock(&durable->lock);
	while (!durable->is_stopping) {
		durable->has_news = false;
		tell_news(durable);
		if (durable->has_news || durable->is_stopping)
			continue;
		durable->clock_until_ns = earliest_deadline(durable);
		wait_until(&durable->clock_wakes, durable, durable->clock_until_ns);
	}
	pthread_mutex_unlock(&durable->lock);
	return NULL;
}
