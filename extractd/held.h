/* How many jobs of which tenant this process has claimed and not finished. Belongs to the queue thread. */
#pragma once
#include <stdint.h>
#include "shared/meta/jobs.h"

struct held {
	int count, capacity;
	int64_t *tenant_ids;
	int64_t *jobs[JOB_LANE_COUNT]; /* beside tenant_ids */
	int total[JOB_LANE_COUNT];
};

void held_release(struct held *held);
/* change: +1 or -1. -ENOMEM. */
int held_add(struct held *held, int64_t tenant_id, enum job_lane lane, int change);
int held_total(const struct held *held, enum job_lane lane);
/* Borrowed until the next held_add. */
void held_lists(const struct held *held, enum job_lane lane, const int64_t **ret_tenant_ids, const int64_t **ret_counts,
		int *ret_count);
