#include "httpshim/parking.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "httpshim/request.h"
#include "httpshim/request_handle.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/table.h"

struct parking {
	pthread_mutex_t lock; /* guards all below */
	struct request *first;
	uint64_t wakes;
	struct workers *workers;
};

int parking_new(struct workers *workers, struct parking **ret_parking)
{
	struct parking *parking = calloc(1, sizeof(*parking));

	if (!parking)
		return -ENOMEM;
	pthread_mutex_init(&parking->lock, NULL);
	parking->workers = workers;
	*ret_parking = parking;
	return 0;
}

void parking_free(struct parking *parking)
{
	if (!parking)
		return;
	pthread_mutex_destroy(&parking->lock);
	free(parking);
}

uint64_t parking_ticket(struct parking *parking)
{
	uint64_t ticket;

	pthread_mutex_lock(&parking->lock);
	ticket = parking->wakes;
	pthread_mutex_unlock(&parking->lock);
	return ticket;
}

static void go_on(struct job *job)
{
	request_handle(container_of(job, struct request, job));
}

static void send_on(struct parking *parking, struct request *request)
{
	request->job.run = go_on;
	workers_submit(parking->workers, &request->job);
}

void parking_add(struct parking *parking, struct request *request)
{
	bool is_late;

	pthread_mutex_lock(&parking->lock);
	is_late = request->parking_ticket != parking->wakes;
	if (!is_late) {
		request->next_parked = parking->first;
		parking->first = request;
	}
	pthread_mutex_unlock(&parking->lock);
	if (is_late)
		send_on(parking, request);
}

void parking_wake(struct parking *parking, int64_t tenant_id)
{
	struct request *woken = NULL, *next;

	pthread_mutex_lock(&parking->lock);
	parking->wakes++;
	for (struct request **at = &parking->first; *at;) {
		struct request *request = *at;

		if (tenant_id != 0 && request->tenant && request->tenant->id != tenant_id) {
			at = &request->next_parked;
			continue;
		}
		*at = request->next_parked;
		request->next_parked = woken;
		woken = request;
	}
	pthread_mutex_unlock(&parking->lock);
	for (; woken; woken = next) {
		next = woken->next_parked;
		send_on(parking, woken);
	}
}
