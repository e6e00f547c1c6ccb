/* The calls of store.h: they check what a row or a journal record claims to be a path, then ask the layer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/clock.h"
#include "shared/model/rows.h"
#include "shared/store/store_layer.h"

/* "2026-11/name": one month, one slash, a name that is neither "." nor "..". */
static int object_place(const char *tenant_code, const char *path, struct object_place *ret_place)
{
	size_t length = strnlen(path, OBJECT_PATH_SIZE);
	const char *name = path + STORE_MONTH_LENGTH + 1;

	if (!tenant_code_is_valid(tenant_code))
		return -EINVAL;
	if (length >= OBJECT_PATH_SIZE || length <= STORE_MONTH_LENGTH + 1)
		return -EINVAL;
	if (path[STORE_MONTH_LENGTH] != '/' || !clock_is_month(path, STORE_MONTH_LENGTH))
		return -EINVAL;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	*ret_place = (struct object_place){tenant_code, path, name};
	return 0;
}

void store_close(struct store *store)
{
	if (store)
		store->layer->close(store);
}

const struct store_abilities *store_abilities(struct store *store)
{
	return store->layer->abilities(store);
}

int store_journal_dir(struct store *store)
{
	return store->layer->journal_dir(store);
}

int store_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	return store->layer->free_space(store, ret_free_bytes, ret_total_bytes);
}

int spool_create(struct store *store, struct spool *ret_spool)
{
	return store->layer->spool_create(store, ret_spool);
}

void spool_discard(struct store *store, struct spool *spool)
{
	store->layer->spool_discard(store, spool);
}

int spool_name(struct store *store, struct spool *spool)
{
	if (spool->is_named)
		return 0;
	return store->layer->spool_name(store, spool);
}

int spool_sync(struct store *store, struct spool *spool)
{
	return store->layer->spool_sync(store, spool);
}

int spool_open_named(struct store *store, const char *name, struct spool *ret_spool)
{
	size_t length = strnlen(name, SPOOL_NAME_SIZE);

	if (length == 0 || length >= SPOOL_NAME_SIZE || name[0] == '.' || strchr(name, '/'))
		return -EINVAL;
	return store->layer->spool_open_named(store, name, ret_spool);
}

int spool_clone(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path,
		uint64_t size_bytes)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	if (size_bytes > INT64_MAX)
		return -EFBIG;
	return store->layer->spool_clone(store, spool, &place, size_bytes);
}

int spool_publish(struct store *store, struct spool *spool, const char *tenant_code, const char *object_path)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	return store->layer->spool_publish(store, spool, &place);
}

int store_open(struct store *store, const char *tenant_code, const char *object_path, int flags, int *ret_fd)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	return store->layer->open(store, &place, flags & ~(O_CREAT | O_EXCL | O_TRUNC), ret_fd);
}

int store_stat(struct store *store, const char *tenant_code, const char *object_path, struct stat *ret_stat)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	return store->layer->stat(store, &place, ret_stat);
}

int store_remove(struct store *store, const char *tenant_code, const char *object_path)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	r = store->layer->remove(store, &place);
	return r == -ENOENT ? 0 : r;
}

int store_share(struct store *store, const char *tenant_code, const char *first_path, const char *second_path)
{
	struct object_place first, second;
	int r = object_place(tenant_code, first_path, &first);

	if (r == 0)
		r = object_place(tenant_code, second_path, &second);
	if (r < 0)
		return r;
	return store->layer->share(store, &first, &second);
}

int store_sync(struct store *store, const char *tenant_code, const char *object_path)
{
	struct object_place place;
	int r = object_place(tenant_code, object_path, &place);

	if (r < 0)
		return r;
	return store->layer->sync(store, &place);
}

int store_sync_all(struct store *store)
{
	return store->layer->sync_all(store);
}

int store_remove_tenant(struct store *store, const char *tenant_code)
{
	if (!tenant_code_is_valid(tenant_code))
		return -EINVAL;
	return store->layer->remove_tenant(store, tenant_code);
}

int store_list(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context)
{
	if (tenant_code && !tenant_code_is_valid(tenant_code))
		return -EINVAL;
	return store->layer->list(store, tenant_code, visit, context);
}

int store_list_tenants(struct store *store, store_visit_fn *visit, void *context)
{
	return store->layer->list_tenants(store, visit, context);
}

int store_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context)
{
	return store->layer->sweep(store, is_wanted, context);
}
