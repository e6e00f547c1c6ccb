#include "httpshim/answer_send.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "httpshim/connection.h"
#include "httpshim/cors.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "shared/base/cleanup.h"

static void let_go(void *shared)
{
	shared_bytes_unref(shared);
}

static struct MHD_Response *make_response(struct answer *answer)
{
	struct MHD_Response *response;
	const void *bytes;
	size_t length;

	switch (answer->kind) {
	case ANSWER_FILE:
		response = MHD_create_response_from_fd_at_offset64(answer->length, answer->fd, answer->offset);
		if (response)
			answer->fd = -1; /* libmicrohttpd's now */
		return response;
	case ANSWER_SHARED:
		bytes = shared_bytes_data(answer->shared, &length);
		response = MHD_create_response_from_buffer_with_free_callback_cls(length, (void *)(uintptr_t)bytes, let_go, answer->shared);
		if (response)
			answer->shared = NULL;
		return response;
	default:
		length = answer->body.length;
		bytes = length ? buf_take(&answer->body, &length) : NULL;
		return MHD_create_response_from_buffer(length, (void *)(uintptr_t)bytes,
						       length ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	}
}

static bool has_header(const struct answer *answer, const char *name)
{
	for (int i = 0; i < answer->header_count; i++) {
		if (strcmp(answer->headers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void decorate(const struct request *request, struct MHD_Response *response)
{
	const struct answer *answer = &request->answer;

	if (answer->content_type)
		MHD_add_response_header(response, "Content-Type", answer->content_type);
	for (int i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
	MHD_add_response_header(response, "X-Request-ID", request->id);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (!has_header(answer, "Cache-Control"))
		MHD_add_response_header(response, "Cache-Control", "no-store");
	if (request->route && request->route->flags & ROUTE_TUS)
		MHD_add_response_header(response, "Tus-Resumable", "1.0.0");
	cors_decorate(request, response);
	if (answer->must_close || atomic_load_explicit(&request->server->is_draining, memory_order_relaxed))
		MHD_add_response_header(response, "Connection", "close");
}

static uint64_t body_bytes(const struct answer *answer)
{
	size_t length;

	if (answer->kind == ANSWER_FILE)
		return answer->length;
	if (answer->kind == ANSWER_BYTES)
		return answer->body.length;
	shared_bytes_data(answer->shared, &length);
	return length;
}

bool answer_send(struct request *request)
{
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (!request->is_head)
		request->answer.sent_bytes = body_bytes(&request->answer);
	response = make_response(&request->answer);
	if (!response)
		return false;
	decorate(request, response);
	connection_enter(request->connection, CONNECTION_ANSWER);
	queued = MHD_queue_response(request->mhd, (unsigned)request->answer.status, response);
	MHD_destroy_response(response);
	return queued == MHD_YES;
}

bool answer_send_raw(struct request *request)
{
	const struct answer *answer = &request->answer;
	autobuf struct buf text = BUF_INIT(64 << 10);
	int fd = connection_socket(request->connection);

	if (answer->kind != ANSWER_BYTES)
		return false;
	buf_printf(&text, "HTTP/1.1 %d Refused\r\nConnection: close\r\nX-Request-ID: %s\r\nContent-Length: %zu\r\n",
		   answer->status, request->id, answer->body.length);
	if (answer->content_type)
		buf_printf(&text, "Content-Type: %s\r\n", answer->content_type);
	for (int i = 0; i < answer->header_count; i++)
		buf_printf(&text, "%s: %s\r\n", answer->headers[i].name, answer->headers[i].value);
	if (request->route && request->route->flags & ROUTE_TUS)
		buf_puts(&text, "Tus-Resumable: 1.0.0\r\n");
	cors_put(request, &text);
	buf_puts(&text, "\r\n");
	buf_append(&text, answer->body.data, answer->body.length);
	if (buf_error(&text) < 0)
		return false;
	/* Nothing was sent on this connection before, so a few hundred bytes fit into its buffer. */
	if (send(fd, text.data, text.length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)text.length)
		return false;
	shutdown(fd, SHUT_WR);
	return true;
}
