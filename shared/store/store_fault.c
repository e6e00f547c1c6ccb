/*
 * A layer that fails on purpose. It counts calls, so the same plan fails the same call each time a single thread runs;
 * what fails never reaches the layer below.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/store/store_layer.h"

struct fault_plan {
	unsigned first, last; /* calls of the kind, counted from 1; 0: none */
	int error;
};

struct store_fault {
	struct store store;
	struct store *lower;
	pthread_mutex_t lock; /* all below */
	unsigned every_nth, calls_of_all_kinds;
	int every_nth_error;
	unsigned calls[STORE_CALL_COUNT];
	struct fault_plan plans[STORE_CALL_COUNT];
};

#define FAULT(store_pointer) ((struct store_fault *)(void *)(store_pointer))
#define LOWER(store_pointer) (FAULT(store_pointer)->lower)

/* 0, or the error this call shall fail with. */
static int fault(struct store *store, enum store_call call)
{
	struct store_fault *fault = FAULT(store);
	const struct fault_plan *plan = &fault->plans[call];
	unsigned n;
	int r = 0;

	pthread_mutex_lock(&fault->lock);
	n = ++fault->calls[call];
	fault->calls_of_all_kinds++;
	if (fault->every_nth > 0 && fault->calls_of_all_kinds % fault->every_nth == 0)
		r = fault->every_nth_error;
	if (plan->first > 0 && n >= plan->first && n <= plan->last)
		r = plan->error;
	pthread_mutex_unlock(&fault->lock);
	return r;
}

static void fault_free(struct store_fault *fault)
{
	pthread_mutex_destroy(&fault->lock);
	free(fault);
}

static void fault_close(struct store *store)
{
	store_close(LOWER(store));
	fault_free(FAULT(store));
}

static const struct store_abilities *fault_abilities(struct store *store)
{
	return store_abilities(LOWER(store));
}

static int fault_journal_dir(struct store *store)
{
	return store_journal_dir(LOWER(store));
}

static int fault_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	int r = fault(store, STORE_CALL_FREE_SPACE);

	return r < 0 ? r : store_free_space(LOWER(store), ret_free_bytes, ret_total_bytes);
}

static int fault_spool_create(struct store *store, struct spool *ret_spool)
{
	int r = fault(store, STORE_CALL_SPOOL_CREATE);

	return r < 0 ? r : spool_create(LOWER(store), ret_spool);
}

static void fault_spool_discard(struct store *store, struct spool *spool)
{
	spool_discard(LOWER(store), spool);
}

static int fault_spool_name(struct store *store, struct spool *spool)
{
	int r = fault(store, STORE_CALL_SPOOL_NAME);

	return r < 0 ? r : spool_name(LOWER(store), spool);
}

static int fault_spool_sync(struct store *store, struct spool *spool)
{
	int r = fault(store, STORE_CALL_SPOOL_SYNC);

	return r < 0 ? r : spool_sync(LOWER(store), spool);
}

static int fault_spool_open_named(struct store *store, const char *name, struct spool *ret_spool)
{
	int r = fault(store, STORE_CALL_SPOOL_OPEN_NAMED);

	return r < 0 ? r : spool_open_named(LOWER(store), name, ret_spool);
}

static int fault_spool_clone(struct store *store, struct spool *spool, const struct object_place *place,
			     uint64_t size_bytes)
{
	int r = fault(store, STORE_CALL_SPOOL_CLONE);

	return r < 0 ? r : spool_clone(LOWER(store), spool, place->tenant_code, place->path, size_bytes);
}

static int fault_spool_publish(struct store *store, struct spool *spool, const struct object_place *place)
{
	int r = fault(store, STORE_CALL_SPOOL_PUBLISH);

	return r < 0 ? r : spool_publish(LOWER(store), spool, place->tenant_code, place->path);
}

static int fault_open(struct store *store, const struct object_place *place, int flags, int *ret_fd)
{
	int r = fault(store, STORE_CALL_OPEN);

	return r < 0 ? r : store_open(LOWER(store), place->tenant_code, place->path, flags, ret_fd);
}

static int fault_stat(struct store *store, const struct object_place *place, struct stat *ret_stat)
{
	int r = fault(store, STORE_CALL_STAT);

	return r < 0 ? r : store_stat(LOWER(store), place->tenant_code, place->path, ret_stat);
}

static int fault_remove(struct store *store, const struct object_place *place)
{
	int r = fault(store, STORE_CALL_REMOVE);

	return r < 0 ? r : store_remove(LOWER(store), place->tenant_code, place->path);
}

static int fault_share(struct store *store, const struct object_place *first, const struct object_place *second)
{
	int r = fault(store, STORE_CALL_SHARE);

	return r < 0 ? r : store_share(LOWER(store), first->tenant_code, first->path, second->path);
}

static int fault_sync(struct store *store, const struct object_place *place)
{
	int r = fault(store, STORE_CALL_SYNC);

	return r < 0 ? r : store_sync(LOWER(store), place->tenant_code, place->path);
}

static int fault_sync_all(struct store *store)
{
	int r = fault(store, STORE_CALL_SYNC_ALL);

	return r < 0 ? r : store_sync_all(LOWER(store));
}

static int fault_remove_tenant(struct store *store, const char *tenant_code)
{
	int r = fault(store, STORE_CALL_REMOVE_TENANT);

	return r < 0 ? r : store_remove_tenant(LOWER(store), tenant_code);
}

static int fault_list(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context)
{
	int r = fault(store, STORE_CALL_LIST);

	return r < 0 ? r : store_list(LOWER(store), tenant_code, visit, context);
}

static int fault_list_tenants(struct store *store, store_visit_fn *visit, void *context)
{
	int r = fault(store, STORE_CALL_LIST);

	return r < 0 ? r : store_list_tenants(LOWER(store), visit, context);
}

static int fault_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context)
{
	return store_sweep(LOWER(store), is_wanted, context);
}

static const struct store_layer layer = {
	.close = fault_close,
	.abilities = fault_abilities,
	.journal_dir = fault_journal_dir,
	.free_space = fault_free_space,
	.spool_create = fault_spool_create,
	.spool_discard = fault_spool_discard,
	.spool_name = fault_spool_name,
	.spool_sync = fault_spool_sync,
	.spool_open_named = fault_spool_open_named,
	.spool_clone = fault_spool_clone,
	.spool_publish = fault_spool_publish,
	.open = fault_open,
	.stat = fault_stat,
	.remove = fault_remove,
	.share = fault_share,
	.sync = fault_sync,
	.sync_all = fault_sync_all,
	.remove_tenant = fault_remove_tenant,
	.list = fault_list,
	.list_tenants = fault_list_tenants,
	.sweep = fault_sweep,
};

int store_fault_new(struct store *lower, unsigned every_nth, int error, struct store **ret_store)
{
	struct store_fault *fault = calloc(1, sizeof(*fault));

	if (!fault || pthread_mutex_init(&fault->lock, NULL) != 0) {
		free(fault);
		return -ENOMEM;
	}
	fault->store.layer = &layer;
	fault->lower = lower;
	fault->every_nth = every_nth;
	fault->every_nth_error = error;
	*ret_store = &fault->store;
	return 0;
}

static void plan_calls(struct store_fault *fault, enum store_call call, unsigned first, unsigned last, int error)
{
	pthread_mutex_lock(&fault->lock);
	fault->plans[call] = (struct fault_plan){first, last, error};
	pthread_mutex_unlock(&fault->lock);
}

void store_fault_plan(struct store *store, enum store_call call, unsigned first, unsigned count, int error)
{
	unsigned made = store_fault_calls(store, call);

	if (count == 0)
		plan_calls(FAULT(store), call, 0, 0, 0);
	else
		plan_calls(FAULT(store), call, made + first, made + first + count - 1, error);
}

unsigned store_fault_calls(struct store *store, enum store_call call)
{
	unsigned calls;

	pthread_mutex_lock(&FAULT(store)->lock);
	calls = FAULT(store)->calls[call];
	pthread_mutex_unlock(&FAULT(store)->lock);
	return calls;
}

/* --- plans as text --------------------------------------------------------------------------------------------------
 */

enum { ERRNO_MAX = 133 };

static int call_of_name(const char *name)
{
	static const char *const names[STORE_CALL_COUNT] = {
		[STORE_CALL_SPOOL_CREATE] = "create",
		[STORE_CALL_SPOOL_NAME] = "name",
		[STORE_CALL_SPOOL_SYNC] = "spool_sync",
		[STORE_CALL_SPOOL_OPEN_NAMED] = "open_named",
		[STORE_CALL_SPOOL_CLONE] = "clone",
		[STORE_CALL_SPOOL_PUBLISH] = "publish",
		[STORE_CALL_OPEN] = "open",
		[STORE_CALL_STAT] = "stat",
		[STORE_CALL_REMOVE] = "remove",
		[STORE_CALL_SHARE] = "share",
		[STORE_CALL_SYNC] = "sync",
		[STORE_CALL_SYNC_ALL] = "sync_all",
		[STORE_CALL_REMOVE_TENANT] = "remove_tenant",
		[STORE_CALL_LIST] = "list",
		[STORE_CALL_FREE_SPACE] = "free_space",
	};

	for (int i = 0; i < STORE_CALL_COUNT; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -EINVAL;
}

static int error_of_name(const char *name)
{
	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *known = strerrorname_np(error);

		if (known && strcmp(known, name) == 0)
			return -error;
	}
	return 0;
}

/* "publish:3:EIO", "open:1-5:EMFILE", "all:7:ENOSPC". */
static int parse_step(struct store_fault *fault, const char *step)
{
	char name[24], error_name[24];
	unsigned first, last;
	int end = 0, call, error;

	if (sscanf(step, "%23[a-z_]:%u-%u:%23[A-Z0-9]%n", name, &first, &last, error_name, &end) != 4) {
		if (sscanf(step, "%23[a-z_]:%u:%23[A-Z0-9]%n", name, &first, error_name, &end) != 3)
			return -EINVAL;
		last = first;
	}
	error = error_of_name(error_name);
	if (step[end] != '\0' || error == 0 || first == 0 || last < first)
		return -EINVAL;
	if (strcmp(name, "all") == 0) {
		fault->every_nth = first;
		fault->every_nth_error = error;
		return 0;
	}
	call = call_of_name(name);
	if (call < 0)
		return call;
	plan_calls(fault, (enum store_call)call, first, last, error);
	return 0;
}

int store_fault_parse(struct store *lower, const char *plan, struct store **ret_store)
{
	struct store *store = NULL;
	int r = store_fault_new(lower, 0, 0, &store);

	while (r == 0 && *plan != '\0') {
		size_t length = strcspn(plan, ",");
		char step[80];

		snprintf(step, sizeof(step), "%.*s", (int)(length < sizeof(step) ? length : sizeof(step)), plan);
		r = parse_step(FAULT(store), step);
		plan += length + (plan[length] == ',');
	}
	if (r == 0)
		*ret_store = store;
	else if (store)
		fault_free(FAULT(store));
	return r;
}
