#include "httpshim/answer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "httpshim/request.h"
#include "shared/base/text.h"

struct shared_bytes {
	atomic_int references; /* not counted when is_static */
	bool is_static;
	size_t length;
	const void *data;
	char copy[];
};

struct shared_bytes *shared_bytes_new(const void *bytes, size_t length)
{
	struct shared_bytes *shared = malloc(sizeof(*shared) + length + 1);

	if (!shared)
		return NULL;
	atomic_init(&shared->references, 1);
	shared->is_static = false;
	shared->length = length;
	memcpy(shared->copy, bytes, length);
	shared->copy[length] = '\0';
	shared->data = shared->copy;
	return shared;
}

struct shared_bytes *shared_bytes_static(const void *bytes, size_t length)
{
	struct shared_bytes *shared = malloc(sizeof(*shared));

	if (!shared)
		return NULL;
	atomic_init(&shared->references, 1);
	shared->is_static = true;
	shared->length = length;
	shared->data = bytes;
	return shared;
}

struct shared_bytes *shared_bytes_ref(struct shared_bytes *shared)
{
	atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
	return shared;
}

void shared_bytes_unref(struct shared_bytes *shared)
{
	if (shared && atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) == 1)
		free(shared);
}

const void *shared_bytes_data(const struct shared_bytes *shared, size_t *ret_length)
{
	*ret_length = shared->length;
	return shared->data;
}

void answer_release(struct answer *answer)
{
	buf_release(&answer->body);
	shared_bytes_unref(answer->shared);
	if (answer->kind == ANSWER_FILE && answer->fd >= 0)
		close(answer->fd);
	for (int i = 0; i < answer->header_count; i++)
		free(answer->headers[i].value);
	free(answer->owned_type);
	*answer = (struct answer){.fd = -1};
}

struct buf *answer_begin(struct request *request, int status, const char *content_type)
{
	struct answer *answer = &request->answer;

	answer_release(answer);
	answer->kind = ANSWER_BYTES;
	answer->status = status;
	answer->content_type = content_type;
	answer->body = BUF_INIT(ANSWER_BODY_MAX);
	return &answer->body;
}

void answer_header(struct request *request, const char *name, const char *value)
{
	struct answer *answer = &request->answer;
	char *copy = strdup(value);

	if (!copy || answer->header_count == ANSWER_HEADERS_MAX) {
		free(copy);
		return;
	}
	for (char *at = copy; *at; at++) {
		if (*at == '\r' || *at == '\n')
			*at = ' ';
	}
	answer->headers[answer->header_count++] = (struct answer_header){.name = name, .value = copy};
}

void answer_header_number(struct request *request, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	answer_header(request, name, text);
}

void answer_header_replace(struct request *request, const char *name, int64_t value)
{
	struct answer *answer = &request->answer;

	for (int i = 0; i < answer->header_count; i++) {
		if (strcmp(answer->headers[i].name, name) == 0) {
			free(answer->headers[i].value);
			answer->headers[i] = answer->headers[--answer->header_count];
			break;
		}
	}
	answer_header_number(request, name, value);
}

int answer_end(struct request *request)
{
	return buf_error(&request->answer.body);
}

int answer_empty(struct request *request, int status)
{
	answer_begin(request, status, NULL);
	return 0;
}

int answer_null(struct request *request)
{
	struct buf *buf = answer_begin(request, 200, "application/json");

	buf_puts(buf, "null");
	return answer_end(request);
}

static int dump(const char *text, size_t length, void *context)
{
	return buf_append(context, text, length) < 0 ? -1 : 0;
}

int answer_json(struct request *request, int status, const json_t *json)
{
	struct buf *buf = answer_begin(request, status, "application/json");

	json_dump_callback(json, dump, buf, JSON_COMPACT | JSON_ENCODE_ANY);
	return answer_end(request);
}

int answer_shared(struct request *request, int status, const char *content_type, struct shared_bytes *shared)
{
	answer_begin(request, status, content_type);
	request->answer.kind = ANSWER_SHARED;
	request->answer.shared = shared_bytes_ref(shared);
	return 0;
}

int answer_file(struct request *request, int status, const char *content_type, int fd, uint64_t offset, uint64_t length)
{
	char *type = strdup(content_type);

	answer_begin(request, status, type ? type : "application/octet-stream");
	request->answer.owned_type = type;
	request->answer.kind = ANSWER_FILE;
	request->answer.fd = fd;
	request->answer.offset = offset;
	request->answer.length = length;
	return 0;
}
