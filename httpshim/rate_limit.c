#include "httpshim/rate_limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/metrics.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "shared/base/clock.h"
#include "shared/base/table.h"
#include "shared/cache/cache.h"

enum { WINDOW_S = 60, COUNTERS = 4096, PROBES = 8, KEY_SIZE = 384, EXCHANGED_AT_ONCE = 256 };

/* One caller in this window. What Redis knew at the last exchange, and what was counted here since. */
struct counter {
	int64_t window; /* its number since 1970; 0: free */
	int64_t known, since;
	char key[KEY_SIZE];
};

struct rate_limit {
	int64_t per_window;
	struct cache *cache;
	pthread_mutex_t lock; /* guards counters */
	struct counter *counters;
};

int rate_limit_new(int64_t requests_per_minute, struct cache *cache, struct rate_limit **ret_limit)
{
	struct rate_limit *limit = calloc(1, sizeof(*limit));

	if (!limit)
		return -ENOMEM;
	limit->per_window = requests_per_minute;
	limit->cache = cache;
	pthread_mutex_init(&limit->lock, NULL);
	if (requests_per_minute > 0) {
		limit->counters = calloc(COUNTERS, sizeof(*limit->counters));
		if (!limit->counters) {
			rate_limit_free(limit);
			return -ENOMEM;
		}
	}
	*ret_limit = limit;
	return 0;
}

void rate_limit_free(struct rate_limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_destroy(&limit->lock);
	free(limit->counters);
	free(limit);
}

/* The caller's counter of this window, or the one to take for it: a free or outdated one, else the first that was tried. */
static struct counter *find(struct rate_limit *limit, const char *key, int64_t window)
{
	uint64_t hash = table_hash_bytes(key, strlen(key), 0);
	struct counter *free_one = NULL;

	for (uint64_t i = 0; i < PROBES; i++) {
		struct counter *counter = &limit->counters[(hash + i) % COUNTERS];

		if (counter->window == window && strcmp(counter->key, key) == 0)
			return counter;
		if (!free_one && counter->window != window)
			free_one = counter;
	}
	if (!free_one)
		free_one = &limit->counters[hash % COUNTERS];
	*free_one = (struct counter){.window = window};
	memcpy(free_one->key, key, strlen(key) + 1);
	return free_one;
}

bool rate_limit_allows(struct request *request)
{
	struct rate_limit *limit = request->server->rate_limit;
	const struct principal *principal = &request->principal;
	int64_t now_s = clock_realtime_ns() / NS_PER_S, window = now_s / WINDOW_S;
	bool is_by_name = principal->is_known && !principal->is_anonymous, is_allowed;
	struct counter *counter;
	char key[KEY_SIZE];

	if (limit->per_window == 0 || request->route->flags & ROUTE_QUIET)
		return true;
	snprintf(key, sizeof(key), "%s:%s", is_by_name ? principal->tenant : "address",
		 is_by_name ? principal->subject : request->address);
	pthread_mutex_lock(&limit->lock);
	counter = find(limit, key, window);
	is_allowed = counter->known + counter->since < limit->per_window;
	if (is_allowed)
		counter->since++;
	pthread_mutex_unlock(&limit->lock);
	if (is_allowed)
		return true;
	metrics_add(request->server->metrics, METRIC_RATE_LIMITED, 1);
	answer_errorf(request, 429, "More than %lld requests in a minute.", (long long)limit->per_window);
	answer_header_replace(request, "Retry-After", WINDOW_S - now_s % WINDOW_S);
	return false;
}

struct exchange {
	size_t index;
	int64_t window, hits;
	char key[KEY_SIZE];
};

/* Copies out up to count counters that have something to tell, from *at on. */
static int collect(struct rate_limit *limit, size_t *at, struct exchange *exchanges, int count)
{
	int64_t window = clock_realtime_ns() / NS_PER_S / WINDOW_S;
	int found = 0;

	pthread_mutex_lock(&limit->lock);
	for (; *at < COUNTERS && found < count; ++*at) {
		struct counter *counter = &limit->counters[*at];

		if (counter->window != window)
			continue;
		exchanges[found].index = *at;
		exchanges[found].window = window;
		exchanges[found].hits = counter->since;
		memcpy(exchanges[found++].key, counter->key, KEY_SIZE);
	}
	pthread_mutex_unlock(&limit->lock);
	return found;
}

static void note(struct rate_limit *limit, const struct exchange *exchange, int64_t known)
{
	struct counter *counter = &limit->counters[exchange->index];

	pthread_mutex_lock(&limit->lock);
	if (counter->window == exchange->window && strcmp(counter->key, exchange->key) == 0) {
		counter->known = known;
		counter->since -= exchange->hits;
	}
	pthread_mutex_unlock(&limit->lock);
}

void rate_limit_exchange(struct rate_limit *limit)
{
	struct exchange *exchanges;
	size_t at = 0;
	int count, r = 0;

	if (limit->per_window == 0)
		return;
	exchanges = calloc(EXCHANGED_AT_ONCE, sizeof(*exchanges));
	if (!exchanges)
		return;
	while (r == 0 && (count = collect(limit, &at, exchanges, EXCHANGED_AT_ONCE)) > 0) {
		for (int i = 0; i < count && r == 0; i++) {
			char key[KEY_SIZE + 48];
			int64_t known;

			snprintf(key, sizeof(key), "rate:%lld:%s", (long long)exchanges[i].window, exchanges[i].key);
			r = cache_count_by(limit->cache, key, exchanges[i].hits, 2 * WINDOW_S, &known);
			if (r == 0)
				note(limit, &exchanges[i], known);
		}
	}
	free(exchanges);
}
