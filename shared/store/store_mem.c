/*
 * The store in memory: every content is a memfd, every object a name for one. For tests of what lies above; it keeps
 * the same promises (nothing is overwritten, shared content has a link count), but survives nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/model/rows.h"
#include "shared/store/copy.h"
#include "shared/store/store_layer.h"

#define MEM_BYTES (1ULL << 40) /* what df would say */

enum {
	DESCRIPTOR_PATH_SIZE = 40,
	KEY_SIZE = TENANT_CODE_SIZE + OBJECT_PATH_SIZE + 2,
	FOLDER_SIZE = 40,
	LINKS_MAX = 65000
};

struct content {
	int fd;
	unsigned links; /* names and named spools */
};

struct name {
	struct name *next;
	char key[KEY_SIZE]; /* "acme/2026-11/fs_….pdf"; a spool: "/" and its name */
	struct content *content;
};

struct store_mem {
	struct store store;
	struct store_abilities abilities;
	int journal_fd;
	char journal_path[FOLDER_SIZE];
	pthread_mutex_t lock; /* all below */
	struct name *names;
	uint64_t next_number;
};

#define MEM(store_pointer) ((struct store_mem *)(void *)(store_pointer))

/* --- names, with the lock held --------------------------------------------------------------------------------------
 */

static struct name **find(struct store_mem *mem, const char *key)
{
	struct name **name = &mem->names;

	while (*name && strcmp((*name)->key, key) != 0)
		name = &(*name)->next;
	return name;
}

static int add(struct store_mem *mem, const char *key, struct content *content)
{
	struct name *name;

	if (*find(mem, key))
		return -EEXIST;
	name = calloc(1, sizeof(*name));
	if (!name)
		return -ENOMEM;
	snprintf(name->key, sizeof(name->key), "%s", key);
	name->content = content;
	content->links++;
	name->next = mem->names;
	mem->names = name;
	return 0;
}

static void content_unlink(struct content *content)
{
	if (--content->links > 0)
		return;
	close(content->fd);
	free(content);
}

static int drop(struct store_mem *mem, const char *key)
{
	struct name **link = find(mem, key), *name = *link;

	if (!name)
		return -ENOENT;
	*link = name->next;
	content_unlink(name->content);
	free(name);
	return 0;
}

static void format_key(const struct object_place *place, char ret_key[KEY_SIZE])
{
	snprintf(ret_key, KEY_SIZE, "%s/%s", place->tenant_code, place->path);
}

/* Another description of the same file: an offset and flags of its own. */
static int open_again(int fd, int flags)
{
	char path[DESCRIPTOR_PATH_SIZE];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

/* --- spools ---------------------------------------------------------------------------------------------------------
 */

static int mem_spool_create(struct store *store, struct spool *ret_spool)
{
	struct store_mem *mem = MEM(store);
	int fd = memfd_create("spool", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	pthread_mutex_lock(&mem->lock);
	*ret_spool = (struct spool){.fd = fd, .number = mem->next_number++};
	pthread_mutex_unlock(&mem->lock);
	return 0;
}

/* Gives what is behind the descriptor a name; the caller keeps its descriptor. */
static int add_descriptor(struct store_mem *mem, int fd, const char *key)
{
	struct content *content = calloc(1, sizeof(*content));
	int r = content ? 0 : -ENOMEM;

	if (r == 0) {
		content->fd = open_again(fd, O_RDWR);
		r = content->fd < 0 ? content->fd : 0;
	}
	if (r == 0) {
		pthread_mutex_lock(&mem->lock);
		r = add(mem, key, content);
		pthread_mutex_unlock(&mem->lock);
		if (r < 0)
			close(content->fd);
	}
	if (r < 0)
		free(content);
	return r;
}

static int mem_spool_name(struct store *store, struct spool *spool)
{
	char key[KEY_SIZE];
	int r;

	snprintf(spool->name, sizeof(spool->name), "%016" PRIx64, spool->number);
	snprintf(key, sizeof(key), "/%s", spool->name);
	r = add_descriptor(MEM(store), spool->fd, key);
	spool->is_named = r == 0;
	return r;
}

static void drop_spool_name(struct store_mem *mem, struct spool *spool)
{
	char key[KEY_SIZE];

	if (!spool->is_named)
		return;
	snprintf(key, sizeof(key), "/%s", spool->name);
	pthread_mutex_lock(&mem->lock);
	drop(mem, key);
	pthread_mutex_unlock(&mem->lock);
	spool->is_named = false;
}

static void mem_spool_discard(struct store *store, struct spool *spool)
{
	drop_spool_name(MEM(store), spool);
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

static int mem_spool_sync(struct store *store, struct spool *spool)
{
	return spool->is_named ? 0 : mem_spool_name(store, spool);
}

static int open_key(struct store_mem *mem, const char *key, int flags, int *ret_fd)
{
	struct name *name;
	int fd = -ENOENT;

	pthread_mutex_lock(&mem->lock);
	name = *find(mem, key);
	if (name)
		fd = open_again(name->content->fd, flags);
	pthread_mutex_unlock(&mem->lock);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int mem_spool_open_named(struct store *store, const char *name, struct spool *ret_spool)
{
	struct spool spool = {.fd = -1, .is_named = true, .number = strtoull(name, NULL, 16)};
	char key[KEY_SIZE];
	int r;

	snprintf(key, sizeof(key), "/%s", name);
	snprintf(spool.name, sizeof(spool.name), "%s", name);
	r = open_key(MEM(store), key, O_RDWR, &spool.fd);
	if (r == 0)
		*ret_spool = spool;
	return r;
}

static int mem_open(struct store *store, const struct object_place *place, int flags, int *ret_fd)
{
	char key[KEY_SIZE];

	format_key(place, key);
	return open_key(MEM(store), key, flags, ret_fd);
}

static int mem_spool_clone(struct store *store, struct spool *spool, const struct object_place *place,
			   uint64_t size_bytes)
{
	autoclose int fd = -1;
	int r = mem_open(store, place, O_RDONLY, &fd);

	return r < 0 ? r : copy_bytes(fd, spool->fd, size_bytes, false);
}

static int mem_spool_publish(struct store *store, struct spool *spool, const struct object_place *place)
{
	char key[KEY_SIZE];
	int r;

	format_key(place, key);
	r = add_descriptor(MEM(store), spool->fd, key);
	if (r == 0)
		drop_spool_name(MEM(store), spool);
	return r;
}

/* --- objects --------------------------------------------------------------------------------------------------------
 */

static int stat_name(const struct name *name, struct stat *ret_stat)
{
	if (fstat(name->content->fd, ret_stat) < 0)
		return -errno;
	ret_stat->st_nlink = name->content->links;
	return 0;
}

static int mem_stat(struct store *store, const struct object_place *place, struct stat *ret_stat)
{
	struct store_mem *mem = MEM(store);
	char key[KEY_SIZE];
	const struct name *name;
	int r;

	format_key(place, key);
	pthread_mutex_lock(&mem->lock);
	name = *find(mem, key);
	r = name ? stat_name(name, ret_stat) : -ENOENT;
	pthread_mutex_unlock(&mem->lock);
	return r;
}

static int mem_remove(struct store *store, const struct object_place *place)
{
	struct store_mem *mem = MEM(store);
	char key[KEY_SIZE];
	int r;

	format_key(place, key);
	pthread_mutex_lock(&mem->lock);
	r = drop(mem, key);
	pthread_mutex_unlock(&mem->lock);
	return r;
}

static int share_names(struct name *first, struct name *second)
{
	struct stat a, b;
	int r;

	if (first->content == second->content)
		return 0;
	if (fstat(first->content->fd, &a) < 0 || fstat(second->content->fd, &b) < 0)
		return -errno;
	if (a.st_size != b.st_size || a.st_size == 0)
		return 0;
	if (first->content->links >= LINKS_MAX)
		return -EMLINK;
	r = copy_is_equal(first->content->fd, second->content->fd, (uint64_t)a.st_size);
	if (r <= 0)
		return r;
	content_unlink(second->content);
	second->content = first->content;
	first->content->links++;
	return 1;
}

static int mem_share(struct store *store, const struct object_place *first, const struct object_place *second)
{
	struct store_mem *mem = MEM(store);
	char first_key[KEY_SIZE], second_key[KEY_SIZE];
	struct name *a, *b;
	int r = -ENOENT;

	format_key(first, first_key);
	format_key(second, second_key);
	pthread_mutex_lock(&mem->lock);
	a = *find(mem, first_key);
	b = *find(mem, second_key);
	if (a && b)
		r = share_names(a, b);
	pthread_mutex_unlock(&mem->lock);
	return r;
}

static int mem_sync(struct store *store, const struct object_place *place)
{
	struct stat stat;

	return mem_stat(store, place, &stat);
}

static int mem_sync_all(struct store *store)
{
	(void)store;
	return 0;
}

static int mem_remove_tenant(struct store *store, const char *tenant_code)
{
	struct store_mem *mem = MEM(store);
	size_t length = strlen(tenant_code);

	pthread_mutex_lock(&mem->lock);
	for (struct name **link = &mem->names; *link;) {
		struct name *name = *link;

		if (strncmp(name->key, tenant_code, length) != 0 || name->key[length] != '/') {
			link = &name->next;
			continue;
		}
		*link = name->next;
		content_unlink(name->content);
		free(name);
	}
	pthread_mutex_unlock(&mem->lock);
	return 0;
}

/* --- lists ----------------------------------------------------------------------------------------------------------
 */

/* The keys, so that visitors may call the store. The caller frees. */
static char *copy_keys(struct store_mem *mem, size_t *ret_count)
{
	size_t count = 0;
	char *keys;

	pthread_mutex_lock(&mem->lock);
	for (const struct name *name = mem->names; name; name = name->next)
		count++;
	keys = calloc(count + 1, KEY_SIZE);
	*ret_count = count;
	for (const struct name *name = mem->names; keys && name; name = name->next)
		memcpy(keys + --count * KEY_SIZE, name->key, KEY_SIZE);
	pthread_mutex_unlock(&mem->lock);
	return keys;
}

static int visit_key(struct store_mem *mem, const char *key, size_t prefix, store_visit_fn *visit, void *context)
{
	struct stat stat;
	const struct name *name;
	int r;

	pthread_mutex_lock(&mem->lock);
	name = *find(mem, key);
	r = name ? stat_name(name, &stat) : -ENOENT;
	pthread_mutex_unlock(&mem->lock);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return visit(key + prefix, &stat, context);
}

static int mem_list(struct store *store, const char *tenant_code, store_visit_fn *visit, void *context)
{
	size_t count, length = tenant_code ? strlen(tenant_code) : 0;
	autofree char *keys = copy_keys(MEM(store), &count);
	bool is_known = !tenant_code;
	int r = keys ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *key = keys + i * KEY_SIZE;

		if (strncmp(key, tenant_code ? tenant_code : "", length) != 0 || key[length] != '/')
			continue;
		is_known = true;
		r = visit_key(MEM(store), key, length + 1, visit, context);
	}
	return r == 0 && !is_known ? -ENOENT : r;
}

static int mem_list_tenants(struct store *store, store_visit_fn *visit, void *context)
{
	static const struct stat folder = {.st_mode = S_IFDIR | 0700, .st_nlink = 2};
	size_t count;
	autofree char *keys = copy_keys(MEM(store), &count);
	int r = keys ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		char *key = keys + i * KEY_SIZE;
		bool is_first = key[0] != '/';

		*strchr(key, '/') = '\0';
		for (size_t j = 0; is_first && j < i; j++)
			is_first = strcmp(keys + j * KEY_SIZE, key) != 0;
		if (is_first)
			r = visit(key, &folder, context);
	}
	return r;
}

static int mem_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context)
{
	(void)store;
	(void)is_wanted;
	(void)context;
	return 0; /* what is named was named by this process */
}

/* --- the store ------------------------------------------------------------------------------------------------------
 */

static void remove_journals(struct store_mem *mem)
{
	DIR *listing = fdopendir(mem->journal_fd);
	const struct dirent *entry;

	while (listing && (entry = readdir(listing)) != NULL)
		unlinkat(mem->journal_fd, entry->d_name, 0);
	if (listing)
		closedir(listing);
	rmdir(mem->journal_path);
}

static void mem_close(struct store *store)
{
	struct store_mem *mem = MEM(store);

	while (mem->names) {
		struct name *name = mem->names;

		mem->names = name->next;
		content_unlink(name->content);
		free(name);
	}
	remove_journals(mem);
	pthread_mutex_destroy(&mem->lock);
	free(mem);
}

static const struct store_abilities *mem_abilities(struct store *store)
{
	return &MEM(store)->abilities;
}

static int mem_journal_dir(struct store *store)
{
	return MEM(store)->journal_fd;
}

static int mem_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	*ret_free_bytes = MEM(store)->abilities.free_bytes;
	*ret_total_bytes = MEM(store)->abilities.total_bytes;
	return 0;
}

static const struct store_layer layer = {
	.close = mem_close,
	.abilities = mem_abilities,
	.journal_dir = mem_journal_dir,
	.free_space = mem_free_space,
	.spool_create = mem_spool_create,
	.spool_discard = mem_spool_discard,
	.spool_name = mem_spool_name,
	.spool_sync = mem_spool_sync,
	.spool_open_named = mem_spool_open_named,
	.spool_clone = mem_spool_clone,
	.spool_publish = mem_spool_publish,
	.open = mem_open,
	.stat = mem_stat,
	.remove = mem_remove,
	.share = mem_share,
	.sync = mem_sync,
	.sync_all = mem_sync_all,
	.remove_tenant = mem_remove_tenant,
	.list = mem_list,
	.list_tenants = mem_list_tenants,
	.sweep = mem_sweep,
};

/* Only the journal wants a folder of files: it gets one that goes with the store. */
int store_mem_new(struct store **ret_store)
{
	struct store_mem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return -ENOMEM;
	snprintf(mem->journal_path, sizeof(mem->journal_path), "/tmp/tenantfs-journal-XXXXXX");
	mem->journal_fd = mkdtemp(mem->journal_path) ? open(mem->journal_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (mem->journal_fd < 0) {
		int r = -errno;

		free(mem);
		return r;
	}
	pthread_mutex_init(&mem->lock, NULL);
	mem->store.layer = &layer;
	mem->next_number = 1;
	mem->abilities = (struct store_abilities){
		.has_tmpfile = true, .has_hard_links = true, .free_bytes = MEM_BYTES, .total_bytes = MEM_BYTES};
	*ret_store = &mem->store;
	return 0;
}
