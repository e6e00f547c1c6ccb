/* Counters and latency histograms of the mount, as .stats shows them. Updated without a lock. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "fusefs/request.h"
#include "shared/base/buf.h"

/* Bucket n counts what took less than 2^n microseconds; the last one all that took longer. */
enum { STATS_BUCKETS = 24 };

struct operation_stats {
	_Atomic uint64_t buckets[STATS_BUCKETS];
	_Atomic uint64_t total_ns, errors;
};

struct stats {
	struct operation_stats operations[OPERATION_COUNT];
	_Atomic uint64_t parked, loads, load_failures, evictions, invalidations;
	_Atomic uint64_t lookup_hits, lookup_misses;
	_Atomic uint64_t read_bytes, written_bytes, published_files, refused_files, shared_objects;
};

void stats_operation(struct stats *stats, enum operation_id operation, int64_t duration_ns, int error);
/* The text of .stats, Prometheus exposition format. Appends to out. */
void stats_format(struct mount *mount, struct buf *out);
extern const char *const operation_names[OPERATION_COUNT];
