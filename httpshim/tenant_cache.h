/*
 * Tenants as requests need them, kept in memory. A change reaches every mount and every shim by NOTIFY tenantfs_tenant; while
 * nobody listens (PostgreSQL away) what is here is used on, since nothing can be changed then either.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "shared/model/rows.h"

struct config;
struct db_pool;
struct rules;
struct tenant_cache;

struct tenant {
	atomic_int references;
	int64_t id;
	char code[TENANT_CODE_SIZE];
	char uuid[37];
	bool is_active;
	uint32_t owner_uid, owner_gid;
	int64_t root_inode;
	struct rules *rules; /* of its configuration, over the instance's */
	/* the cache's */
	struct tenant *next;
	int64_t loaded_ns;
};

int tenant_cache_new(const struct config *config, struct db_pool *database, struct tenant_cache **ret_cache);
void tenant_cache_free(struct tenant_cache *cache);
/* A reference to what is in memory; NULL: not there. Never waits. */
struct tenant *tenant_cache_peek(struct tenant_cache *cache, const char *code);
/* The same, from PostgreSQL when it must. -ENOENT: no such tenant, or it is being deleted. -EAGAIN. */
int tenant_cache_get(struct tenant_cache *cache, const char *code, struct tenant **ret_tenant);
/* 0: all. */
void tenant_cache_forget(struct tenant_cache *cache, int64_t tenant_id);
struct tenant *tenant_ref(struct tenant *tenant);
void tenant_unref(struct tenant *tenant);
