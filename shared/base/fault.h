/*
 * Named places where a test ends the process as SIGKILL would, to see what a crash exactly there leaves behind.
 *
 *   TENANTFS_FAULT=journal_append_after:3    the third time that place is passed
 *
 * Compiled in with TENANTFS_DEBUG or TENANTFS_FAULTS only; otherwise a place costs nothing and the variable means
 * nothing.
 */
#pragma once

#if defined(TENANTFS_DEBUG) || defined(TENANTFS_FAULTS)
/* Thread-safe: passes are counted over all threads. */
void fault_point(const char *name);
#define FAULT_POINT(name) fault_point(name)
/* The same as the variable, for a test that forks: "name:count", NULL for none. Before other threads run. */
void fault_set(const char *plan);
#else
#define FAULT_POINT(name) ((void)0)
#endif
