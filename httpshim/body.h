/*
 * A request's body on its way from the epoll thread to a worker: two buffers, one being filled while the other is worked on. When
 * both are full the connection is suspended, so a body takes the same memory whatever its length.
 *
 * Invariants (under lock):
 *   is_draining   one worker has this request and holds a reference; only then is draining touched
 *   is_suspended  the epoll thread does nothing with the connection until a worker resumes it
 *   is_refused    the answer is set; what still comes is thrown away
 *   is_finished   the handler ran, or the body was abandoned: the hooks are not called any more
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

struct request;
struct body_reader;

struct body_buffer {
	char *data;
	size_t length, capacity;
};

struct body {
	pthread_mutex_t lock;
	struct body_buffer filling, draining;
	bool is_counted; /* in server->streams */
	bool is_draining, is_suspended, has_ended, is_broken, is_refused, is_finished;
	bool was_answered_raw;
	uint64_t received, discarded; /* bytes */
	int64_t discard_until_ns;     /* monotonic */
	uint64_t size_max;	      /* of the whole body, by its kind */
	struct body_reader *reader;   /* the worker's alone (body_reader.h) */
};

void body_init(struct body *body);
void body_release(struct body *body);

/* On the epoll thread. Takes what MHD gives; *size becomes what is left. False: close the connection. */
bool body_receive(struct request *request, const char *bytes, size_t *size);
/* MHD has seen its end. True: a worker has it now and the connection is suspended; false: the answer is there already. */
bool body_end(struct request *request);
/* The connection is gone: whoever works on it will notice, else a worker is sent to clean up. */
void body_break(struct request *request);
/* The answer was set before any of the body was read. */
void body_refuse(struct request *request);
