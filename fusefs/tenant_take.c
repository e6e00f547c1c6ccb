/* A tenant's lease: taken when somebody first comes by, given back when the mount ends, removed with the tenant. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/atimes.h"
#include "fusefs/invalidator.h"
#include "fusefs/loader.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "fusefs/open_file.h"
#include "fusefs/recover.h"
#include "fusefs/runner.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum { FOLLOWER_RETRY_S = 5, REMOVAL_RETRY_MS = 5000 };

void tenant_forget_clean(struct tenant *tenant)
{
	tree_evict(&tenant->tree, 0, UINT64_MAX, (int)tenant->tree.inodes.count);
	if (tenant->tree.root) {
		tenant->tree.root->is_complete = tenant->tree.root->was_prefetched = false;
		tenant->tree.root->window_after = tenant->tree.root->window_to = 0;
	}
}

static int make_root(struct tenant *tenant)
{
	struct inode *inode;

	if (tenant->tree.root)
		return 0;
	inode = inode_new('d', tenant->root_inode);
	if (!inode)
		return -ENOMEM;
	inode->attributes.mode = S_IFDIR;
	inode->attributes.nlink = 2;
	tenant->tree.root = folder_of(inode);
	tree_add(&tenant->tree, inode);
	return 0;
}

static int become_holder(struct tenant *tenant, struct durable_tenant *durable, const struct durable_start *start)
{
	int r = make_root(tenant);

	if (r < 0)
		return r;
	tenant_forget_clean(tenant);
	tenant->durable = durable;
	tenant->state = TENANT_HELD;
	tenant->is_read_only = false;
	tenant->usage.used_bytes = start->used_bytes;
	tenant->usage.file_count = start->file_count;
	tenant->next_sequence = start->next_sequence;
	tenant->next_object_id = start->next_object_id;
	return 0;
}

static int become_follower(struct tenant *tenant)
{
	int r = make_root(tenant);

	if (r < 0)
		return r;
	tenant->state = TENANT_FOLLOWING;
	tenant->retry_at_ns = clock_monotonic_ns() + FOLLOWER_RETRY_S * NS_PER_S;
	return 0;
}

static void say_state(const struct tenant *tenant, int r, const struct durable_start *start)
{
	if (r == 0)
		log_info("lease taken", "tenant", tenant->code, "epoch", log_number(start->epoch), "used_bytes",
			 log_number(start->used_bytes), "files", log_number(start->file_count));
	else if (r == -EBUSY)
		log_info("another mount holds the lease, read-only here", "tenant", tenant->code);
	else
		log_error("the lease could not be taken", "tenant", tenant->code, "errno", log_errno(r));
}

/* r of durable_acquire. Lock held. */
static int settle(struct tenant *tenant, int r, struct durable_tenant *durable, const struct durable_start *start)
{
	bool was_following = tenant->tree.root && tenant->retry_at_ns != 0 && !tenant->durable;

	if (r == 0)
		return become_holder(tenant, durable, start);
	if (r == -EBUSY || was_following)
		return become_follower(tenant);
	tenant->state = TENANT_KNOWN;
	return r;
}

static int take(struct tenant *tenant, int wait_ms, struct request **ret_waiting)
{
	struct durable_tenant *durable = NULL;
	struct durable_start start = {0};
	struct tenant_settings *settings;
	int taken, r;

	pthread_mutex_lock(&tenant->lock);
	settings = tenant_settings_get(tenant);
	pthread_mutex_unlock(&tenant->lock);
	taken = durable_acquire(tenant->mount->durable, &settings->row, tenant, wait_ms, &durable, &start);
	tenant_settings_unref(settings);
	say_state(tenant, taken, &start);
	pthread_mutex_lock(&tenant->lock);
	r = settle(tenant, taken, durable, &start);
	*ret_waiting = wait_list_take(&tenant->taking);
	tenant_unlock(tenant);
	if (taken == 0 && r == 0)
		recover_spools(tenant, start.spools, start.spool_count);
	free(start.spools);
	return r;
}

static void take_for_waiting(void *context)
{
	struct tenant *tenant = context;
	struct request *waiting;
	int r = take(tenant, 0, &waiting);

	wait_list_resume(waiting, r < 0 ? -EIO : 0);
}

void tenant_start_taking(struct tenant *tenant)
{
	tenant->state = TENANT_TAKING;
	loader_run(tenant->mount->loader, take_for_waiting, tenant);
}

int tenant_take_now(struct tenant *tenant)
{
	struct request *waiting;

	pthread_mutex_lock(&tenant->lock);
	tenant->state = TENANT_TAKING;
	pthread_mutex_unlock(&tenant->lock);
	return take(tenant, tenant->mount->options.lease_wait_ms, &waiting);
}

/* --- the end --- */

/* What passes is published, what does not is kept under a name: the next mount judges it as if it were closed. */
static void settle_open_file(struct open_file *open)
{
	int r = publish(open, PUBLISH_AT_LAST_RELEASE);

	if (r < 0 && open->state == CONTENT_APPENDING)
		r = content_leave_append(open);
	if (r < 0 && open->state == CONTENT_SPOOL && open->error == 0 && !(open->refusal && open->refusal->is_lasting))
		r = publish_later(open);
	else if (r == 0)
		r = publish_extraction(open);
	if (r < 0)
		log_warn("an open file is left as it was published last", "tenant", open->tenant->code, "errno",
			 log_errno(r));
}

static void settle_open_files(struct tenant *tenant)
{
	struct list_link *link;

	for (link = tenant->open_files.next; link != &tenant->open_files; link = link->next) {
		struct open_file *open = container_of(link, struct open_file, in_tenant);

		if (open->writers > 0)
			settle_open_file(open);
	}
}

/* No kernel will release these any more. */
static void drop_handles(struct tenant *tenant)
{
	while (!list_is_empty(&tenant->open_files)) {
		struct open_file *open = container_of(tenant->open_files.next, struct open_file, in_tenant);

		open->readers += open->writers == 0 && open->readers == 0;
		while (!list_is_empty(&open->handles)) {
			struct handle *handle = container_of(open->handles.next, struct handle, in_file);

			list_remove(&handle->in_file);
			free(handle);
		}
		open->readers = open->writers = 0;
		open->is_busy = false;
		open_file_put(open);
	}
}

void tenant_leave(struct tenant *tenant, int timeout_ms)
{
	int r;

	if (tenant->state == TENANT_HELD) {
		atimes_record(tenant);
		settle_open_files(tenant);
	}
	pthread_mutex_lock(&tenant->lock);
	drop_handles(tenant);
	if (tenant->state == TENANT_HELD) {
		tenant->state = TENANT_LEAVING;
		tenant_unlock(tenant);
		r = durable_give_back(tenant->durable, timeout_ms);
		if (r < 0)
			log_warn("the lease could not be given back, its journal is replayed by the next mount",
				 "tenant", tenant->code, "errno", log_errno(r));
		return;
	}
	tenant_unlock(tenant);
}

/* --- removal --- */

static void remove_rows_and_bytes(void *context);

static void remove_again(void *context)
{
	struct tenant *tenant = context;

	if (!atomic_load(&tenant->mount->is_ending))
		loader_run(tenant->mount->loader, remove_rows_and_bytes, tenant);
}

static int take_for_removal(struct tenant *tenant)
{
	struct durable_start start = {0};
	int r;

	if (tenant->durable)
		return 0;
	r = durable_acquire(tenant->mount->durable, &tenant->settings->row, tenant, 0, &tenant->durable, &start);
	free(start.spools);
	return r;
}

static void remove_rows_and_bytes(void *context)
{
	struct tenant *tenant = context;
	int r = take_for_removal(tenant);

	if (r == 0)
		r = durable_remove(tenant->durable);
	if (r == 0) {
		tenant->durable = NULL;
		log_info("tenant removed", "tenant", tenant->code);
		return;
	}
	/* Another holder does it; a row that is gone needs no more doing. */
	if (r == -EBUSY || r == -ENOENT)
		return;
	log_warn("the tenant could not be removed yet", "tenant", tenant->code, "errno", log_errno(r));
	runner_add_later(tenant->mount->runner, REMOVAL_RETRY_MS, remove_again, tenant);
}

void tenant_start_removal(struct tenant *tenant)
{
	struct request *waiting;
	bool is_removed;

	pthread_mutex_lock(&tenant->lock);
	is_removed = tenant->state == TENANT_REMOVED;
	tenant->state = TENANT_REMOVED;
	waiting = wait_list_take(&tenant->taking);
	tenant_unlock(tenant);
	wait_list_resume(waiting, -ESTALE);
	if (is_removed)
		return;
	tenants_forget_code(tenant->mount->tenants, tenant);
	invalidate_entry(tenant->mount->invalidator, NODE_ROOT, tenant->code, strlen(tenant->code));
	loader_run(tenant->mount->loader, remove_rows_and_bytes, tenant);
}
