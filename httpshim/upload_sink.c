#include "httpshim/upload_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "httpshim/body_reader.h"
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/multipart.h"
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"
#include "shared/validate/validate.h"

enum { COPY_BYTES = 128 << 10 };

static struct upload_sink *sink_of(struct request *request)
{
	struct upload_sink *sink = request->state;

	if (sink)
		return sink;
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return NULL;
	sink->file = WORKING_FILE_NONE;
	request->state = sink;
	request->free_state = free;
	return sink;
}

/* The tenant of this code becomes the request's. False: the answer is set. */
static bool enter_tenant(struct request *request, const char *code)
{
	struct tenant *tenant;
	int r;

	if (!auth_covers(request, code)) {
		answer_error(request, 404, "There is no such tenant.");
		return false;
	}
	r = tenant_cache_get(request->server->tenants, code, &tenant);
	if (r == -ENOENT)
		answer_error(request, 404, "There is no such tenant.");
	else if (r < 0)
		answer_errno(request, r);
	if (r < 0)
		return false;
	tenant_unref(request->tenant);
	request->tenant = tenant;
	if (!tenant->is_active)
		answer_error(request, 403, "The tenant is not active.");
	return tenant->is_active;
}

static const char *form_tenant(const struct request *request)
{
	const char *code = body_form_text(request, "tenant_code", NULL);

	return code && *code ? code : NULL;
}

/*
 * The rule about extensions can be known before the bytes are sent. The mount says it then, under the visible name, so that the
 * refusal is counted and shown like any other; its working name would only hear of it at the end.
 */
static bool is_name_refused(struct request *request, const struct upload_sink *sink)
{
	char path[WORKING_PATH_SIZE], month[CLOCK_MONTH_SIZE];
	struct verdict verdict;
	int fd autoclose = -1, r;

	if (!request->tenant->rules)
		return false;
	validate_name(request->tenant->rules, sink->name, sink->name_length, &verdict);
	if (verdict.error == 0)
		return false;
	clock_format_month(clock_realtime_ns(), month);
	snprintf(path, sizeof(path), "%s/%.*s", month, (int)sink->name_length, sink->name);
	r = mount_open(request->server->mount, request->tenant, path, O_CREAT | O_EXCL | O_WRONLY, 0660, &fd);
	if (r == 0) {
		/* The tenant's rules changed a moment ago. */
		mount_remove(request->server->mount, request->tenant, path);
		return false;
	}
	if (r != -EPERM && r != -EEXIST) {
		answer_errno(request, r);
		return true;
	}
	metrics_add(request->server->metrics, METRIC_UPLOADS_REFUSED, 1);
	answer_errorf(request, 422, "%s", verdict.reason);
	return true;
}

static int begin(struct request *request, const struct multipart_part *part)
{
	struct upload_sink *sink = sink_of(request);
	size_t length = strlen(part->file_name);
	const char *code = form_tenant(request), *reason = working_file_check_name(part->file_name, length);
	char extension[17];
	int r;

	if (!sink)
		return -ENOMEM;
	if (reason) {
		answer_error(request, 422, reason);
		return -ECANCELED;
	}
	memcpy(sink->name, part->file_name, length + 1);
	sink->name_length = length;
	if (code && (!request->tenant || strcmp(code, request->tenant->code) != 0) && !enter_tenant(request, code))
		return -ECANCELED;
	if (!request->tenant) {
		answer_error(request, 422, "tenant_code must stand before the file, since the token names no tenant.");
		return -ECANCELED;
	}
	if (is_name_refused(request, sink))
		return -ECANCELED;
	name_extension(sink->name, length, extension);
	r = working_file_begin(request->server, request->tenant, request->principal.subject, extension, &sink->file);
	if (r < 0) {
		working_file_answer_refusal(request, &sink->file, r);
		return -ECANCELED;
	}
	sink->has_file = true;
	return 0;
}

static int data(struct request *request, const void *bytes, size_t length)
{
	struct upload_sink *sink = request->state;
	int r = working_file_write(&sink->file, bytes, length);

	if (r == 0)
		return 0;
	working_file_answer_refusal(request, &sink->file, r);
	return -ECANCELED;
}

static void abandon(struct request *request)
{
	struct upload_sink *sink = request->state;

	if (sink)
		working_file_release(&sink->file);
}

const struct route_hooks upload_sink_hooks = {.part_begin = begin, .data = data, .abandon = abandon};

struct upload_sink *upload_sink_of(struct request *request)
{
	struct upload_sink *sink = request->state;

	if (sink && sink->has_file)
		return sink;
	answer_invalid(request, "body", "file", "Field required");
	return NULL;
}

/* Copies what was written to a new working file of another tenant. */
static int copy_to(struct request *request, struct working_file *from, struct working_file *to)
{
	char *bytes autofree = malloc(COPY_BYTES);
	int fd autoclose = -1, r;
	ssize_t n;

	if (!bytes)
		return -ENOMEM;
	r = working_file_close(from);
	if (r == 0)
		r = mount_open(request->server->mount, from->tenant, from->path, O_RDONLY, 0, &fd);
	while (r == 0 && (n = read(fd, bytes, COPY_BYTES)) != 0)
		r = n < 0 ? -errno : working_file_write(to, bytes, (size_t)n);
	return r;
}

int upload_sink_settle_tenant(struct request *request)
{
	struct upload_sink *sink = request->state;
	struct working_file moved = WORKING_FILE_NONE;
	const char *code = form_tenant(request);
	char extension[17];
	int r;

	if (!code || strcmp(code, sink->file.tenant->code) == 0)
		return 0;
	if (!enter_tenant(request, code) || is_name_refused(request, sink)) {
		working_file_release(&sink->file);
		return -ECANCELED;
	}
	name_extension(sink->name, sink->name_length, extension);
	r = working_file_begin(request->server, request->tenant, request->principal.subject, extension, &moved);
	if (r == 0)
		r = copy_to(request, &sink->file, &moved);
	working_file_release(&sink->file);
	sink->file = moved;
	if (r == 0)
		return 0;
	working_file_answer_refusal(request, &sink->file, r);
	working_file_release(&sink->file);
	return -ECANCELED;
}

static int add_tag(struct buf *tags, const char *tag, size_t length)
{
	while (length > 0 && *tag == ' ') {
		tag++;
		length--;
	}
	while (length > 0 && tag[length - 1] == ' ')
		length--;
	if (length == 0)
		return 0;
	if (memchr(tag, ',', length))
		return -EINVAL;
	if (tags->length > 0)
		buf_putc(tags, ',');
	return buf_append(tags, tag, length);
}

static int tags_of_json(const json_t *list, struct buf *tags)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *tag = json_array_get(list, i);
		int r = json_is_string(tag) ? add_tag(tags, json_string_value(tag), json_string_length(tag)) : -EINVAL;

		if (r < 0)
			return r;
	}
	return 0;
}

int upload_tags_normalise(const char *text, size_t length, struct buf *ret_tags)
{
	const char *end = text + length;
	json_t *list;
	int r = 0;

	if (length > 0 && *text == '[') {
		list = json_loadb(text, length, 0, NULL);
		r = json_is_array(list) ? tags_of_json(list, ret_tags) : -EINVAL;
		json_decref(list);
		return r;
	}
	while (text < end && r == 0) {
		const char *comma = memchr(text, ',', (size_t)(end - text)), *stop = comma ? comma : end;

		r = add_tag(ret_tags, text, (size_t)(stop - text));
		text = stop + 1;
	}
	return r;
}

static struct bytes form_bytes(const struct request *request, const char *name)
{
	struct bytes bytes = {0};

	bytes.data = body_form_text(request, name, &bytes.length);
	return bytes;
}

int upload_sink_attributes(struct request *request, struct buf *tags, struct file_attributes *ret_attributes)
{
	struct bytes given = form_bytes(request, "tags");
	const char *visibility = body_form_text(request, "visibility", NULL);

	*ret_attributes = (struct file_attributes){
		.description = form_bytes(request, "description"),
		.metadata = form_bytes(request, "metadata"),
		.is_public = visibility && strcmp(visibility, "public") == 0,
	};
	if (given.data && upload_tags_normalise(given.data, given.length, tags) < 0) {
		answer_invalid(request, "body", "tags", "Input should be tags divided by commas, or a JSON list of tags");
		return -ECANCELED;
	}
	if (given.data)
		ret_attributes->tags = (struct bytes){tags->data, tags->length};
	if (ret_attributes->description.data && !utf8_is_valid(ret_attributes->description.data, ret_attributes->description.length)) {
		answer_invalid(request, "body", "description", "Input should be UTF-8");
		return -ECANCELED;
	}
	return 0;
}
