#include "fusefs/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fusefs/mount.h"
#include "fusefs/ops.h"
#include "fusefs/runner.h"
#include "shared/base/clock.h"

enum { INODES_RETRY_MS = 50 };

static request_fn *const operation_functions[OPERATION_COUNT] = {
#define OPERATION(id, name, function) [OPERATION_##id] = function,
#include "fusefs/operations.h"
#undef OPERATION
};

static _Atomic int *parked_count(struct request *request)
{
	return &request->mount->parking.counts[request->uid % PARKED_USER_SLOTS];
}

static void request_free(struct request *request)
{
	if (request->loaded)
		request->loaded_free(request->loaded);
	free(request->groups);
	if (!request->is_on_heap)
		return;
	atomic_fetch_sub(parked_count(request), 1);
	atomic_fetch_sub(&request->mount->parking.total, 1);
	free(request);
}

void request_finished(struct request *request, int error)
{
	stats_operation(&request->mount->stats, request->operation, clock_monotonic_ns() - request->started_ns, error);
	request_free(request);
}

static void run_again(void *context)
{
	request_run(context);
}

/* No inode numbers while PostgreSQL is away: nobody tells when there are some again, so it looks now and then. */
static int park_for_inodes(struct request *request)
{
	struct request *kept;
	int r = request_keep(request, &kept);

	if (r < 0)
		return r;
	runner_add_later(kept->mount->runner, INODES_RETRY_MS, run_again, kept);
	return REQUEST_PARKED;
}

static int park_for_room(struct request *request)
{
	struct durable_tenant *durable = request->tenant->durable;
	struct request *kept;
	int r = request_keep(request, &kept);

	if (r < 0)
		return r;
	durable_when_room(durable, kept->deadline_ns, request_resume_callback, kept);
	return REQUEST_PARKED;
}

void request_run(struct request *request)
{
	int r = request->error;

	if (r == 0)
		r = operation_functions[request->operation](request);
	if (r == -EAGAIN)
		r = park_for_room(request);
	else if (r == -ENOBUFS)
		r = park_for_inodes(request);
	if (r == REQUEST_PARKED)
		return;
	if (r < 0)
		reply_error(request, r);
	request_finished(request, r);
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **at, const char *text)
{
	const char *copy = *at;
	size_t size = text_size(text);

	if (!text)
		return NULL;
	memcpy(*at, text, size);
	*at += size;
	return copy;
}

static struct request *copy_to_heap(const struct request *request)
{
	size_t bytes = request->bytes ? request->size : 0;
	struct request *copy =
		malloc(sizeof(*copy) + text_size(request->name) + text_size(request->other_name) + bytes);
	char *at = (char *)(copy + 1);

	if (!copy)
		return NULL;
	*copy = *request;
	copy->is_on_heap = true;
	copy->name = copy_text(&at, request->name);
	copy->other_name = copy_text(&at, request->other_name);
	if (bytes > 0) {
		memcpy(at, request->bytes, bytes);
		copy->bytes = at;
	}
	return copy;
}

int request_keep(struct request *request, struct request **ret_request)
{
	if (clock_monotonic_ns() >= request->deadline_ns)
		return -EIO;
	if (request->is_on_heap) {
		*ret_request = request;
		return 0;
	}
	if (atomic_fetch_add(parked_count(request), 1) >= request->mount->options.parked_per_user &&
	    request->deadline_ns != INT64_MAX) {
		atomic_fetch_sub(parked_count(request), 1);
		return -EBUSY;
	}
	*ret_request = copy_to_heap(request);
	if (!*ret_request) {
		atomic_fetch_sub(parked_count(request), 1);
		return -ENOMEM;
	}
	request->loaded = NULL;
	request->groups = NULL;
	atomic_fetch_add(&request->mount->parking.total, 1);
	atomic_fetch_add(&request->mount->stats.parked, 1);
	return 0;
}

int request_park(struct request *request, struct wait_list *list)
{
	struct request *kept;
	int r;

	if (++request->runs > REQUEST_RUNS_MAX && request->deadline_ns != INT64_MAX)
		return -EIO;
	r = request_keep(request, &kept);
	if (r < 0)
		return r;
	kept->next = NULL;
	if (list->last)
		list->last->next = kept;
	else
		list->first = kept;
	list->last = kept;
	return REQUEST_PARKED;
}

void request_resume(struct request *request, int error)
{
	request->error = error;
	runner_add(request->mount->runner, run_again, request);
}

void request_resume_callback(void *context, int error)
{
	request_resume(context, error);
}

struct request *wait_list_take(struct wait_list *list)
{
	struct request *first = list->first;

	*list = (struct wait_list){0};
	return first;
}

void wait_list_resume(struct request *first, int error)
{
	while (first) {
		struct request *next = first->next;

		request_resume(first, error);
		first = next;
	}
}

int reply_error(struct request *request, int error)
{
	if (request->fuse)
		fuse_reply_err(request->fuse, -error);
	return 0;
}

int reply_bytes(struct request *request, const void *bytes, size_t length)
{
	fuse_reply_buf(request->fuse, bytes, length);
	return 0;
}

int reply_value(struct request *request, const void *bytes, size_t length)
{
	if (request->size == 0)
		fuse_reply_xattr(request->fuse, length);
	else if (length > request->size)
		return -ERANGE;
	else
		fuse_reply_buf(request->fuse, bytes, length);
	return 0;
}

int reply_written(struct request *request, size_t count)
{
	fuse_reply_write(request->fuse, count);
	return 0;
}
