#include "shared/base/fault.h"

#if defined(TENANTFS_DEBUG) || defined(TENANTFS_FAULTS)
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t fault_once = PTHREAD_ONCE_INIT;
static char *wanted_name;
static atomic_long passes_left;

static void take_plan(const char *plan)
{
	const char *colon = plan ? strrchr(plan, ':') : NULL;

	free(wanted_name);
	wanted_name = NULL;
	if (!plan || !*plan)
		return;
	wanted_name = colon ? strndup(plan, (size_t)(colon - plan)) : strdup(plan);
	passes_left = colon ? strtol(colon + 1, NULL, 10) : 1;
}

static void read_environment(void)
{
	take_plan(getenv("TENANTFS_FAULT"));
}

void fault_set(const char *plan)
{
	pthread_once(&fault_once, read_environment);
	take_plan(plan);
}

void fault_point(const char *name)
{
	pthread_once(&fault_once, read_environment);
	if (wanted_name && strcmp(wanted_name, name) == 0 && atomic_fetch_sub(&passes_left, 1) == 1) {
		kill(getpid(), SIGKILL);
		pause();
	}
}
#endif
