/* What extractd takes from the configuration, ready to use. Constant after the start, so any thread may read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "extractd/worker/limits.h"
#include "shared/meta/jobs.h"

struct config;

/*
 * Where a job of this process runs. Most files are small texts, and forking a process with a hundred libraries for each
 * costs more than reading it: so those have workers that know text, CSV and JSON alone. A file that turns out to be
 * something else is handed on.
 */
enum crew_kind { CREW_TEXT, CREW_DOCUMENTS, CREW_OCR, CREW_COUNT };

enum { LEASE_SLACK_MS = 30000 /* a lease outlives the deadline of its job by this */ };

struct extract_settings {
	const char *database_url, *redis_url, *base_path, *mount_path; /* mount_path NULL: none to tell */
	const char *ocr_languages;
	char worker_path[4096], text_worker_path[4096]; /* the latter is the former with -text behind it */
	uid_t worker_uid;
	gid_t worker_gid;
	int worker_nice;
	bool may_lack_landlock;
	int slots[CREW_COUNT]; /* jobs at a time; 0: that crew is off */
	struct limits limits[JOB_LANE_COUNT];
	int jobs_per_tenant;
	int poll_ms, file_cache_ttl_s;
};

/* -EINVAL: ret_error says what is wrong. config must outlive the settings. */
int settings_read(const struct config *config, struct extract_settings *ret_settings, char *ret_error,
		  size_t error_size);
/* The lane of the queue that a crew serves. */
static inline enum job_lane crew_lane(enum crew_kind kind)
{
	return kind == CREW_OCR ? JOB_LANE_OCR : JOB_LANE_NORMAL;
}

/* The limits of a try after so many failures: half as much each time. */
struct limits settings_lower_limits(const struct limits *limits, int failures);
