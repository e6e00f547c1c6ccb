#include "httpshim/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include "httpshim/access_log.h"
#include "httpshim/answer_send.h"
#include "httpshim/connection.h"
#include "httpshim/listen_socket.h"
#include "httpshim/metrics.h"
#include "httpshim/parking.h"
#include "httpshim/request.h"
#include "httpshim/request_handle.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/table.h"
#include "shared/config/config.h"
#include "shared/validate/validate.h"

enum {
	CONNECTION_MEMORY_BYTES = 64 << 10, /* headers and the read buffer of a connection, kept while it lives */
	FORM_OVERHEAD_BYTES = 1 << 20,	    /* what a form may hold beside its file */
};

static void *begin(void *context, const char *uri, struct MHD_Connection *mhd)
{
	struct request *request = request_new(context, uri);

	if (!request)
		return NULL;
	request->mhd = mhd;
	request->connection = connection_of(mhd);
	connection_enter(request->connection, CONNECTION_HEADERS);
	return request;
}

/* The whole body is one file, its length is told, and it is more than the tenant takes. */
static bool is_too_large(struct request *request)
{
	int64_t max;

	if (!(request->route->flags & ROUTE_FILE_SIZE) || !request->tenant || !request->tenant->rules || request->is_chunked)
		return false;
	max = rules_max_file_size(request->tenant->rules);
	if (max > INT64_MAX - FORM_OVERHEAD_BYTES || request->declared_bytes <= (uint64_t)max + FORM_OVERHEAD_BYTES)
		return false;
	answer_errorf(request, 413, "The file is larger than the %lld bytes that the tenant allows.", (long long)max);
	return true;
}

/* There is an answer already. A connection whose next request may begin anywhere is closed; else the body is read over. */
static enum MHD_Result answer_early(struct request *request)
{
	const char *expect = request_header(request, HEADER_EXPECT);

	if (request->wants_early_answer || (request->has_body && expect && strcasecmp(expect, "100-continue") == 0)) {
		request->answer.must_close = true;
		return answer_send(request) ? MHD_YES : MHD_NO;
	}
	body_refuse(request);
	return MHD_YES;
}

static void prepare(struct job *job)
{
	struct request *request = container_of(job, struct request, job);

	request_prepare(request);
	MHD_resume_connection(request->mhd);
	request_unref(request);
}

static enum MHD_Result go_on(struct request *request)
{
	if (request->answer.kind != ANSWER_NONE || is_too_large(request))
		return answer_early(request);
	connection_enter(request->connection, request->has_body ? CONNECTION_BODY : CONNECTION_WORK);
	return MHD_YES;
}

/* The headers are there. A tenant that must be looked up is looked up before the client is asked to send a body. */
static enum MHD_Result take_headers(struct request *request, const char *method, const char *version)
{
	char code[JWT_TENANT_SIZE];

	atomic_fetch_add_explicit(&request->server->active, 1, memory_order_relaxed);
	if (request->connection)
		memcpy(request->address, request->connection->address, sizeof(request->address));
	if (!request_begin(request, method, version))
		return answer_early(request);
	if (!(request->route->flags & ROUTE_TENANT) || !request->has_body || request->route->body == ROUTE_BODY_JSON)
		return go_on(request);
	if (request->route->flags & ROUTE_TENANT_IN_FORM && !auth_tenant_is_named(request))
		return go_on(request);
	if (!request_must_locate(request)) {
		if (!auth_tenant_code(request, code))
			return answer_early(request);
		request->tenant = tenant_cache_peek(request->server->tenants, code);
		if (request->tenant && request->tenant->is_active)
			return go_on(request);
		tenant_unref(request->tenant);
		request->tenant = NULL;
	}
	request->is_preparing = true;
	request->job.run = prepare;
	connection_enter(request->connection, CONNECTION_WORK);
	MHD_suspend_connection(request->mhd);
	workers_submit(request->server->workers, &request_ref(request)->job);
	return MHD_YES;
}

static void handle(struct job *job)
{
	request_handle(container_of(job, struct request, job));
}

/* The request is whole. */
static enum MHD_Result take_end(struct request *request)
{
	struct body *body = &request->body;
	bool is_answered;

	connection_enter(request->connection, CONNECTION_WORK);
	if (body->was_answered_raw)
		return MHD_NO;
	if (request->has_body || (request->route && request->route->body != ROUTE_BODY_NONE)) {
		is_answered = !body_end(request);
	} else {
		pthread_mutex_lock(&body->lock);
		is_answered = body->is_refused;
		if (!is_answered && request->route->fast && request->route->fast(request))
			is_answered = true;
		if (!is_answered) {
			body->has_ended = body->is_suspended = body->is_draining = true;
			MHD_suspend_connection(request->mhd);
			request->job.run = handle;
			workers_submit(request->server->workers, &request_ref(request)->job);
		}
		pthread_mutex_unlock(&body->lock);
	}
	if (!is_answered)
		return MHD_YES;
	return answer_send(request) ? MHD_YES : MHD_NO;
}

static enum MHD_Result access_handler(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
				      const char *version, const char *bytes, size_t *size, void **request_context)
{
	struct request *request = *request_context;

	(void)context;
	(void)url;
	(void)mhd;
	if (!request)
		return MHD_NO;
	if (!request->has_begun)
		return take_headers(request, method, version);
	if (request->is_preparing) {
		request->is_preparing = false;
		return go_on(request);
	}
	if (*size > 0) {
		size_t before = *size;
		bool is_good;

		connection_enter_body(request->connection);
		is_good = body_receive(request, bytes, size);
		connection_received(request->connection, before - *size);
		return is_good ? MHD_YES : MHD_NO;
	}
	return take_end(request);
}

static void completed(void *context, struct MHD_Connection *mhd, void **request_context,
		      enum MHD_RequestTerminationCode code)
{
	struct request *request = *request_context;
	struct server *server = context;
	int64_t duration_ns;
	int status;

	(void)mhd;
	if (!request)
		return;
	*request_context = NULL;
	connection_enter(request->connection, CONNECTION_IDLE);
	request->connection = NULL;
	if (request->has_begun) {
		/* 499 as nginx has it: the client went away first. */
		status = code == MHD_REQUEST_TERMINATED_COMPLETED_OK || request->body.was_answered_raw ? request->answer.status : 499;
		duration_ns = clock_monotonic_ns() - request->started_ns;
		metrics_request(server->metrics, request->route ? request->match.number : -1, status, duration_ns);
		metrics_add(server->metrics, METRIC_BYTES_IN, request->body.received);
		metrics_add(server->metrics, METRIC_BYTES_OUT, request->answer.sent_bytes);
		access_log_write(request, status, request->answer.sent_bytes, duration_ns);
		atomic_fetch_sub_explicit(&server->active, 1, memory_order_relaxed);
	}
	body_break(request);
	request_unref(request);
}

static void log_library(void *context, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
static void log_library(void *context, const char *format, va_list arguments)
{
	char text[512];

	(void)context;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libmicrohttpd", "text", text);
}

/* Unescaping is ours, a segment at a time. */
static size_t leave_escaped(void *context, struct MHD_Connection *mhd, char *text)
{
	(void)context;
	(void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *start(struct server *server, int socket, unsigned threads)
{
	const struct config *config = server->config;
	unsigned connections = (unsigned)config_int(config, SETTING_HTTP_CONNECTIONS);
	unsigned per_address = (unsigned)config_int(config, SETTING_HTTP_CONNECTIONS_PER_ADDRESS);
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_library, NULL},
		{MHD_OPTION_LISTEN_SOCKET, socket, NULL},
		{MHD_OPTION_THREAD_POOL_SIZE, threads, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, connections, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL}, /* what it would check, request_headers.c does, and answers properly */
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin, server},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, server},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connections_notify, server->connections},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
					MHD_USE_ERROR_LOG,
				0, NULL, NULL, access_handler, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static unsigned thread_count(const struct server *server)
{
	int64_t threads = config_int(server->config, SETTING_HTTP_THREADS);

	if (threads == 0)
		threads = sysconf(_SC_NPROCESSORS_ONLN);
	return threads < 1 ? 1 : (unsigned)threads;
}

static int listen_on(struct server *server, const char *address)
{
	struct MHD_Daemon *daemon;
	int socket, r;

	if (server->daemon_count == (int)(sizeof(server->daemons) / sizeof(server->daemons[0]))) {
		log_error("too many addresses to listen on", "address", address);
		return -E2BIG;
	}
	r = listen_socket_open(address, &socket);
	if (r < 0) {
		log_error("cannot listen", "address", address, "error", log_errno(r));
		return r;
	}
	daemon = start(server, socket, thread_count(server));
	if (!daemon) {
		log_error("cannot start the HTTP server", "address", address);
		close(socket);
		return -EIO;
	}
	server->daemons[server->daemon_count++] = daemon;
	log_info("listening", "address", address);
	return 0;
}

int server_listen(struct server *server)
{
	const char *list = config_listen(server->config);
	char address[256];
	int r = 0;

	while (r == 0 && *list) {
		size_t length;

		list += strspn(list, " ,");
		length = strcspn(list, ",");
		while (length > 0 && list[length - 1] == ' ')
			length--;
		if (length >= sizeof(address))
			return -ENAMETOOLONG;
		if (length == 0)
			break;
		memcpy(address, list, length);
		address[length] = '\0';
		r = listen_on(server, address);
		list += strcspn(list, ",");
	}
	if (r == 0 && server->daemon_count == 0) {
		log_error("no address to listen on");
		r = -EINVAL;
	}
	return r;
}

static void pause_ms(int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};

	nanosleep(&time, NULL);
}

void server_drain(struct server *server, int timeout_ms)
{
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	/* Whoever balances the load asks /readyz first and sends no more; those who ask us in between are still answered. */
	atomic_store(&server->is_draining, true);
	pause_ms(timeout_ms / 10 < 1000 ? timeout_ms / 10 : 1000);
	for (int i = 0; i < server->daemon_count; i++) {
		int socket = MHD_quiesce_daemon(server->daemons[i]);

		if (socket >= 0)
			close(socket);
	}
	while (atomic_load(&server->active) > 0 && clock_monotonic_ns() < deadline_ns) {
		parking_wake(server->parking, 0);
		pause_ms(20);
	}
}

bool server_close(struct server *server)
{
	if (atomic_load(&server->active) > 0)
		return false;
	for (int i = 0; i < server->daemon_count; i++)
		MHD_stop_daemon(server->daemons[i]);
	server->daemon_count = 0;
	return true;
}
