#include "httpshim/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "shared/base/clock.h"

enum { RATE_WINDOW_S = 10 };

struct connections {
	struct connection_limits limits;
	pthread_mutex_t lock; /* guards the list: no connection is closed while it is held, so no descriptor is another's */
	struct connection first; /* the list's head */
	size_t count;
};

int connections_new(const struct connection_limits *limits, struct connections **ret_connections)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (!connections)
		return -ENOMEM;
	connections->limits = *limits;
	pthread_mutex_init(&connections->lock, NULL);
	connections->first.next = connections->first.previous = &connections->first;
	*ret_connections = connections;
	return 0;
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

size_t connections_count(struct connections *connections)
{
	size_t count;

	pthread_mutex_lock(&connections->lock);
	count = connections->count;
	pthread_mutex_unlock(&connections->lock);
	return count;
}

static void take_address(struct connection *connection, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	const void *bytes = NULL;
	int family = address ? address->sa_family : AF_UNSPEC;

	if (family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	if (family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes)) {
		bytes = (const char *)bytes + 12;
		family = AF_INET;
	}
	if (!bytes || !inet_ntop(family, bytes, connection->address, sizeof(connection->address)))
		memcpy(connection->address, "local", 6);
}

static void open_connection(struct connections *connections, struct MHD_Connection *mhd, void **socket_context)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	*socket_context = connection;
	if (!connection)
		return;
	connection->fd = info ? info->connect_fd : -1;
	take_address(connection, mhd);
	atomic_init(&connection->since_ns, clock_monotonic_ns());
	pthread_mutex_lock(&connections->lock);
	connection->next = connections->first.next;
	connection->previous = &connections->first;
	connection->next->previous = connections->first.next = connection;
	connections->count++;
	pthread_mutex_unlock(&connections->lock);
}

void connections_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
			enum MHD_ConnectionNotificationCode code)
{
	struct connections *connections = context;
	struct connection *connection = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		open_connection(connections, mhd, socket_context);
	} else if (connection) {
		pthread_mutex_lock(&connections->lock);
		connection->next->previous = connection->previous;
		connection->previous->next = connection->next;
		connections->count--;
		pthread_mutex_unlock(&connections->lock);
		free(connection);
		*socket_context = NULL;
	}
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void connection_enter(struct connection *connection, enum connection_phase phase)
{
	if (!connection)
		return;
	if (phase == CONNECTION_BODY)
		atomic_store_explicit(&connection->body_bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&connection->since_ns, clock_monotonic_ns(), memory_order_relaxed);
	atomic_store_explicit(&connection->phase, (int)phase, memory_order_relaxed);
}

void connection_enter_body(struct connection *connection)
{
	if (connection && atomic_load_explicit(&connection->phase, memory_order_relaxed) != CONNECTION_BODY)
		connection_enter(connection, CONNECTION_BODY);
}

void connection_received(struct connection *connection, size_t bytes)
{
	if (connection)
		atomic_fetch_add_explicit(&connection->body_bytes, bytes, memory_order_relaxed);
}

int connection_socket(const struct connection *connection)
{
	return connection ? connection->fd : -1;
}

/* What the peer has acknowledged since the connection began. */
static uint64_t bytes_acknowledged(const struct connection *connection)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return UINT64_MAX;
	return info.tcpi_bytes_acked;
}

/* Whether what moves in this phase has moved too little in the last window. */
static bool is_too_slow(struct connection *connection, const struct connection_limits *limits, int phase, int64_t now_ns)
{
	uint64_t bytes;
	bool is_slow;

	if (limits->min_bytes_per_s == 0 || now_ns - connection->checked_ns < RATE_WINDOW_S * NS_PER_S)
		return false;
	bytes = phase == CONNECTION_BODY ? atomic_load_explicit(&connection->body_bytes, memory_order_relaxed)
					 : bytes_acknowledged(connection);
	if (bytes == UINT64_MAX)
		return false;
	is_slow = bytes - connection->checked_bytes < (uint64_t)limits->min_bytes_per_s * RATE_WINDOW_S;
	connection->checked_ns = now_ns;
	connection->checked_bytes = bytes;
	return is_slow;
}

static bool is_over(struct connection *connection, const struct connection_limits *limits, int64_t now_ns)
{
	int phase = atomic_load_explicit(&connection->phase, memory_order_relaxed);
	int64_t since_ns = atomic_load_explicit(&connection->since_ns, memory_order_relaxed);

	if (phase == CONNECTION_IDLE)
		return now_ns - since_ns > limits->idle_ms * NS_PER_MS;
	if (phase == CONNECTION_HEADERS)
		return now_ns - since_ns > limits->headers_ms * NS_PER_MS;
	if (phase == CONNECTION_WORK)
		return false;
	if (connection->seen_phase != phase || connection->seen_since_ns != since_ns) {
		connection->seen_phase = phase;
		connection->seen_since_ns = since_ns;
		connection->checked_ns = since_ns;
		connection->checked_bytes = phase == CONNECTION_BODY ? 0 : bytes_acknowledged(connection);
		return false;
	}
	return is_too_slow(connection, limits, phase, now_ns);
}

/* The epoll thread sees the end of the connection and closes it; with a reset, or what a slow reader never fetched would stay. */
static void cut_off(int fd)
{
	struct linger none = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	shutdown(fd, SHUT_RDWR);
}

int connections_check(struct connections *connections)
{
	int64_t now_ns = clock_monotonic_ns();
	int count = 0;

	pthread_mutex_lock(&connections->lock);
	for (struct connection *connection = connections->first.next; connection != &connections->first;
	     connection = connection->next) {
		if (!is_over(connection, &connections->limits, now_ns))
			continue;
		cut_off(connection->fd);
		count++;
	}
	pthread_mutex_unlock(&connections->lock);
	return count;
}
