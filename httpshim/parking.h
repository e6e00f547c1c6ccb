/*
 * Requests that wait for something without a thread: a dataset for its summary, a deletion for its end. Whoever hears of a change in a
 * tenant wakes those of that tenant; a slow poll wakes all of them now and then, since a notification may get lost.
 */
#pragma once
#include <stdint.h>

struct parking;
struct request;
struct workers;

int parking_new(struct workers *workers, struct parking **ret_parking);
void parking_free(struct parking *parking);

/*
 * Take the ticket before looking whether the wait is over; a wake in between then is not lost: parking_add() sends the request on
 * at once. The handler sets request->resume and returns REQUEST_PARKED.
 */
uint64_t parking_ticket(struct parking *parking);
void parking_add(struct parking *parking, struct request *request);
/* tenant_id 0: all. */
void parking_wake(struct parking *parking, int64_t tenant_id);
