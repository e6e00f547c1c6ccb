#include "extractd/held.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void held_release(struct held *held)
{
	free(held->tenant_ids);
	for (int lane = 0; lane < JOB_LANE_COUNT; lane++)
		free(held->jobs[lane]);
	*held = (struct held){0};
}

static int grow_one(int64_t **column, int capacity)
{
	int64_t *grown = reallocarray(*column, (size_t)capacity, sizeof(**column));

	if (!grown)
		return -ENOMEM;
	*column = grown;
	return 0;
}

static int grow(struct held *held)
{
	int capacity = held->capacity > 0 ? held->capacity * 2 : 16, r = grow_one(&held->tenant_ids, capacity);

	for (int lane = 0; lane < JOB_LANE_COUNT; lane++)
		r = r ?: grow_one(&held->jobs[lane], capacity);
	if (r == 0)
		held->capacity = capacity;
	return r;
}

static bool has_any(const struct held *held, int i)
{
	for (int lane = 0; lane < JOB_LANE_COUNT; lane++)
		if (held->jobs[lane][i] > 0)
			return true;
	return false;
}

static void remove_tenant(struct held *held, int i)
{
	int last = --held->count;

	held->tenant_ids[i] = held->tenant_ids[last];
	for (int lane = 0; lane < JOB_LANE_COUNT; lane++)
		held->jobs[lane][i] = held->jobs[lane][last];
}

int held_add(struct held *held, int64_t tenant_id, enum job_lane lane, int change)
{
	int i = 0;

	while (i < held->count && held->tenant_ids[i] != tenant_id)
		i++;
	if (i == held->count) {
		if (held->count == held->capacity && grow(held) < 0)
			return -ENOMEM;
		held->tenant_ids[i] = tenant_id;
		for (int each = 0; each < JOB_LANE_COUNT; each++)
			held->jobs[each][i] = 0;
		held->count++;
	}
	held->jobs[lane][i] += change;
	held->total[lane] += change;
	if (!has_any(held, i))
		remove_tenant(held, i);
	return 0;
}

int held_total(const struct held *held, enum job_lane lane)
{
	return held->total[lane];
}

void held_lists(const struct held *held, enum job_lane lane, const int64_t **ret_tenant_ids, const int64_t **ret_counts,
		int *ret_count)
{
	*ret_tenant_ids = held->tenant_ids;
	*ret_counts = held->jobs[lane];
	*ret_count = held->count;
}
