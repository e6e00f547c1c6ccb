#include "httpshim/server_parts.h"

#include <errno.h>
#include <string.h>
#include "httpshim/answer_cache.h"
#include "httpshim/background.h"
#include "httpshim/clock_thread.h"
#include "httpshim/connection.h"
#include "httpshim/listen_socket.h"
#include "httpshim/listener.h"
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/name_hints.h"
#include "httpshim/page_files.h"
#include "httpshim/parking.h"
#include "httpshim/rate_limit.h"
#include "httpshim/route.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/token_cache.h"
#include "httpshim/workers.h"
#include "shared/base/log.h"
#include "shared/cache/cache.h"
#include "shared/config/config.h"
#include "shared/db/db.h"

static int fail(const char *what, int error)
{
	log_error("cannot start", "part", what, "error", log_errno(error));
	return error;
}

static int take_text_settings(struct server *server)
{
	const char *url = config_string(server->config, SETTING_PUBLIC_URL);
	const char *tenant = config_string(server->config, SETTING_DEFAULT_TENANT);
	size_t length = url ? strlen(url) : 0;

	while (length > 0 && url[length - 1] == '/')
		length--;
	server->public_url = strndup(url ? url : "", length);
	server->default_tenant = tenant ? tenant : "";
	return server->public_url ? 0 : -ENOMEM;
}

static void take_number_settings(struct server *server)
{
	const struct config *config = server->config;

	server->url_lifetime_s = config_int(config, SETTING_URL_LIFETIME) / 1000;
	server->upload_lifetime_s = config_int(config, SETTING_UPLOAD_LIFETIME) / 1000;
	server->chunk_bytes_max = config_int(config, SETTING_APP_MAX_CHUNK_SIZE);
	server->summary_timeout_ms = config_int(config, SETTING_SUMMARY_TIMEOUT);
	server->min_bytes_per_s = config_int(config, SETTING_HTTP_MIN_RATE);
	server->job_cache_ttl_s = config_int(config, SETTING_JOB_CACHE_TTL) / 1000;
	server->file_cache_ttl_s = config_int(config, SETTING_FILE_CACHE_TTL) / 1000;
}

/* Everybody may do everything, so nobody but this machine may reach it. */
static int check_addresses(const char *list)
{
	char address[256];

	while (*list) {
		size_t length;

		list += strspn(list, " ,");
		length = strcspn(list, ", ");
		if (length >= sizeof(address))
			return -ENAMETOOLONG;
		memcpy(address, list, length);
		address[length] = '\0';
		if (length > 0 && !listen_socket_is_local(address)) {
			log_error("AUTH=none serves on a loopback address alone", "address", address);
			return -EACCES;
		}
		list += length;
	}
	return 0;
}

static int take_auth(struct server *server)
{
	const char *mode = config_string(server->config, SETTING_AUTH);
	const char *secret = config_string(server->config, SETTING_SECRET_KEY);
	int r = 0;

	server->anonymous_role = role_parse(config_string(server->config, SETTING_ANONYMOUS_ROLE));
	server->auth_mode = strcmp(mode, "none") == 0 ? AUTH_NONE : strcmp(mode, "optional") == 0 ? AUTH_OPTIONAL : AUTH_REQUIRED;
	if (server->auth_mode == AUTH_NONE)
		r = check_addresses(config_listen(server->config));
	if (r < 0)
		return r;
	if (server->auth_mode == AUTH_NONE)
		log_warn("AUTH=none: everybody who reaches this may do everything");
	if (server->auth_mode == AUTH_OPTIONAL)
		log_warn("AUTH=optional: requests without a token are anonymous", "role", role_name(server->anonymous_role),
			 "tenant", server->default_tenant);
	if (secret)
		return jwt_key_new(secret, strlen(secret), &server->key);
	if (server->auth_mode == AUTH_NONE)
		return 0;
	log_error("SECRET_KEY is needed, 32 bytes at least");
	return -EINVAL;
}

static int make_connections(struct server *server)
{
	struct connection_limits limits = {
		.idle_ms = config_int(server->config, SETTING_HTTP_IDLE_TIMEOUT),
		.headers_ms = config_int(server->config, SETTING_HTTP_HEADER_TIMEOUT),
		.min_bytes_per_s = server->min_bytes_per_s,
	};

	return connections_new(&limits, &server->connections);
}

/* What needs nothing but memory. */
static int make_parts(struct server *server)
{
	const struct config *config = server->config;
	int r = 0;

	if (r == 0)
		r = db_pool_new(config_database_url(config), "httpshim", (int)config_int(config, SETTING_HTTP_DB_CONNECTIONS),
				&server->database);
	if (r == 0)
		r = cache_new(config_redis_url(config), &server->cache);
	if (r == 0)
		r = tenant_cache_new(config, server->database, &server->tenants);
	if (r == 0)
		r = token_cache_new(server->key, &server->tokens);
	if (r == 0)
		r = answer_cache_new(server->cache, &server->answers);
	if (r == 0)
		r = rate_limit_new(config_int(config, SETTING_RATE_LIMIT), server->cache, &server->rate_limit);
	if (r == 0)
		r = metrics_new(route_count(), &server->metrics);
	if (r == 0)
		r = mount_new(config_string(config, SETTING_TENANTFS_MOUNT), &server->mount);
	if (r == 0)
		r = name_hints_new(&server->name_hints);
	if (r == 0)
		r = make_connections(server);
	if (r == 0)
		r = page_files_init();
	return r;
}

static int start_threads(struct server *server)
{
	int r;

	r = workers_new((int)config_int(server->config, SETTING_HTTP_WORKERS), &server->workers);
	if (r == 0)
		r = parking_new(server->workers, &server->parking);
	if (r == 0)
		r = listener_start(server, &server->listener);
	if (r == 0)
		r = clock_thread_start(server, &server->clock);
	if (r == 0)
		r = background_start(server, &server->background);
	return r;
}

int server_init(struct server *server, const struct config *config)
{
	int r;

	*server = (struct server){.config = config};
	take_number_settings(server);
	r = take_text_settings(server);
	if (r == 0)
		r = take_auth(server);
	if (r < 0)
		return fail("settings", r);
	r = make_parts(server);
	if (r < 0)
		return fail("memory", r);
	r = start_threads(server);
	return r < 0 ? fail("threads", r) : 0;
}

void server_release(struct server *server)
{
	background_stop(server->background);
	clock_thread_stop(server->clock);
	listener_stop(server->listener);
	if (!workers_stop(server->workers, 5000))
		return; /* one hangs in the file system, and what it uses must stay */
	workers_free(server->workers);
	parking_free(server->parking);
	page_files_release();
	connections_free(server->connections);
	name_hints_free(server->name_hints);
	mount_free(server->mount);
	metrics_free(server->metrics);
	rate_limit_free(server->rate_limit);
	answer_cache_free(server->answers);
	token_cache_free(server->tokens);
	tenant_cache_free(server->tenants);
	cache_free(server->cache);
	db_pool_free(server->database);
	jwt_key_free(server->key);
}
