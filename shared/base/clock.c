#include "shared/base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_realtime_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

int64_t clock_boottime_ns(void)
{
	return now_ns(CLOCK_BOOTTIME);
}

/* Seconds rounded down, so that times before 1970 keep a fraction of 0 to 999,999,999. */
static void split(int64_t time_ns, struct tm *ret_utc, int *ret_nanoseconds)
{
	int64_t seconds = time_ns / NS_PER_S, rest = time_ns % NS_PER_S;
	time_t whole;

	if (rest < 0) {
		rest += NS_PER_S;
		seconds--;
	}
	whole = (time_t)seconds;
	gmtime_r(&whole, ret_utc);
	*ret_nanoseconds = (int)rest;
}

void clock_format_month(int64_t time_ns, char ret_month[CLOCK_MONTH_SIZE])
{
	struct tm utc;
	int nanoseconds;

	split(time_ns, &utc, &nanoseconds);
	/* 64 bits of nanoseconds reach from 1677 to 2262: always four digits; the modulus tells the compiler. */
	snprintf(ret_month, CLOCK_MONTH_SIZE, "%04u-%02u", (unsigned)(utc.tm_year + 1900) % 10000U,
		 (unsigned)(utc.tm_mon + 1) % 100U);
}

void clock_format_rfc3339(int64_t time_ns, char ret_text[CLOCK_RFC3339_SIZE])
{
	struct tm utc;
	int nanoseconds;

	split(time_ns, &utc, &nanoseconds);
	snprintf(ret_text, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
		 (unsigned)(utc.tm_year + 1900) % 10000U, (unsigned)(utc.tm_mon + 1) % 100U,
		 (unsigned)utc.tm_mday % 100U, (unsigned)utc.tm_hour % 100U, (unsigned)utc.tm_min % 100U,
		 (unsigned)utc.tm_sec % 100U, (unsigned)nanoseconds / 1000U % 1000000U);
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int clock_is_month(const char *name, unsigned long length)
{
	int month;

	if (length != 7 || name[4] != '-')
		return 0;
	for (int i = 0; i < 7; i++) {
		if (i != 4 && !is_digit(name[i]))
			return 0;
	}
	month = (name[5] - '0') * 10 + (name[6] - '0');
	return month >= 1 && month <= 12;
}
