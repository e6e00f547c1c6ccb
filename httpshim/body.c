#include "httpshim/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/answer_send.h"
#include "httpshim/body_reader.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/connection.h"
#include "shared/base/clock.h"
#include "shared/base/table.h"

enum {
	FIRST_BUFFER_BYTES = 16 << 10,
	DISCARD_BYTES_MAX = 1 << 20,	 /* a refused body as short as this is read to its end, and the connection kept */
	LINGER_BYTES_MAX = 64 << 20,	 /* behind an answer that was sent straight to the socket */
	LINGER_S = 5,
};

void body_init(struct body *body)
{
	pthread_mutex_init(&body->lock, NULL);
	body->size_max = UINT64_MAX;
}

void body_release(struct body *body)
{
	free(body->filling.data);
	free(body->draining.data);
	body_reader_free(body->reader);
	pthread_mutex_destroy(&body->lock);
}

/* The more bodies come in at once, the smaller their buffers: 32 MiB in all. */
static size_t window(const struct server *server)
{
	int streams = atomic_load_explicit(&server->streams, memory_order_relaxed);

	return streams <= 32 ? 256 << 10 : streams <= 128 ? 64 << 10 : FIRST_BUFFER_BYTES;
}

static bool grow(struct body_buffer *buffer, size_t wanted, size_t max)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_BUFFER_BYTES;
	char *data;

	while (capacity < wanted && capacity < max)
		capacity *= 2;
	if (capacity <= buffer->capacity)
		return true;
	data = realloc(buffer->data, capacity);
	if (!data)
		return buffer->capacity > 0;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

/* Copies as much as fits into the buffer being filled; false on no memory. */
static bool fill(struct body *body, size_t max, const char **bytes, size_t *size)
{
	struct body_buffer *buffer = &body->filling;
	size_t room, wanted = buffer->length + *size < max ? buffer->length + *size : max;

	if (!grow(buffer, wanted, max))
		return false;
	room = buffer->capacity - buffer->length;
	room = room < *size ? room : *size;
	memcpy(buffer->data + buffer->length, *bytes, room);
	buffer->length += room;
	*bytes += room;
	*size -= room;
	return true;
}

static void swap(struct body *body)
{
	struct body_buffer buffer = body->filling;

	body->filling = body->draining;
	body->draining = buffer;
}

static void work(struct job *job);

/* Sends a worker to what was filled. */
static void start_work(struct request *request)
{
	swap(&request->body);
	request->body.is_draining = true;
	request->job.run = work;
	workers_submit(request->server->workers, &request_ref(request)->job);
}

static void suspend(struct request *request)
{
	request->body.is_suspended = true;
	connection_enter(request->connection, CONNECTION_WORK);
	MHD_suspend_connection(request->mhd);
}

/* What comes behind a refusal. A short rest is read so that the answer can go the ordinary way; else it goes out at once. */
static bool discard(struct request *request, size_t *size)
{
	struct body *body = &request->body;
	uint64_t rest = request->is_chunked ? 0 : request->declared_bytes - body->received;

	body->received += *size;
	body->discarded += *size;
	*size = 0;
	if (body->was_answered_raw)
		return body->discarded < LINGER_BYTES_MAX && clock_monotonic_ns() < body->discard_until_ns;
	if (body->discarded + rest <= DISCARD_BYTES_MAX)
		return true;
	if (!answer_send_raw(request))
		return false;
	body->was_answered_raw = true;
	body->discard_until_ns = clock_monotonic_ns() + LINGER_S * NS_PER_S;
	return true;
}

static bool take(struct request *request, const char *bytes, size_t *size)
{
	struct body *body = &request->body;
	size_t max = window(request->server), before = *size;

	if (!body->is_counted) {
		body->is_counted = true;
		atomic_fetch_add_explicit(&request->server->streams, 1, memory_order_relaxed);
	}
	while (*size > 0) {
		if (!fill(body, max, &bytes, size))
			return false;
		if (!body->is_draining && body->filling.length >= max / 2)
			start_work(request);
		else if (*size > 0 && body->is_draining)
			break;
	}
	body->received += before - *size;
	if (*size > 0)
		suspend(request);
	return true;
}

bool body_receive(struct request *request, const char *bytes, size_t *size)
{
	struct body *body = &request->body;
	bool goes_on;

	pthread_mutex_lock(&body->lock);
	goes_on = body->is_refused && !body->is_draining ? discard(request, size) : take(request, bytes, size);
	pthread_mutex_unlock(&body->lock);
	return goes_on;
}

bool body_end(struct request *request)
{
	struct body *body = &request->body;
	bool is_with_worker = true;

	pthread_mutex_lock(&body->lock);
	body->has_ended = true;
	if (body->is_refused && !body->is_draining) {
		is_with_worker = false;
	} else {
		if (!body->is_draining)
			start_work(request);
		suspend(request);
	}
	pthread_mutex_unlock(&body->lock);
	return is_with_worker;
}

void body_refuse(struct request *request)
{
	request->body.is_refused = request->body.is_finished = true;
}

static bool wants_broken(const struct request *request)
{
	return request->route && request->route->hooks && request->route->hooks->wants_broken;
}

/* The connection is gone and nobody else works on the body. */
static void abandon(struct request *request)
{
	const struct body_buffer *rest = &request->body.filling;

	if (rest->length > 0 && wants_broken(request))
		body_reader_take(request, rest->data, rest->length);
	body_reader_abandon(request);
}

static void clean_up(struct job *job)
{
	struct request *request = container_of(job, struct request, job);

	abandon(request);
	request_unref(request);
}

void body_break(struct request *request)
{
	struct body *body = &request->body;
	bool is_abandoned;

	pthread_mutex_lock(&body->lock);
	body->is_broken = true;
	request->mhd = NULL;
	is_abandoned = !body->is_draining && !body->is_finished &&
		       (body->reader || (body->filling.length > 0 && wants_broken(request)));
	if (is_abandoned)
		body->is_finished = true;
	pthread_mutex_unlock(&body->lock);
	if (body->is_counted)
		atomic_fetch_sub_explicit(&request->server->streams, 1, memory_order_relaxed);
	if (is_abandoned) {
		request->job.run = clean_up;
		workers_submit(request->server->workers, &request_ref(request)->job);
	}
}

enum next { NEXT_MORE, NEXT_WAIT, NEXT_FINISH, NEXT_ABANDON, NEXT_REFUSED };

/* What the worker does after a buffer, decided and noted under the lock. */
static enum next decide(struct request *request, bool is_good, bool *ret_resume)
{
	struct body *body = &request->body;
	enum next next = NEXT_WAIT;

	pthread_mutex_lock(&body->lock);
	body->draining.length = 0;
	if (body->is_broken) {
		next = NEXT_ABANDON;
	} else if (!is_good) {
		body->is_refused = true;
		next = NEXT_REFUSED;
	} else if (body->filling.length > 0 && (body->has_ended || body->is_suspended ||
						body->filling.length >= window(request->server) / 2)) {
		swap(body);
		next = NEXT_MORE;
	} else if (body->has_ended) {
		next = NEXT_FINISH;
	}
	body->is_finished = next != NEXT_MORE && next != NEXT_WAIT;
	if (next == NEXT_WAIT) {
		body->is_draining = false;
		/* A slow sender's buffer does not stay large. */
		if (body->draining.capacity > FIRST_BUFFER_BYTES) {
			free(body->draining.data);
			body->draining = (struct body_buffer){0};
		}
	}
	/* There is room again, unless what it waits for is the answer. */
	*ret_resume = body->is_suspended && !body->has_ended && (next == NEXT_MORE || next == NEXT_WAIT);
	if (*ret_resume)
		body->is_suspended = false;
	pthread_mutex_unlock(&body->lock);
	return next;
}

/* The hooks clean up first; only then is the answer the epoll thread's. True: it waits for it. */
static bool finish_refused(struct request *request)
{
	struct body *body = &request->body;
	bool must_resume;

	body_reader_abandon(request);
	pthread_mutex_lock(&body->lock);
	body->is_draining = false;
	must_resume = body->is_suspended;
	body->is_suspended = false;
	pthread_mutex_unlock(&body->lock);
	return must_resume;
}

static void work(struct job *job)
{
	struct request *request = container_of(job, struct request, job);
	struct body *body = &request->body;
	bool must_resume, is_good;
	enum next next;

	do {
		is_good = body_reader_take(request, body->draining.data, body->draining.length);
		next = decide(request, is_good, &must_resume);
		if (next == NEXT_REFUSED)
			must_resume = finish_refused(request);
		if (must_resume)
			MHD_resume_connection(request->mhd);
	} while (next == NEXT_MORE);
	if (next == NEXT_ABANDON)
		abandon(request);
	if (next == NEXT_FINISH) {
		body_reader_finish(request);
		return; /* the reference went on with it */
	}
	request_unref(request);
}
