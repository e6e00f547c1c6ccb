/* Times: nanoseconds since 1970 UTC unless a name says otherwise. */
#pragma once
#include <stdint.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

int64_t clock_realtime_ns(void);
int64_t clock_monotonic_ns(void);
int64_t clock_boottime_ns(void); /* goes on while the machine sleeps: leases are measured with it */

enum { CLOCK_MONTH_SIZE = 8, CLOCK_RFC3339_SIZE = 40 };
/* "2026-11", UTC. */
void clock_format_month(int64_t time_ns, char ret_month[CLOCK_MONTH_SIZE]);
/* "2026-11-03T10:22:31.123456Z". */
void clock_format_rfc3339(int64_t time_ns, char ret_text[CLOCK_RFC3339_SIZE]);
/* True for YYYY-MM with a month of 01 to 12. length in bytes, no NUL needed. */
int clock_is_month(const char *name, unsigned long length);
