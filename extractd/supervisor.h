/* The main thread of extractd: the lanes, their children, signals, the end. It never waits for PostgreSQL or a disk. */
#pragma once
#include <signal.h>
#include "extractd/exchange.h"
#include "extractd/settings.h"

/*
 * Runs until SIGTERM or SIGINT (signals: blocked in all threads), then lets what runs finish for a moment and gives
 * back the rest. The exit status. EXIT_FAILURE: workers cannot be had at all (the reason is logged).
 */
int supervisor_run(const struct extract_settings *settings, struct exchange *exchange, const sigset_t *signals);
