#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/invalidator.h"
#include "fusefs/loader.h"
#include "fusefs/mirror.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "shared/model/change.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

struct tenants {
	struct mount *mount;
	_Atomic(struct tenant *) *slots;
	_Atomic uint32_t count; /* slots filled, from 0 on; a slot is never given twice */
	pthread_mutex_t lock;	/* the tables, and putting; slots need none */
	struct table by_id, by_code;
};

int tenants_new(struct mount *mount, struct tenants **ret_tenants)
{
	struct tenants *tenants = calloc(1, sizeof(*tenants));

	if (!tenants)
		return -ENOMEM;
	/* Four megabytes of address space; pages come as tenants do. */
	tenants->slots = calloc(NODE_SLOT_MAX + 1, sizeof(tenants->slots[0]));
	if (!tenants->slots || table_init(&tenants->by_id, 0) < 0 || table_init(&tenants->by_code, 0) < 0) {
		table_release(&tenants->by_id);
		free(tenants->slots);
		free(tenants);
		return -ENOMEM;
	}
	tenants->mount = mount;
	pthread_mutex_init(&tenants->lock, NULL);
	*ret_tenants = tenants;
	return 0;
}

static void tenant_free(struct tenant *tenant)
{
	tenant_settings_unref(tenant->settings);
	mirrors_release(tenant);
	tree_release(&tenant->tree);
	table_release(&tenant->loads);
	buf_release(&tenant->record);
	buf_release(&tenant->json);
	free(tenant->atimes);
	pthread_mutex_destroy(&tenant->lock);
	free(tenant);
}

void tenants_free(struct tenants *tenants)
{
	if (!tenants)
		return;
	for (uint32_t slot = 0; slot < atomic_load(&tenants->count); slot++)
		tenant_free(atomic_load(&tenants->slots[slot]));
	table_release(&tenants->by_id);
	table_release(&tenants->by_code);
	pthread_mutex_destroy(&tenants->lock);
	free(tenants->slots);
	free(tenants);
}

uint32_t tenants_count(struct tenants *tenants)
{
	return atomic_load(&tenants->count);
}

struct tenant *tenants_by_slot(struct tenants *tenants, uint32_t slot)
{
	return slot < atomic_load(&tenants->count) ? atomic_load(&tenants->slots[slot]) : NULL;
}

struct tenant *tenants_next(struct tenants *tenants, int64_t after_slot)
{
	return tenants_by_slot(tenants, (uint32_t)(after_slot + 1));
}

static struct tenant *find_code(struct tenants *tenants, const char *code)
{
	struct table_link *link = table_find(&tenants->by_code, table_hash_bytes(code, strlen(code), 0));

	for (; link; link = table_next(link)) {
		struct tenant *tenant = container_of(link, struct tenant, by_code);

		if (strcmp(tenant->code, code) == 0)
			return tenant;
	}
	return NULL;
}

static struct tenant *find_id(struct tenants *tenants, int64_t tenant_id)
{
	struct table_link *link = table_find(&tenants->by_id, table_hash_u64((uint64_t)tenant_id));

	for (; link; link = table_next(link)) {
		struct tenant *tenant = container_of(link, struct tenant, by_id);

		if (tenant->tenant_id == tenant_id)
			return tenant;
	}
	return NULL;
}

struct tenant *tenants_by_code(struct tenants *tenants, const char *code)
{
	struct tenant *tenant;

	pthread_mutex_lock(&tenants->lock);
	tenant = find_code(tenants, code);
	pthread_mutex_unlock(&tenants->lock);
	return tenant;
}

struct tenant *tenants_by_id(struct tenants *tenants, int64_t tenant_id)
{
	struct tenant *tenant;

	pthread_mutex_lock(&tenants->lock);
	tenant = find_id(tenants, tenant_id);
	pthread_mutex_unlock(&tenants->lock);
	return tenant;
}

void tenants_forget_code(struct tenants *tenants, struct tenant *tenant)
{
	pthread_mutex_lock(&tenants->lock);
	if (find_code(tenants, tenant->code) == tenant)
		table_remove(&tenants->by_code, &tenant->by_code);
	pthread_mutex_unlock(&tenants->lock);
}

static int tenant_init(struct tenant *tenant, struct mount *mount, const struct tenant_row *row)
{
	tenant->mount = mount;
	tenant->tenant_id = row->tenant_id;
	tenant->root_inode = row->root_inode;
	memcpy(tenant->code, row->code, sizeof(tenant->code));
	tenant->root_changed_ns = row->updated_at_ns;
	tenant->record = BUF_INIT(RECORD_MAX_BYTES);
	tenant->json = BUF_INIT(RECORD_MAX_BYTES);
	pthread_mutex_init(&tenant->lock, NULL);
	list_init(&tenant->loads_by_age);
	list_init(&tenant->appending);
	list_init(&tenant->open_files);
	if (tree_init(&tenant->tree) < 0 || table_init(&tenant->loads, 0) < 0 || mirrors_init(tenant) < 0)
		return -ENOMEM;
	return tenant_settings_new(mount, row, &tenant->settings);
}

static int add(struct tenants *tenants, const struct tenant_row *row, struct tenant **ret_tenant)
{
	uint32_t slot = atomic_load(&tenants->count);
	struct tenant *tenant;
	int r;

	if (slot > NODE_SLOT_MAX)
		return -ENOSPC;
	tenant = calloc(1, sizeof(*tenant));
	if (!tenant)
		return -ENOMEM;
	tenant->slot = slot;
	r = tenant_init(tenant, tenants->mount, row);
	if (r < 0) {
		tenant_free(tenant);
		return r;
	}
	table_add(&tenants->by_id, &tenant->by_id, table_hash_u64((uint64_t)row->tenant_id));
	table_add(&tenants->by_code, &tenant->by_code, table_hash_bytes(row->code, strlen(row->code), 0));
	atomic_store(&tenants->slots[slot], tenant);
	atomic_store(&tenants->count, slot + 1);
	*ret_tenant = tenant;
	return 0;
}

/* The kernel keeps attributes and names for a day; what adminctl changed has to reach it. */
static void tell_kernel(struct tenant *tenant, const struct tenant_row *before, const struct tenant_row *after)
{
	struct invalidator *invalidator = tenant->mount->invalidator;

	if (before->is_active && !after->is_active)
		invalidate_entry(invalidator, NODE_ROOT, tenant->code, strlen(tenant->code));
	invalidate_attributes(invalidator, node_of_inode(tenant->slot, tenant->root_inode));
}

static int replace_settings(struct tenant *tenant, const struct tenant_row *row)
{
	struct tenant_settings *before, *after;
	int r = tenant_settings_new(tenant->mount, row, &after);

	if (r < 0)
		return r;
	pthread_mutex_lock(&tenant->lock);
	before = tenant->settings;
	tenant->settings = after;
	tenant->root_changed_ns =
		row->updated_at_ns > tenant->root_changed_ns ? row->updated_at_ns : tenant->root_changed_ns;
	pthread_mutex_unlock(&tenant->lock);
	tell_kernel(tenant, &before->row, row);
	tenant_settings_unref(before);
	return 0;
}

int tenants_put(struct tenants *tenants, const struct tenant_row *row, struct tenant **ret_tenant)
{
	const char *only = tenants->mount->options.tenant_code;
	struct tenant *tenant;
	bool is_new;
	int r = 0;

	if (only[0] && strcmp(only, row->code) != 0)
		return -ENOENT;
	pthread_mutex_lock(&tenants->lock);
	tenant = find_id(tenants, row->tenant_id);
	is_new = !tenant;
	if (is_new)
		r = add(tenants, row, &tenant);
	pthread_mutex_unlock(&tenants->lock);
	if (r == 0 && !is_new)
		r = replace_settings(tenant, row);
	if (r == 0 && row->is_deleting)
		tenant_start_removal(tenant);
	if (r == 0)
		*ret_tenant = tenant;
	return r;
}

static void put_rows(void *context, int error, const struct tenant_row *rows, int count)
{
	struct mount *mount = context;
	struct tenant *tenant;

	if (error < 0)
		log_warn("settings of tenants could not be read again", "errno", log_errno(error));
	for (int i = 0; i < count; i++) {
		int r = tenants_put(mount->tenants, &rows[i], &tenant);

		if (r < 0 && r != -ENOENT)
			log_error("a tenant's settings could not be taken over", "tenant", rows[i].code, "errno",
				  log_errno(r));
	}
}

/* A tenant whose row is gone was removed by somebody else: nothing of it can be written any more. */
static void put_one_row(void *context, int error, const struct tenant_row *rows, int count)
{
	struct tenant *tenant = context;

	if (error == 0 && count == 0)
		tenant_start_removal(tenant);
	else
		put_rows(tenant->mount, error, rows, count);
}

void tenants_refresh(struct tenants *tenants, int64_t tenant_id)
{
	struct tenant *tenant = tenants_by_id(tenants, tenant_id);

	if (tenant)
		loader_tenant_by_id(tenants->mount->loader, tenant_id, put_one_row, tenant);
	else
		loader_tenant_by_id(tenants->mount->loader, tenant_id, put_rows, tenants->mount);
}

void tenants_refresh_all(struct tenants *tenants)
{
	loader_tenants(tenants->mount->loader, put_rows, tenants->mount);
}
