#include "extractd/carrier.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/cache/cache.h"
#include "shared/db/db.h"

enum {
	CACHE_ITEMS_MAX = 4096, /* waiting; more are dropped */
	EVENTS_AT_ONCE = 500,
	STREAM_LENGTH_MAX = 100000,
	CONNECT_TIMEOUT_MS = 5000,
	PAUSE_MS = 1000, /* after a failure */
	SETTLE_MS = 20,	 /* commits come in bursts: one round for all of them */
	STOP_WAIT_MS = 3000
};
#define STREAM_KEY "tenantfs:events"

struct cache_item {
	struct cache_item *next;
	size_t length;
	char key[JOB_CACHE_KEY_SIZE];
	char value[];
};

struct carrier {
	const struct extract_settings *settings;
	pthread_t thread;
	int wake_fd;
	struct cache *cache; /* NULL: no Redis is configured */
	struct db *db;	     /* the thread's */
	bool is_down;	     /* said in the log */
	pthread_mutex_t lock;
	struct cache_item *items, **items_end; /* under lock */
	int item_count;
	bool is_stopping; /* under lock */
};

void carrier_wake(struct carrier *carrier)
{
	const uint64_t one = 1;

	while (write(carrier->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void carrier_cache(struct carrier *carrier, int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE],
		   const struct buf *letters)
{
	struct cache_item *item;

	if (!carrier->cache || letters->length == 0)
		return;
	item = malloc(sizeof(*item) + letters->length);
	if (!item)
		return;
	item->next = NULL;
	item->length = letters->length;
	job_cache_key(tenant_id, sha256, item->key);
	memcpy(item->value, letters->data, letters->length);
	pthread_mutex_lock(&carrier->lock);
	if (carrier->item_count < CACHE_ITEMS_MAX) {
		*carrier->items_end = item;
		carrier->items_end = &item->next;
		carrier->item_count++;
		item = NULL;
	}
	pthread_mutex_unlock(&carrier->lock);
	free(item);
}

static struct cache_item *take_items(struct carrier *carrier, bool *ret_is_stopping)
{
	struct cache_item *items;

	pthread_mutex_lock(&carrier->lock);
	items = carrier->items;
	carrier->items = NULL;
	carrier->items_end = &carrier->items;
	carrier->item_count = 0;
	*ret_is_stopping = carrier->is_stopping;
	pthread_mutex_unlock(&carrier->lock);
	return items;
}

/* The first failure makes the rest pointless: the cache is a hint. */
static void write_items(struct carrier *carrier, struct cache_item *items)
{
	bool is_up = true;

	while (items) {
		struct cache_item *item = items;

		items = item->next;
		if (is_up && cache_set(carrier->cache, item->key, item->value, item->length,
				       carrier->settings->file_cache_ttl_s) < 0)
			is_up = false;
		free(item);
	}
}

/* --- events ----------------------------------------------------------------------------------------------------- */

static int deliver(const struct job_event *event, void *context)
{
	struct carrier *carrier = context;
	char id[24], tenant_id[24], at[CLOCK_RFC3339_SIZE];
	const char *pairs[] = {"id",	    id,	       "kind",	  event->kind,	  "tenant", event->tenant_code,
			       "tenant_id", tenant_id, "payload", event->payload, "at",	    at,
			       NULL};

	if (!carrier->cache)
		return 0; /* there is nobody to tell, and nobody will come */
	snprintf(id, sizeof(id), "%lld", (long long)event->event_id);
	snprintf(tenant_id, sizeof(tenant_id), "%lld", (long long)event->tenant_id);
	clock_format_rfc3339(event->created_at_ns, at);
	return cache_stream_add(carrier->cache, STREAM_KEY, STREAM_LENGTH_MAX, pairs);
}

static int connect_database(struct carrier *carrier)
{
	int r = carrier->db
			? db_reopen(carrier->db, CONNECT_TIMEOUT_MS)
			: db_open(carrier->settings->database_url, "extractd events", CONNECT_TIMEOUT_MS, &carrier->db);

	/* Every commit of a mount may have left events. */
	return r ?: db_execute(carrier->db, "LISTEN tenantfs_commit");
}

/* 0: the outbox is empty. Negative: try again later. */
static int carry(struct carrier *carrier)
{
	int r = 0, count = EVENTS_AT_ONCE;

	if (!carrier->db || db_is_lost(carrier->db))
		r = connect_database(carrier);
	while (r == 0 && count == EVENTS_AT_ONCE)
		r = outbox_carry(carrier->db, EVENTS_AT_ONCE, deliver, carrier, &count);
	if (r < 0 && !carrier->is_down)
		log_warn("events wait: PostgreSQL or Redis is away", "error", log_errno(r));
	if (r == 0 && carrier->is_down)
		log_info("events are delivered again");
	carrier->is_down = r < 0;
	return r;
}

static void swallow_notifications(struct carrier *carrier)
{
	char channel[64], payload[64];

	while (carrier->db && !db_is_lost(carrier->db) &&
	       db_next_notification(carrier->db, channel, sizeof(channel), payload, sizeof(payload)) > 0)
		;
}

static void wait_for_work(struct carrier *carrier, int timeout_ms)
{
	struct pollfd ends[2] = {{.fd = carrier->wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	uint64_t count;

	if (carrier->db && !db_is_lost(carrier->db) && !carrier->is_down)
		ends[1].fd = db_socket(carrier->db);
	if (poll(ends, 2, timeout_ms) > 0 && ends[0].revents)
		while (read(carrier->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
}

static void *carrier_thread(void *argument)
{
	struct carrier *carrier = argument;
	bool is_stopping = false;

	while (!is_stopping) {
		int r;

		write_items(carrier, take_items(carrier, &is_stopping));
		r = carry(carrier);
		swallow_notifications(carrier);
		if (is_stopping)
			break;
		wait_for_work(carrier, r < 0 ? PAUSE_MS : carrier->settings->poll_ms);
		poll(NULL, 0, SETTLE_MS);
	}
	return NULL;
}

int carrier_start(const struct extract_settings *settings, struct carrier **ret_carrier)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));
	int r = 0;

	if (!carrier)
		return -ENOMEM;
	carrier->settings = settings;
	carrier->items_end = &carrier->items;
	pthread_mutex_init(&carrier->lock, NULL);
	carrier->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (carrier->wake_fd < 0)
		r = -errno;
	if (r == 0 && *settings->redis_url)
		r = cache_new(settings->redis_url, &carrier->cache);
	else
		log_info("no Redis is configured: results are not cached, events go nowhere");
	if (r == 0)
		r = -pthread_create(&carrier->thread, NULL, carrier_thread, carrier);
	if (r < 0) {
		cache_free(carrier->cache);
		free(carrier);
		return r;
	}
	*ret_carrier = carrier;
	return 0;
}

void carrier_stop(struct carrier *carrier)
{
	pthread_mutex_lock(&carrier->lock);
	carrier->is_stopping = true;
	pthread_mutex_unlock(&carrier->lock);
	carrier_wake(carrier);
	pthread_join(carrier->thread, NULL);
	db_close(carrier->db);
	cache_free(carrier->cache);
	close(carrier->wake_fd);
	pthread_mutex_destroy(&carrier->lock);
	free(carrier);
}
