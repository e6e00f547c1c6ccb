/*
 * The server: what all requests share, and the callbacks of libmicrohttpd.
 *
 * Three kinds of threads. libmicrohttpd's epoll threads read and write sockets and never wait. The workers (workers.h) do what waits,
 * while the request's connection is suspended. A few more turn in the background: the clock (deadlines, counts), the listener
 * (NOTIFY), assembly and sweeps.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "httpshim/auth.h"
#include "shared/model/jwt.h"

struct answer_cache;
struct background;
struct cache;
struct clock_thread;
struct config;
struct connections;
struct db_pool;
struct listener;
struct metrics;
struct mount;
struct name_hints;
struct parking;
struct rate_limit;
struct request;
struct tenant_cache;
struct token_cache;
struct workers;

struct server {
	const struct config *config;
	/* settings, constant after the start */
	enum auth_mode auth_mode;
	enum role anonymous_role;
	const char *default_tenant; /* "" when there is none */
	char *public_url; /* without a slash at its end, "" when not set */
	int64_t url_lifetime_s, upload_lifetime_s, chunk_bytes_max, summary_timeout_ms, min_bytes_per_s;
	int64_t job_cache_ttl_s, file_cache_ttl_s;

	struct jwt_key *key; /* NULL under AUTH=none without SECRET_KEY */
	struct db_pool *database;
	struct cache *cache;
	struct workers *workers;
	struct connections *connections;
	struct tenant_cache *tenants;
	struct token_cache *tokens;
	struct answer_cache *answers;
	struct rate_limit *rate_limit;
	struct metrics *metrics;
	struct mount *mount;
	struct parking *parking;
	struct name_hints *name_hints;
	struct listener *listener;
	struct clock_thread *clock;
	struct background *background;

	struct MHD_Daemon *daemons[8]; /* one an address */
	int daemon_count;
	atomic_bool is_draining;
	atomic_int active; /* requests under way */
	atomic_int streams; /* bodies coming in, for the size of their buffers */
};

/* Opens the addresses and serves. Errors are logged. */
int server_listen(struct server *server);
/* Not ready any more; takes no new connections after a moment; waits for what runs up to timeout_ms. */
void server_drain(struct server *server, int timeout_ms);
/* Ends the epoll threads. False: requests still run on workers, and nothing of the server may be freed. */
bool server_close(struct server *server);

