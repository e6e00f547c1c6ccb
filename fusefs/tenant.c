#include "fusefs/tenant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/load.h"
#include "fusefs/mount.h"
#include "fusefs/node.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum { EVICT_STEPS = 64 };

static size_t bytes_size(struct bytes bytes)
{
	return bytes.data ? bytes.length + 1 : 0;
}

static struct bytes copy_bytes(char **at, struct bytes bytes)
{
	struct bytes copy = {.data = *at, .length = bytes.length};

	if (!bytes.data)
		return (struct bytes){0};
	memcpy(*at, bytes.data, bytes.length);
	(*at)[bytes.length] = '\0';
	*at += bytes.length + 1;
	return copy;
}

/* A mount cannot refuse a configuration: what is wrong in it has its default, the rest holds. */
static int parse_rules(struct mount *mount, struct tenant_settings *settings)
{
	const struct bytes *json = &settings->row.configuration;
	char error[256] = "";
	int r = rules_parse_tolerant(json->data ? json->data : "{}", json->data ? json->length : 2, mount->config,
				     &settings->rules, error, sizeof(error));

	if (r == 0 && error[0] != '\0')
		log_error("the tenant's configuration is not valid; what is wrong in it has the default", "tenant",
			  settings->row.code, "reason", error);
	return r;
}

int tenant_settings_new(struct mount *mount, const struct tenant_row *row, struct tenant_settings **ret_settings)
{
	struct tenant_settings *settings = malloc(sizeof(*settings) + bytes_size(row->name) +
						  bytes_size(row->description) + bytes_size(row->configuration));
	char *at = (char *)(settings + 1);
	int r;

	if (!settings)
		return -ENOMEM;
	*settings = (struct tenant_settings){.row = *row};
	atomic_init(&settings->references, 1);
	settings->row.name = copy_bytes(&at, row->name);
	settings->row.description = copy_bytes(&at, row->description);
	settings->row.configuration = copy_bytes(&at, row->configuration);
	r = parse_rules(mount, settings);
	if (r < 0) {
		free(settings);
		return r;
	}
	settings->max_file_size = rules_max_file_size(settings->rules);
	*ret_settings = settings;
	return 0;
}

struct tenant_settings *tenant_settings_ref(struct tenant_settings *settings)
{
	atomic_fetch_add(&settings->references, 1);
	return settings;
}

void tenant_settings_unref(struct tenant_settings *settings)
{
	if (!settings || atomic_fetch_sub(&settings->references, 1) != 1)
		return;
	rules_unref(settings->rules);
	free(settings);
}

struct tenant_settings *tenant_settings_get(struct tenant *tenant)
{
	return tenant_settings_ref(tenant->settings);
}

static int check_access(const struct tenant *tenant, enum tenant_need need)
{
	if (need != TENANT_FOR_STAT && !tenant->settings->row.is_active)
		return -EACCES;
	if (need == TENANT_FOR_CHANGE && (tenant->state != TENANT_HELD || tenant->is_read_only))
		return -EROFS;
	return 0;
}

/* The lease of a tenant that another mount held is asked for again now and then, by whoever comes by. */
static void retry_taking(struct tenant *tenant)
{
	if (tenant->state == TENANT_FOLLOWING && clock_monotonic_ns() >= tenant->retry_at_ns)
		tenant_start_taking(tenant);
}

static int enter_locked(struct request *request, struct tenant *tenant, enum tenant_need need)
{
	if (tenant->state == TENANT_REMOVED || tenant->settings->row.is_deleting)
		return -ESTALE;
	if (need == TENANT_FOR_STAT)
		return 0;
	retry_taking(tenant);
	if (tenant->state == TENANT_KNOWN)
		tenant_start_taking(tenant);
	if (tenant->state == TENANT_TAKING)
		return request_park(request, &tenant->taking);
	return check_access(tenant, need);
}

int tenant_lock(struct request *request, struct tenant *tenant, enum tenant_need need)
{
	int r;

	request->tenant = tenant;
	pthread_mutex_lock(&tenant->lock);
	r = enter_locked(request, tenant, need);
	if (r != 0)
		pthread_mutex_unlock(&tenant->lock);
	return r;
}

int tenant_enter(struct request *request, uint64_t node, enum tenant_need need, struct tenant **ret_tenant)
{
	struct tenant *tenant = tenants_by_slot(request->mount->tenants, node_slot(node));
	int r;

	if (!tenant)
		return -ESTALE;
	r = tenant_lock(request, tenant, need);
	if (r == 0)
		*ret_tenant = tenant;
	return r;
}

uint64_t tenant_evictable_position(const struct tenant *tenant)
{
	uint64_t committed = tenant->durable ? durable_committed_position(tenant->durable) : UINT64_MAX;

	return load_oldest_position(tenant, committed);
}

/* The cache is the mount's; each tenant gives from its own tree when the sum of all is too large. */
static void keep_cache_small(struct tenant *tenant)
{
	struct mount *mount = tenant->mount;
	int64_t over = atomic_load_explicit(&mount->cache_used, memory_order_relaxed) - mount->options.cache_bytes;

	if (over > 0)
		tree_evict(&tenant->tree, tenant->tree.bytes - over, tenant_evictable_position(tenant), EVICT_STEPS);
}

void tenant_unlock(struct tenant *tenant)
{
	struct mount *mount = tenant->mount;
	int64_t grown;

	keep_cache_small(tenant);
	tree_sweep(&tenant->tree, tenant_evictable_position(tenant));
	grown = tenant->tree.bytes - tenant->counted_bytes;
	tenant->counted_bytes = tenant->tree.bytes;
#ifdef TENANTFS_DEBUG
	if (tenant->unlocks++ % 1024 == 0)
		tree_check(&tenant->tree);
#endif
	pthread_mutex_unlock(&tenant->lock);
	if (grown != 0)
		atomic_fetch_add_explicit(&mount->cache_used, grown, memory_order_relaxed);
}
