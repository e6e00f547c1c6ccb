#include "httpshim/tenant_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/table.h"
#include "shared/meta/tenants.h"
#include "shared/validate/validate.h"

enum { BUCKETS = 256, TENANTS_KEPT = 4096, DATABASE_WAIT_MS = 2000 };

struct tenant_cache {
	const struct config *config;
	struct db_pool *database;
	pthread_mutex_t lock; /* guards all below */
	struct tenant *buckets[BUCKETS];
	int count;
	uint64_t forgets; /* a load that began before one of them is not kept */
};

int tenant_cache_new(const struct config *config, struct db_pool *database, struct tenant_cache **ret_cache)
{
	struct tenant_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->config = config;
	cache->database = database;
	pthread_mutex_init(&cache->lock, NULL);
	*ret_cache = cache;
	return 0;
}

void tenant_cache_free(struct tenant_cache *cache)
{
	if (!cache)
		return;
	tenant_cache_forget(cache, 0);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

struct tenant *tenant_ref(struct tenant *tenant)
{
	atomic_fetch_add_explicit(&tenant->references, 1, memory_order_relaxed);
	return tenant;
}

void tenant_unref(struct tenant *tenant)
{
	if (!tenant || atomic_fetch_sub_explicit(&tenant->references, 1, memory_order_acq_rel) > 1)
		return;
	rules_unref(tenant->rules);
	free(tenant);
}

static struct tenant **bucket_of(struct tenant_cache *cache, const char *code)
{
	return &cache->buckets[table_hash_bytes(code, strlen(code), 0) % BUCKETS];
}

struct tenant *tenant_cache_peek(struct tenant_cache *cache, const char *code)
{
	struct tenant *tenant;

	pthread_mutex_lock(&cache->lock);
	for (tenant = *bucket_of(cache, code); tenant; tenant = tenant->next) {
		if (strcmp(tenant->code, code) == 0)
			break;
	}
	if (tenant)
		tenant_ref(tenant);
	pthread_mutex_unlock(&cache->lock);
	return tenant;
}

static int make(const struct tenant_cache *cache, const struct tenant_row *row, struct tenant **ret_tenant)
{
	struct tenant *tenant = calloc(1, sizeof(*tenant));
	char error[256];
	int r;

	if (!tenant)
		return -ENOMEM;
	atomic_init(&tenant->references, 1);
	r = rules_parse(row->configuration.data, row->configuration.length, cache->config, &tenant->rules, error, sizeof(error));
	if (r < 0) {
		/* The mount has the last word about what is stored here, and it is stricter with a configuration like this. */
		log_warn("a tenant's configuration cannot be read", "tenant", row->code, "reason", error);
		tenant->rules = NULL;
	}
	tenant->id = row->tenant_id;
	memcpy(tenant->code, row->code, sizeof(tenant->code));
	memcpy(tenant->uuid, row->uuid, sizeof(tenant->uuid));
	tenant->is_active = row->is_active;
	tenant->owner_uid = (uint32_t)row->owner_uid;
	tenant->owner_gid = (uint32_t)row->owner_gid;
	tenant->root_inode = row->root_inode;
	tenant->loaded_ns = clock_monotonic_ns();
	*ret_tenant = tenant;
	return 0;
}

static int load(struct tenant_cache *cache, const char *code, struct tenant **ret_tenant)
{
	struct tenant_list list autotenants = {0};
	struct db *db;
	int r;

	if (!tenant_code_is_valid(code))
		return -ENOENT;
	r = db_pool_get(cache->database, DATABASE_WAIT_MS, &db);
	if (r < 0)
		return r;
	r = tenant_find(db, code, &list);
	db_pool_put(cache->database, db);
	if (r == 0 && (list.rows[0].is_deleting || strcmp(list.rows[0].code, code) != 0))
		r = -ENOENT;
	return r < 0 ? r : make(cache, &list.rows[0], ret_tenant);
}

int tenant_cache_get(struct tenant_cache *cache, const char *code, struct tenant **ret_tenant)
{
	struct tenant *tenant = tenant_cache_peek(cache, code);
	uint64_t forgets;
	int r;

	if (tenant) {
		*ret_tenant = tenant;
		return 0;
	}
	pthread_mutex_lock(&cache->lock);
	forgets = cache->forgets;
	pthread_mutex_unlock(&cache->lock);
	r = load(cache, code, &tenant);
	if (r < 0)
		return r;
	pthread_mutex_lock(&cache->lock);
	if (cache->forgets == forgets && cache->count < TENANTS_KEPT) {
		struct tenant **bucket = bucket_of(cache, code);

		/* Two may have loaded it at once; the older copy is only never found again. */
		tenant->next = *bucket;
		*bucket = tenant_ref(tenant);
		cache->count++;
	}
	pthread_mutex_unlock(&cache->lock);
	*ret_tenant = tenant;
	return 0;
}

void tenant_cache_forget(struct tenant_cache *cache, int64_t tenant_id)
{
	pthread_mutex_lock(&cache->lock);
	cache->forgets++;
	for (int i = 0; i < BUCKETS; i++) {
		for (struct tenant **at = &cache->buckets[i]; *at;) {
			struct tenant *tenant = *at;

			if (tenant_id != 0 && tenant->id != tenant_id) {
				at = &tenant->next;
				continue;
			}
			*at = tenant->next;
			cache->count--;
			tenant_unref(tenant);
		}
	}
	pthread_mutex_unlock(&cache->lock);
}
