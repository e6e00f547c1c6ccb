#include "extractd/worker/job.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/frame.h"

enum { JOB_FRAME_MAX = 16 << 10 };

static uint64_t read_number(const json_t *object, const char *key, uint64_t fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) && json_integer_value(value) >= 0 ? (uint64_t)json_integer_value(value)
									: fallback;
}

static void read_text(const json_t *object, const char *key, char *ret_text, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(ret_text, size, "%s", text ? text : "");
}

static void read_limits(const json_t *object, struct limits *limits)
{
	limits->text_bytes = read_number(object, "text_bytes", limits->text_bytes);
	limits->data_bytes = read_number(object, "data_bytes", limits->data_bytes);
	limits->inflated_bytes = read_number(object, "inflated_bytes", limits->inflated_bytes);
	limits->memory_bytes = read_number(object, "memory_bytes", limits->memory_bytes);
	limits->pages = (uint32_t)read_number(object, "pages", limits->pages);
	limits->depth = (uint32_t)read_number(object, "depth", limits->depth);
	limits->entries = (uint32_t)read_number(object, "entries", limits->entries);
	limits->time_ms = (uint32_t)read_number(object, "time_ms", limits->time_ms);
}

int job_parse(const char *json, size_t length, struct job *ret_job)
{
	json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(root) || !json_is_integer(json_object_get(root, "size"))) {
		json_decref(root);
		return -EINVAL;
	}
	*ret_job = (struct job){.limits = LIMITS_DEFAULT};
	ret_job->size_bytes = read_number(root, "size", 0);
	read_text(root, "name", ret_job->name, sizeof(ret_job->name));
	read_text(root, "sha256", ret_job->sha256, sizeof(ret_job->sha256));
	ret_job->is_ocr = json_is_true(json_object_get(root, "ocr"));
	read_limits(json_object_get(root, "limits"), &ret_job->limits);
	json_decref(root);
	return 0;
}

/* One read of the socket, with the descriptor when it is there. */
static ssize_t receive(int socket_fd, uint8_t *bytes, size_t size, int *fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {bytes, size};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t got;

	do {
		got = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? -errno : 0;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS && *fd < 0)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return got;
}

int job_receive(int socket_fd, struct job *ret_job, int *ret_fd)
{
	uint8_t bytes[JOB_FRAME_MAX];
	autoclose int fd = -1;
	struct frame frame;
	size_t used = 0;
	long taken = 0;
	int r;

	while (taken == 0) {
		ssize_t got =
			used < sizeof(bytes) ? receive(socket_fd, bytes + used, sizeof(bytes) - used, &fd) : -EMSGSIZE;

		if (got <= 0)
			return got == 0 && used > 0 ? -EPIPE : (int)got;
		used += (size_t)got;
		taken = frame_parse(bytes, used, &frame);
		if (taken < 0)
			return (int)taken;
	}
	if (frame.type != FRAME_JOB || fd < 0)
		return -EBADMSG;
	r = job_parse((const char *)frame.payload, frame.length, ret_job);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 1;
}
