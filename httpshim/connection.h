/*
 * The connections and their deadlines. libmicrohttpd's own timeout counts from the last byte, so one byte a second keeps a connection
 * for ever; here every phase has its own: the wait for a request, its headers, a minimum rate for the body and for the answer.
 */
#pragma once
#include <microhttpd.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum connection_phase {
	CONNECTION_IDLE,    /* waits for a request line */
	CONNECTION_HEADERS, /* the request line is there */
	CONNECTION_BODY,
	CONNECTION_WORK, /* ours to do: no deadline of the client's */
	CONNECTION_ANSWER,
};

struct connections;

struct connection {
	struct connection *next, *previous;
	int fd;
	char address[46]; /* the peer's, or what a trusted proxy says */
	atomic_int phase;
	_Atomic int64_t since_ns; /* monotonic: when the phase began */
	_Atomic uint64_t body_bytes;
	/* the clock's alone */
	int seen_phase;
	int64_t seen_since_ns, checked_ns;
	uint64_t checked_bytes;
};

struct connection_limits {
	int64_t idle_ms, headers_ms;
	int64_t min_bytes_per_s; /* 0: any */
};

int connections_new(const struct connection_limits *limits, struct connections **ret_connections);
void connections_free(struct connections *connections);
size_t connections_count(struct connections *connections);
/* MHD_OPTION_NOTIFY_CONNECTION, with the connections as context. */
void connections_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
			enum MHD_ConnectionNotificationCode code);
/* Cuts off what is too slow; called every second or so by one thread. Returns how many. */
int connections_check(struct connections *connections);

struct connection *connection_of(struct MHD_Connection *mhd);
void connection_enter(struct connection *connection, enum connection_phase phase);
/* More of the body comes: after a time in which it was not read, the rate counts from now on. */
void connection_enter_body(struct connection *connection);
void connection_received(struct connection *connection, size_t bytes);
int connection_socket(const struct connection *connection);
