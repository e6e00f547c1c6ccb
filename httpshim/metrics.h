/* Counters for /metrics (Prometheus text format). All atomic; a scrape may see two that belong together a moment apart. */
#pragma once
#include <stdint.h>

struct buf;
struct metrics;
struct server;

enum metric {
	METRIC_BYTES_IN,
	METRIC_BYTES_OUT,
	METRIC_CACHE_HITS,
	METRIC_CACHE_MISSES,
	METRIC_RATE_LIMITED,
	METRIC_CUT_OFF, /* connections closed for being too slow */
	METRIC_UPLOADS,
	METRIC_UPLOADS_REFUSED,
	METRIC_ASSEMBLIES,
	METRIC_ASSEMBLY_FAILURES,
	METRIC_COUNT
};

int metrics_new(int route_count, struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics);
void metrics_add(struct metrics *metrics, enum metric metric, uint64_t value);
/* One request; route_number -1: none fitted. */
void metrics_request(struct metrics *metrics, int route_number, int status, int64_t duration_ns);
int metrics_put(struct server *server, struct buf *buf);
