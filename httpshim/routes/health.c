/* Health, liveness, readiness, metrics. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "shared/cache/cache.h"
#include "shared/config/config.h"

enum { DATABASE_WAIT_MS = 1000 };

#define HEALTHY "healthy|unhealthy"

static const struct field storage_fields[] = {
	{.name = "total_bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "used_bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "free_bytes", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "percent_used", .type = FIELD_NUMBER, .flags = FIELD_REQUIRED},
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "healthy|warning|critical|emergency"},
	{0},
};
static const struct schema storage_schema = {.name = "Storage", .type = FIELD_OBJECT, .fields = storage_fields};
static const struct field health_fields[] = {
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = "healthy|degraded|unhealthy"},
	{.name = "version", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "database", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = HEALTHY},
	{.name = "redis", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = HEALTHY "|disabled"},
	{.name = "mount", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = HEALTHY},
	{.name = "extraction", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .words = HEALTHY "|unknown"},
	{.name = "storage", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .of = &storage_schema},
	{0},
};
static const struct schema health_schema = {.name = "Health", .type = FIELD_OBJECT, .fields = health_fields};
static const struct field state_fields[] = {
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
	{.name = "detail", .type = FIELD_STRING},
	{0},
};
static const struct schema state_schema = {.name = "State", .type = FIELD_OBJECT, .fields = state_fields};

struct health {
	bool has_database, has_redis, wants_redis, has_mount, has_storage;
	const char *extraction;
	uint64_t total_bytes, free_bytes;
};

static void ask_database(struct server *server, struct health *health)
{
	struct db_result *result autoresult = NULL;
	struct db *db;

	health->extraction = "unknown";
	if (db_pool_get(server->database, DATABASE_WAIT_MS, &db) < 0)
		return;
	if (db_run(db, QUERY_API_EXTRACTION_IS_RUNNING, NULL, &result) == 0 && db_rows(result) == 1) {
		health->has_database = true;
		health->extraction = db_get_bool(result, 0, 0) ? "healthy" : "unhealthy";
	}
	db_pool_put(server->database, db);
}

/* The disk below, where this process sees it; else what the mount says. */
static void ask_storage(struct server *server, struct health *health)
{
	const char *base = config_string(server->config, SETTING_STORAGE_BASE_PATH);
	struct statvfs space;

	if (base && statvfs(base, &space) == 0) {
		health->total_bytes = space.f_blocks * space.f_frsize;
		health->free_bytes = space.f_bavail * space.f_frsize;
		health->has_storage = true;
	} else {
		health->has_storage = mount_space(server->mount, &health->total_bytes, &health->free_bytes) == 0;
	}
}

static void put_storage(struct buf *buf, const struct health *health)
{
	uint64_t used = health->total_bytes - health->free_bytes;
	double percent = health->total_bytes ? 100.0 * (double)used / (double)health->total_bytes : 0;
	const char *status = percent >= 95 ? "emergency" : percent >= 90 ? "critical" : percent >= 85 ? "warning" : "healthy";

	if (!health->has_storage) {
		buf_puts(buf, "null");
		return;
	}
	buf_printf(buf,
		   "{\"total_bytes\":%" PRIu64 ",\"used_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64
		   ",\"percent_used\":%.1f,\"status\":\"%s\"}",
		   health->total_bytes, used, health->free_bytes, percent, status);
}

static const char *word(bool is_healthy)
{
	return is_healthy ? "healthy" : "unhealthy";
}

static int health(struct request *request)
{
	struct server *server = request->server;
	struct health health = {0};
	const char *status;
	bool is_serving;
	struct buf *buf;

	ask_database(server, &health);
	ask_storage(server, &health);
	health.wants_redis = *config_redis_url(server->config) != '\0';
	health.has_redis = health.wants_redis && cache_is_up(server->cache);
	health.has_mount = mount_is_up(server->mount);
	is_serving = health.has_database && health.has_mount;
	if (!is_serving)
		status = "unhealthy";
	else if ((health.wants_redis && !health.has_redis) || strcmp(health.extraction, "healthy") != 0)
		status = "degraded";
	else
		status = "healthy";
	buf = answer_begin(request, is_serving ? 200 : 503, "application/json");
	buf_printf(buf,
		   "{\"status\":\"%s\",\"version\":\"" TENANTFS_VERSION
		   "\",\"database\":\"%s\",\"redis\":\"%s\",\"mount\":\"%s\",\"extraction\":\"%s\",\"storage\":",
		   status, word(health.has_database), health.wants_redis ? word(health.has_redis) : "disabled",
		   word(health.has_mount), health.extraction);
	put_storage(buf, &health);
	buf_putc(buf, '}');
	if (!is_serving)
		answer_header_number(request, "Retry-After", RETRY_AFTER_S);
	return answer_end(request);
}

static bool live_fast(struct request *request)
{
	buf_puts(answer_begin(request, 200, "application/json"), "{\"status\":\"alive\"}");
	return answer_end(request) == 0;
}

static int live(struct request *request)
{
	return live_fast(request) ? 0 : -ENOMEM;
}

static int ready(struct request *request)
{
	struct health health = {0};

	if (atomic_load(&request->server->is_draining)) {
		buf_puts(answer_begin(request, 503, "application/json"), "{\"status\":\"stopping\",\"detail\":\"shutting down\"}");
		return answer_end(request);
	}
	ask_database(request->server, &health);
	health.has_mount = mount_is_up(request->server->mount);
	if (health.has_database && health.has_mount) {
		buf_puts(answer_begin(request, 200, "application/json"), "{\"status\":\"ready\"}");
		return answer_end(request);
	}
	buf_printf(answer_begin(request, 503, "application/json"), "{\"status\":\"not ready\",\"detail\":\"%s is away\"}",
		   health.has_database ? "the mount" : "PostgreSQL");
	answer_header_number(request, "Retry-After", RETRY_AFTER_S);
	return answer_end(request);
}

static int metrics(struct request *request)
{
	return metrics_put(request->server, answer_begin(request, 200, "text/plain; version=0.0.4; charset=utf-8"));
}

#define HEALTH_ROUTE(where, operation)                                                                                     \
	{                                                                                                                  \
		.method = "GET", .path = where, .flags = ROUTE_QUIET, .handler = health, .tag = "Health", .name = operation, \
		.about = "What works and what does not", .answers = {{200, &health_schema, "Serving", NULL},               \
								     {503, &health_schema, "Not serving", NULL}},          \
	}

const struct route health_routes[] = {
	HEALTH_ROUTE("/health", "health"),
	HEALTH_ROUTE("/api/v1/health", "apiHealth"),
	{.method = "GET", .path = "/livez", .flags = ROUTE_QUIET, .handler = live, .fast = live_fast, .tag = "Health", .name = "live",
	 .about = "This process answers; asks nobody else", .answers = {{200, &state_schema, "Alive", NULL}}},
	{.method = "GET", .path = "/readyz", .flags = ROUTE_QUIET, .handler = ready, .tag = "Health", .name = "ready",
	 .about = "Whether requests should be sent here", .answers = {{200, &state_schema, "Ready", NULL},
								      {503, &state_schema, "Not now", NULL}}},
	{.method = "GET", .path = "/metrics", .flags = ROUTE_QUIET, .handler = metrics, .tag = "Health", .name = "metrics",
	 .about = "Counters for Prometheus", .answers = {{200, NULL, "Text format", "text/plain"}}},
	{0},
};
