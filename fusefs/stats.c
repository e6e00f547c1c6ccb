#include "fusefs/stats.h"

#include <inttypes.h>
#include "fusefs/mount.h"
#include "shared/base/clock.h"
#include "shared/store/store.h"

const char *const operation_names[OPERATION_COUNT] = {
#define OPERATION(id, name, function) [OPERATION_##id] = name,
#include "fusefs/operations.h"
#undef OPERATION
};

static int bucket_of(int64_t duration_ns)
{
	uint64_t us = duration_ns > 0 ? (uint64_t)duration_ns / 1000 : 0;
	int bucket = us == 0 ? 0 : 64 - __builtin_clzll(us);

	return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

void stats_operation(struct stats *stats, enum operation_id operation, int64_t duration_ns, int error)
{
	struct operation_stats *own = &stats->operations[operation];

	atomic_fetch_add_explicit(&own->buckets[bucket_of(duration_ns)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&own->total_ns, (uint64_t)duration_ns, memory_order_relaxed);
	if (error < 0)
		atomic_fetch_add_explicit(&own->errors, 1, memory_order_relaxed);
}

static void put_histogram(struct buf *out, const char *name, const struct operation_stats *stats)
{
	uint64_t count = 0;

	for (int i = 0; i < STATS_BUCKETS; i++) {
		count += atomic_load_explicit(&stats->buckets[i], memory_order_relaxed);
		if (i < STATS_BUCKETS - 1)
			buf_printf(out, "tenantfs_operation_seconds_bucket{op=\"%s\",le=\"%g\"} %" PRIu64 "\n", name,
				   (double)(UINT64_C(1) << i) * 1e-6, count);
	}
	buf_printf(out, "tenantfs_operation_seconds_bucket{op=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, count);
	buf_printf(out, "tenantfs_operation_seconds_sum{op=\"%s\"} %.9f\n", name,
		   (double)atomic_load_explicit(&stats->total_ns, memory_order_relaxed) * 1e-9);
	buf_printf(out, "tenantfs_operation_seconds_count{op=\"%s\"} %" PRIu64 "\n", name, count);
	buf_printf(out, "tenantfs_operation_errors_total{op=\"%s\"} %" PRIu64 "\n", name,
		   atomic_load_explicit(&stats->errors, memory_order_relaxed));
}

static void put(struct buf *out, const char *name, const char *type, double value)
{
	buf_printf(out, "# TYPE tenantfs_%s %s\ntenantfs_%s %.17g\n", name, type, name, value);
}

static void put_durable(struct mount *mount, struct buf *out)
{
	struct durable_stats stats;

	durable_stats(mount->durable, &stats);
	put(out, "journal_pending_records", "gauge", (double)stats.pending_records);
	put(out, "journal_pending_bytes", "gauge", (double)stats.pending_bytes);
	put(out, "commits_total", "counter", (double)stats.commits);
	put(out, "commit_failures_total", "counter", (double)stats.commit_failures);
	put(out, "commit_seconds", "gauge", (double)stats.last_commit_ns * 1e-9);
	put(out, "commit_lag_seconds", "gauge", (double)stats.lag_ns * 1e-9);
	put(out, "database_connected", "gauge", stats.is_connected);
}

static void put_tenants(struct mount *mount, struct buf *out)
{
	int64_t held = 0, following = 0, read_only = 0, inodes = 0, entries = 0;
	struct tenant *tenant;

	for (int64_t slot = -1; (tenant = tenants_next(mount->tenants, slot)); slot = tenant->slot) {
		pthread_mutex_lock(&tenant->lock);
		held += tenant->state == TENANT_HELD;
		following += tenant->state == TENANT_FOLLOWING;
		read_only += tenant->is_read_only;
		inodes += (int64_t)tenant->tree.inodes.count;
		entries += (int64_t)tenant->tree.entries.count;
		pthread_mutex_unlock(&tenant->lock);
	}
	put(out, "tenants", "gauge", tenants_count(mount->tenants));
	put(out, "tenants_held", "gauge", (double)held);
	put(out, "tenants_following", "gauge", (double)following);
	put(out, "tenants_read_only", "gauge", (double)read_only);
	put(out, "cached_inodes", "gauge", (double)inodes);
	put(out, "cached_entries", "gauge", (double)entries);
	put(out, "cache_bytes", "gauge", (double)atomic_load(&mount->cache_used));
	put(out, "cache_limit_bytes", "gauge", (double)mount->options.cache_bytes);
}

static void put_counters(struct stats *stats, struct mount *mount, struct buf *out)
{
	put(out, "lookup_hits_total", "counter", (double)atomic_load(&stats->lookup_hits));
	put(out, "lookup_misses_total", "counter", (double)atomic_load(&stats->lookup_misses));
	put(out, "loads_total", "counter", (double)atomic_load(&stats->loads));
	put(out, "load_failures_total", "counter", (double)atomic_load(&stats->load_failures));
	put(out, "parked_total", "counter", (double)atomic_load(&stats->parked));
	put(out, "parked", "gauge", (double)atomic_load(&mount->parking.total));
	put(out, "invalidations_total", "counter", (double)atomic_load(&stats->invalidations));
	put(out, "read_bytes_total", "counter", (double)atomic_load(&stats->read_bytes));
	put(out, "written_bytes_total", "counter", (double)atomic_load(&stats->written_bytes));
	put(out, "published_files_total", "counter", (double)atomic_load(&stats->published_files));
	put(out, "refused_total", "counter", (double)atomic_load(&stats->refused_files));
	put(out, "shared_objects_total", "counter", (double)atomic_load(&stats->shared_objects));
}

void stats_format(struct mount *mount, struct buf *out)
{
	buf_puts(out, "# TYPE tenantfs_operation_seconds histogram\n");
	for (int i = 0; i < OPERATION_COUNT; i++)
		put_histogram(out, operation_names[i], &mount->stats.operations[i]);
	put_counters(&mount->stats, mount, out);
	put_durable(mount, out);
	put_tenants(mount, out);
	put(out, "uptime_seconds", "gauge", (double)(clock_realtime_ns() - mount->started_ns) * 1e-9);
	buf_printf(out, "# TYPE tenantfs_info gauge\ntenantfs_info{version=\"%s\"} 1\n", TENANTFS_VERSION);
}
