#include "extractd/settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "shared/config/config.h"

enum { TIME_LEAST_MS = 1000 };
#define MEMORY_LEAST (128ULL << 20)

/* extract-worker lies beside extractd unless a setting says otherwise. */
static int find_worker(const struct config *config, struct extract_settings *settings, char *ret_error,
		       size_t error_size)
{
	const char *given = config_string(config, SETTING_WORKER_PATH);
	char *slash;
	ssize_t length;

	if (given) {
		snprintf(settings->worker_path, sizeof(settings->worker_path), "%s", given);
	} else {
		length = readlink("/proc/self/exe", settings->worker_path, sizeof(settings->worker_path) - 16);
		settings->worker_path[length > 0 ? length : 0] = '\0';
		slash = strrchr(settings->worker_path, '/');
		memcpy(slash ? slash + 1 : settings->worker_path, "extract-worker", sizeof("extract-worker"));
	}
	snprintf(settings->text_worker_path, sizeof(settings->text_worker_path), "%.4080s-text", settings->worker_path);
	if (access(settings->worker_path, X_OK) == 0)
		return 0;
	snprintf(ret_error, error_size, "%.200s: %s (WORKER_PATH)", settings->worker_path, strerror(errno));
	return -EINVAL;
}

static int find_user(const struct config *config, struct extract_settings *settings, char *ret_error, size_t error_size)
{
	const char *name = config_string(config, SETTING_WORKER_USER);
	const struct passwd *user = getpwnam(name);

	if (user && user->pw_uid != 0) {
		settings->worker_uid = user->pw_uid;
		settings->worker_gid = user->pw_gid;
		return 0;
	}
	if (geteuid() != 0)
		return 0; /* it stays who it is */
	snprintf(ret_error, error_size, "WORKER_USER: %s",
		 user ? "root is not a user to read strangers' files as" : "no such user");
	return -EINVAL;
}

static void read_limits(const struct config *config, struct extract_settings *settings)
{
	struct limits normal = {.text_bytes = (uint64_t)config_int(config, SETTING_EXTRACT_TEXT_LIMIT),
				.data_bytes = (uint64_t)config_int(config, SETTING_EXTRACT_DATA_LIMIT),
				.inflated_bytes = (uint64_t)config_int(config, SETTING_EXTRACT_INFLATED_LIMIT),
				.memory_bytes = (uint64_t)config_int(config, SETTING_EXTRACT_MEMORY),
				.pages = (uint32_t)config_int(config, SETTING_EXTRACT_PAGES),
				.depth = (uint32_t)config_int(config, SETTING_EXTRACT_DEPTH),
				.entries = (uint32_t)config_int(config, SETTING_EXTRACT_ENTRIES),
				.time_ms = (uint32_t)config_int(config, SETTING_EXTRACT_TIMEOUT)};

	settings->limits[JOB_LANE_NORMAL] = normal;
	normal.memory_bytes = (uint64_t)config_int(config, SETTING_OCR_MEMORY);
	normal.time_ms = (uint32_t)config_int(config, SETTING_OCR_TIMEOUT);
	settings->limits[JOB_LANE_OCR] = normal;
}

static void read_slots(const struct config *config, struct extract_settings *settings)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int workers = (int)config_int(config, SETTING_WORKERS);

	if (workers == 0)
		workers = processors > 0 ? (int)processors : 1;
	settings->slots[CREW_DOCUMENTS] = workers;
	settings->slots[CREW_TEXT] = access(settings->text_worker_path, X_OK) == 0 ? workers : 0;
	settings->slots[CREW_OCR] = config_bool(config, SETTING_OCR) ? (int)config_int(config, SETTING_OCR_WORKERS) : 0;
	settings->jobs_per_tenant = (int)config_int(config, SETTING_JOBS_PER_TENANT);
	if (settings->jobs_per_tenant == 0)
		settings->jobs_per_tenant = workers > 1 ? workers / 2 : 1;
}

int settings_read(const struct config *config, struct extract_settings *ret_settings, char *ret_error,
		  size_t error_size)
{
	struct extract_settings settings = {
		.database_url = config_database_url(config),
		.redis_url = config_redis_url(config),
		.base_path = config_string(config, SETTING_STORAGE_BASE_PATH),
		.mount_path = config_string(config, SETTING_TENANTFS_MOUNT),
		.ocr_languages = config_string(config, SETTING_OCR_LANGUAGES),
		.worker_uid = 65534,
		.worker_gid = 65534,
		.worker_nice = (int)config_int(config, SETTING_WORKER_NICE),
		.may_lack_landlock = strcmp(config_string(config, SETTING_EXTRACT_SANDBOX), "degraded") == 0,
		.poll_ms = (int)config_int(config, SETTING_POLL_INTERVAL),
		.file_cache_ttl_s = (int)(config_int(config, SETTING_FILE_CACHE_TTL) / 1000),
	};
	int r = find_worker(config, &settings, ret_error, error_size);

	r = r ?: find_user(config, &settings, ret_error, error_size);
	if (r < 0)
		return r;
	read_limits(config, &settings);
	read_slots(config, &settings);
	*ret_settings = settings;
	return 0;
}

static uint32_t lower(uint32_t value, int failures, uint32_t least)
{
	uint32_t lowered = value >> failures;

	return lowered >= least ? lowered : value < least ? value : least;
}

struct limits settings_lower_limits(const struct limits *limits, int failures)
{
	int halvings = failures < 0 ? 0 : failures < 8 ? failures : 8;
	struct limits lowered = *limits;

	lowered.text_bytes >>= halvings;
	lowered.data_bytes >>= halvings;
	lowered.inflated_bytes >>= halvings;
	lowered.memory_bytes >>= halvings;
	if (lowered.memory_bytes < MEMORY_LEAST)
		lowered.memory_bytes = limits->memory_bytes < MEMORY_LEAST ? limits->memory_bytes : MEMORY_LEAST;
	lowered.pages = lower(limits->pages, halvings, 1);
	lowered.entries = lower(limits->entries, halvings, 1);
	lowered.time_ms = lower(limits->time_ms, halvings, TIME_LEAST_MS);
	return lowered;
}
