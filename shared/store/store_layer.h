/*
 * What a layer of the store implements; store.c checks the arguments and calls it. Private to shared/store.
 *
 * Arguments a layer gets are checked already: the tenant's code is valid, an object's path is a month, one slash and a
 * name.
 */
#pragma once
#include "shared/store/store.h"

enum { STORE_MONTH_LENGTH = 7 /* "2026-11" */ };

typedef int store_visit_fn(const char *path, const struct stat *stat, void *context);

struct object_place {
	const char *tenant_code;
	const char *path; /* "2026-11/fs_….pdf" */
	const char *name; /* in path, behind the slash */
};

struct store_layer {
	void (*close)(struct store *store);
	const struct store_abilities *(*abilities)(struct store *store);
	int (*journal_dir)(struct store *store);
	int (*free_space)(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);
	int (*spool_create)(struct store *store, struct spool *ret_spool);
	void (*spool_discard)(struct store *store, struct spool *spool);
	int (*spool_name)(struct store *store, struct spool *spool);
	int (*spool_sync)(struct store *store, struct spool *spool);
	int (*spool_open_named)(struct store *store, const char *name, struct spool *ret_spool);
	int (*spool_clone)(struct store *store, struct spool *spool, const struct object_place *place,
			   uint64_t size_bytes);
	int (*spool_publish)(struct store *store, struct spool *spool, const struct object_place *place);
	int (*open)(struct store *store, const struct object_place *place, int flags, int *ret_fd);
	int (*stat)(struct store *store, const struct object_place *place, struct stat *ret_stat);
	int (*remove)(struct store *store, const struct object_place *place);
	int (*share)(struct store *store, const struct object_place *first, const struct object_place *second);
	int (*sync)(struct store *store, const struct object_place *place);
	int (*sync_all)(struct store *store);
	int (*remove_tenant)(struct store *store, const char *tenant_code);
	int (*list)(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context);
	int (*list_tenants)(struct store *store, store_visit_fn *visit, void *context);
	int (*sweep)(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context);
};

/* First member of every layer's own struct. */
struct store {
	const struct store_layer *layer;
};
