/*
 * A private PostgreSQL and Redis for a group of tests: services_start() in the group's setup, services_stop() in its
 * teardown. They live in a temporary folder and end with the test program, however it ends.
 */
#pragma once

/* names: "postgres", "redis", or both with a blank between. 0, or -1 (said on stderr). */
int services_start(const char *names);
int services_stop(void);
const char *services_database_url(void); /* an empty database */
const char *services_redis_url(void);
const char *services_folder(void); /* for files of the test's own */
/* stop_postgres, crash_postgres, start_postgres, restart_postgres, stop_redis, redis (starts it). 0 or -1. */
int services_do(const char *command);
