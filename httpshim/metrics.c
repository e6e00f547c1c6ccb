#include "httpshim/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "httpshim/connection.h"
#include "httpshim/route.h"
#include "httpshim/server.h"
#include "httpshim/workers.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"

enum { STATUS_CLASSES = 6, BUCKETS = 12 };

static const int64_t bucket_us[BUCKETS] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000, 10000000};

struct route_metrics {
	_Atomic uint64_t by_class[STATUS_CLASSES];
	_Atomic uint64_t buckets[BUCKETS + 1];
	_Atomic uint64_t duration_us;
};

struct metrics {
	_Atomic uint64_t values[METRIC_COUNT];
	int route_count;
	struct route_metrics routes[]; /* one more: requests that no route fitted */
};

static const struct {
	const char *name, *about;
} names[METRIC_COUNT] = {
	[METRIC_BYTES_IN] = {"tenantfs_http_received_bytes_total", "Bytes of bodies received"},
	[METRIC_BYTES_OUT] = {"tenantfs_http_sent_bytes_total", "Bytes of bodies sent"},
	[METRIC_CACHE_HITS] = {"tenantfs_http_cache_hits_total", "Metadata answered from memory or Redis"},
	[METRIC_CACHE_MISSES] = {"tenantfs_http_cache_misses_total", "Metadata read from PostgreSQL"},
	[METRIC_RATE_LIMITED] = {"tenantfs_http_rate_limited_total", "Requests refused with 429"},
	[METRIC_CUT_OFF] = {"tenantfs_http_slow_connections_total", "Connections cut off for being too slow"},
	[METRIC_UPLOADS] = {"tenantfs_http_uploads_total", "Files stored"},
	[METRIC_UPLOADS_REFUSED] = {"tenantfs_http_uploads_refused_total", "Files refused by a rule, a quota or the storage"},
	[METRIC_ASSEMBLIES] = {"tenantfs_http_assemblies_total", "Chunked uploads put together"},
	[METRIC_ASSEMBLY_FAILURES] = {"tenantfs_http_assembly_failures_total", "Chunked uploads that could not be"},
};

int metrics_new(int route_count, struct metrics **ret_metrics)
{
	struct metrics *metrics;

	metrics = calloc(1, sizeof(*metrics) + ((size_t)route_count + 1) * sizeof(struct route_metrics));
	if (!metrics)
		return -ENOMEM;
	metrics->route_count = route_count;
	*ret_metrics = metrics;
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

static void count(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t value)
{
	count(&metrics->values[metric], value);
}

void metrics_request(struct metrics *metrics, int route_number, int status, int64_t duration_ns)
{
	struct route_metrics *route = &metrics->routes[route_number < 0 ? metrics->route_count : route_number];
	int64_t duration_us = duration_ns / 1000;
	int bucket = 0;

	while (bucket < BUCKETS && duration_us > bucket_us[bucket])
		bucket++;
	count(&route->by_class[status >= 100 && status < 600 ? status / 100 : 0], 1);
	count(&route->buckets[bucket], 1);
	count(&route->duration_us, (uint64_t)duration_us);
}

static void put_value(struct buf *buf, const char *name, const char *kind, const char *about, uint64_t value)
{
	buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, about, name, kind, name, value);
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	/* C17's atomic_load takes no pointer to const. */
	return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)counter, memory_order_relaxed);
}

static void put_route_label(struct buf *buf, int number)
{
	const struct route *route = route_at(number);

	if (route)
		buf_printf(buf, "method=\"%s\",route=\"%s\"", route->method, route->path);
	else
		buf_puts(buf, "method=\"\",route=\"\"");
}

static void put_requests(const struct metrics *metrics, struct buf *buf)
{
	buf_puts(buf, "# HELP tenantfs_http_requests_total Requests answered\n# TYPE tenantfs_http_requests_total counter\n");
	for (int i = 0; i <= metrics->route_count; i++) {
		for (int class = 0; class < STATUS_CLASSES; class++) {
			uint64_t value = load(&metrics->routes[i].by_class[class]);

			if (value == 0)
				continue;
			buf_puts(buf, "tenantfs_http_requests_total{");
			put_route_label(buf, i);
			buf_printf(buf, ",status=\"%dxx\"} %" PRIu64 "\n", class, value);
		}
	}
}

static void put_durations(const struct metrics *metrics, struct buf *buf)
{
	static const char name[] = "tenantfs_http_request_duration_seconds";

	buf_printf(buf, "# HELP %s From the request line to the end of the answer\n# TYPE %s histogram\n", name, name);
	for (int i = 0; i <= metrics->route_count; i++) {
		const struct route_metrics *route = &metrics->routes[i];
		uint64_t sum = 0;

		for (int bucket = 0; bucket <= BUCKETS; bucket++)
			sum += load(&route->buckets[bucket]);
		if (sum == 0)
			continue;
		sum = 0;
		for (int bucket = 0; bucket <= BUCKETS; bucket++) {
			sum += load(&route->buckets[bucket]);
			buf_printf(buf, "%s_bucket{", name);
			put_route_label(buf, i);
			if (bucket < BUCKETS)
				buf_printf(buf, ",le=\"%g\"} %" PRIu64 "\n", (double)bucket_us[bucket] / 1e6, sum);
			else
				buf_printf(buf, ",le=\"+Inf\"} %" PRIu64 "\n", sum);
		}
		buf_printf(buf, "%s_sum{", name);
		put_route_label(buf, i);
		buf_printf(buf, "} %.6f\n%s_count{", (double)load(&route->duration_us) / 1e6, name);
		put_route_label(buf, i);
		buf_printf(buf, "} %" PRIu64 "\n", sum);
	}
}

int metrics_put(struct server *server, struct buf *buf)
{
	const struct metrics *metrics = server->metrics;

	for (int i = 0; i < METRIC_COUNT; i++)
		put_value(buf, names[i].name, "counter", names[i].about, load(&metrics->values[i]));
	put_value(buf, "tenantfs_http_connections", "gauge", "Connections open", connections_count(server->connections));
	put_value(buf, "tenantfs_http_active_requests", "gauge", "Requests under way",
		  (uint64_t)atomic_load_explicit(&server->active, memory_order_relaxed));
	put_value(buf, "tenantfs_http_waiting_jobs", "gauge", "Jobs that no worker has taken yet",
		  (uint64_t)workers_waiting(server->workers));
	put_requests(metrics, buf);
	put_durations(metrics, buf);
	return buf_error(buf);
}
