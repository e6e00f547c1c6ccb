#include "fusefs/loader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fusefs/loader_query.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/config/config.h"

enum { THREADS_MAX = 32, WORK_THREADS = 2, RETRY_MS = 100, CONNECT_MS = 2000 };

struct work {
	struct work *next;
	void (*run)(void *context);
	void *context;
};

struct loader {
	const char *database_url; /* the config's */
	int64_t patience_ns;
	pthread_t threads[THREADS_MAX], work_threads[WORK_THREADS];
	int thread_count, work_thread_count;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t loads_wait, work_waits;
	struct pending_load *first, *last;
	struct work *first_work, *last_work;
	bool is_ending;
};

static struct pending_load *take(struct loader *loader)
{
	struct pending_load *load;

	pthread_mutex_lock(&loader->lock);
	while (!loader->first && !loader->is_ending)
		pthread_cond_wait(&loader->loads_wait, &loader->lock);
	load = loader->first;
	if (load) {
		loader->first = load->next;
		if (!loader->first)
			loader->last = NULL;
	}
	pthread_mutex_unlock(&loader->lock);
	return load;
}

static bool is_ending(struct loader *loader)
{
	bool ending;

	pthread_mutex_lock(&loader->lock);
	ending = loader->is_ending;
	pthread_mutex_unlock(&loader->lock);
	return ending;
}

/* A connection that answers, or -EAGAIN. */
static int connect_database(struct loader *loader, struct db **db, int timeout_ms)
{
	if (timeout_ms > CONNECT_MS)
		timeout_ms = CONNECT_MS;
	if (!*db)
		return db_open(loader->database_url, "fusefs loader", timeout_ms, db);
	return db_is_lost(*db) ? db_reopen(*db, timeout_ms) : 0;
}

/* Tries until it is done, its deadline has passed or the loader ends. */
static void serve(struct loader *loader, struct db **db, struct pending_load *load)
{
	for (;;) {
		int64_t left_ms = (load->deadline_ns - clock_monotonic_ns()) / NS_PER_MS;
		int r;

		if (left_ms <= 0 || is_ending(loader)) {
			load_fail(load, -EIO);
			return;
		}
		r = connect_database(loader, db, (int)left_ms);
		if (r == 0) {
			db_set_timeout(*db, (int)left_ms);
			r = load_run(*db, load);
		}
		if (r == 0)
			return;
		if (r != -EAGAIN && *db && !db_is_lost(*db)) { /* our own mistake, or no memory: db logged it */
			load_fail(load, r == -ENOMEM ? r : -EIO);
			return;
		}
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * NS_PER_MS}, NULL);
	}
}

static void *load_thread(void *context)
{
	struct loader *loader = context;
	struct db *db = NULL;
	struct pending_load *load;

	while ((load = take(loader))) {
		serve(loader, &db, load);
		free(load);
	}
	db_close(db);
	return NULL;
}

static void *work_thread(void *context)
{
	struct loader *loader = context;

	pthread_mutex_lock(&loader->lock);
	for (;;) {
		struct work *work = loader->first_work;

		if (!work && loader->is_ending)
			break;
		if (!work) {
			pthread_cond_wait(&loader->work_waits, &loader->lock);
			continue;
		}
		loader->first_work = work->next;
		if (!work->next)
			loader->last_work = NULL;
		pthread_mutex_unlock(&loader->lock);
		work->run(work->context);
		free(work);
		pthread_mutex_lock(&loader->lock);
	}
	pthread_mutex_unlock(&loader->lock);
	return NULL;
}

int loader_new(const struct config *config, int threads, struct loader **ret_loader)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int r = 0;

	if (!loader)
		return -ENOMEM;
	loader->database_url = config_database_url(config);
	loader->patience_ns = config_int(config, SETTING_DEADLINE) * NS_PER_MS;
	pthread_mutex_init(&loader->lock, NULL);
	pthread_cond_init(&loader->loads_wait, NULL);
	pthread_cond_init(&loader->work_waits, NULL);
	for (; r == 0 && loader->thread_count < threads && loader->thread_count < THREADS_MAX;
	     loader->thread_count += r == 0)
		r = pthread_create(&loader->threads[loader->thread_count], NULL, load_thread, loader);
	for (; r == 0 && loader->work_thread_count < WORK_THREADS; loader->work_thread_count += r == 0)
		r = pthread_create(&loader->work_threads[loader->work_thread_count], NULL, work_thread, loader);
	if (r != 0) {
		loader_free(loader);
		return -r;
	}
	*ret_loader = loader;
	return 0;
}

/* What still waits is served by the threads on their way out: loads fail at once, work runs. */
void loader_free(struct loader *loader)
{
	if (!loader)
		return;
	pthread_mutex_lock(&loader->lock);
	loader->is_ending = true;
	pthread_cond_broadcast(&loader->loads_wait);
	pthread_cond_broadcast(&loader->work_waits);
	pthread_mutex_unlock(&loader->lock);
	for (int i = 0; i < loader->thread_count; i++)
		pthread_join(loader->threads[i], NULL);
	for (int i = 0; i < loader->work_thread_count; i++)
		pthread_join(loader->work_threads[i], NULL);
	pthread_cond_destroy(&loader->loads_wait);
	pthread_cond_destroy(&loader->work_waits);
	pthread_mutex_destroy(&loader->lock);
	free(loader);
}

static void enqueue(struct loader *loader, struct pending_load *load)
{
	pthread_mutex_lock(&loader->lock);
	if (loader->last)
		loader->last->next = load;
	else
		loader->first = load;
	loader->last = load;
	pthread_cond_signal(&loader->loads_wait);
	pthread_mutex_unlock(&loader->lock);
}

static struct pending_load *new_load(struct loader *loader, enum load_kind kind, int64_t tenant_id, const char *text,
				     size_t length, void *context)
{
	struct pending_load *load = calloc(1, sizeof(*load) + length + 1);

	if (!load)
		return NULL;
	load->kind = kind;
	load->deadline_ns = clock_monotonic_ns() + loader->patience_ns;
	load->tenant_id = tenant_id;
	load->length = length;
	load->context = context;
	if (length > 0)
		memcpy(load->text, text, length);
	return load;
}

/* The loads differ in what they keep; without memory they fail at once, on the caller's thread. */
#define LOAD(member, text, length, kind_, ...)                                                                         \
	struct pending_load *load = new_load(loader, kind_, tenant_id, text, length, context);                         \
	if (!load) {                                                                                                   \
		done(context, -ENOMEM, __VA_ARGS__);                                                                   \
		return;                                                                                                \
	}                                                                                                              \
	load->done.member = done

void loader_entry(struct loader *loader, int64_t tenant_id, int64_t parent_inode, const char *name, size_t length,
		  loader_entry_fn *done, void *context)
{
	LOAD(entry, name, length, LOAD_ENTRY, NULL, 0, false);
	load->number = parent_inode;
	enqueue(loader, load);
}

void loader_list(struct loader *loader, int64_t tenant_id, int64_t parent_inode, int64_t after_sequence, int limit,
		 loader_entry_fn *done, void *context)
{
	LOAD(entry, NULL, 0, LOAD_LIST, NULL, 0, false);
	load->number = parent_inode;
	load->value = after_sequence;
	load->limit = limit;
	enqueue(loader, load);
}

void loader_node(struct loader *loader, int64_t tenant_id, int64_t inode, loader_entry_fn *done, void *context)
{
	LOAD(entry, NULL, 0, LOAD_NODE, NULL, 0, false);
	load->number = inode;
	enqueue(loader, load);
}

void loader_file(struct loader *loader, int64_t tenant_id, const char *file_id, loader_entry_fn *done, void *context)
{
	LOAD(entry, file_id, strlen(file_id), LOAD_FILE, NULL, 0, false);
	enqueue(loader, load);
}

void loader_attributes(struct loader *loader, int64_t tenant_id, int64_t inode, loader_attributes_fn *done,
		       void *context)
{
	LOAD(attributes, NULL, 0, LOAD_ATTRIBUTES, NULL, 0);
	load->number = inode;
	enqueue(loader, load);
}

void loader_extraction(struct loader *loader, int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE],
		       int64_t text_limit_bytes, loader_extraction_fn *done, void *context)
{
	LOAD(extraction, NULL, 0, LOAD_EXTRACTION, NULL);
	memcpy(load->sha256, sha256, sizeof(load->sha256));
	load->value = text_limit_bytes;
	enqueue(loader, load);
}

void loader_tenant(struct loader *loader, const char *code, loader_tenants_fn *done, void *context)
{
	const int64_t tenant_id = 0;
	LOAD(tenants, code, strlen(code), LOAD_TENANT, NULL, 0);
	enqueue(loader, load);
}

void loader_tenant_by_id(struct loader *loader, int64_t tenant_id, loader_tenants_fn *done, void *context)
{
	LOAD(tenants, NULL, 0, LOAD_TENANT_BY_ID, NULL, 0);
	enqueue(loader, load);
}

void loader_tenants(struct loader *loader, loader_tenants_fn *done, void *context)
{
	const int64_t tenant_id = 0;
	LOAD(tenants, NULL, 0, LOAD_TENANTS, NULL, 0);
	enqueue(loader, load);
}

void loader_rejections(struct loader *loader, int64_t tenant_id, loader_text_fn *done, void *context)
{
	LOAD(text, NULL, 0, LOAD_REJECTIONS, NULL, 0);
	enqueue(loader, load);
}

void loader_tenant_stats(struct loader *loader, int64_t tenant_id, loader_text_fn *done, void *context)
{
	LOAD(text, NULL, 0, LOAD_TENANT_STATS, NULL, 0);
	enqueue(loader, load);
}

void loader_run(struct loader *loader, void (*run)(void *context), void *context)
{
	struct work *work = malloc(sizeof(*work));

	if (!work) { /* rather late than never: on this thread */
		log_warn("no memory to hand on work");
		run(context);
		return;
	}
	*work = (struct work){.run = run, .context = context};
	pthread_mutex_lock(&loader->lock);
	if (loader->last_work)
		loader->last_work->next = work;
	else
		loader->first_work = work;
	loader->last_work = work;
	pthread_cond_signal(&loader->work_waits);
	pthread_mutex_unlock(&loader->lock);
}
