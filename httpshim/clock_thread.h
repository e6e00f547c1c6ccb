/* What happens every second: slow connections are cut off, counts go to Redis, parked requests look again. */
#pragma once

struct clock_thread;
struct server;

int clock_thread_start(struct server *server, struct clock_thread **ret_thread);
void clock_thread_stop(struct clock_thread *thread);
