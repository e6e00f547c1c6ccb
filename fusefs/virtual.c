#include "fusefs/virtual.h"

#include <errno.h>
#include <stdlib.h>
#include "fusefs/mount.h"

enum { STATS_MAX_BYTES = 1 << 20 };

struct text_handle {
	char *bytes;
	size_t length;
};

int text_open(struct request *request, struct buf *text, bool direct)
{
	struct text_handle *handle = calloc(1, sizeof(*handle));
	int r = buf_error(text);

	if (!handle || r < 0) {
		free(handle);
		buf_release(text);
		return r < 0 ? r : -ENOMEM;
	}
	handle->length = text->length;
	handle->bytes = buf_take(text, &handle->length);
	request->file.fh = (uint64_t)(uintptr_t)handle;
	request->file.direct_io = direct;
	request->file.noflush = 1;
	if (fuse_reply_open(request->fuse, &request->file) < 0)
		text_release(request);
	return 0;
}

int text_read(struct request *request)
{
	const struct text_handle *handle = (const struct text_handle *)(uintptr_t)request->file.fh;
	size_t left;

	if (request->offset < 0 || (uint64_t)request->offset >= handle->length)
		return reply_bytes(request, NULL, 0);
	left = handle->length - (size_t)request->offset;
	return reply_bytes(request, handle->bytes + request->offset, request->size < left ? request->size : left);
}

void text_release(struct request *request)
{
	struct text_handle *handle = (struct text_handle *)(uintptr_t)request->file.fh;

	free(handle->bytes);
	free(handle);
}

int stats_open(struct request *request)
{
	struct buf text = BUF_INIT(STATS_MAX_BYTES);

	stats_format(request->mount, &text);
	return text_open(request, &text, true);
}

int stats_read(struct request *request)
{
	return text_read(request);
}

void stats_release(struct request *request)
{
	text_release(request);
}
