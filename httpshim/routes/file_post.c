#include "httpshim/routes/file_post.h"

#include <errno.h>
#include "httpshim/body_reader.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/routes/datasets.h"
#include "httpshim/routes/scans.h"
#include "httpshim/server.h"
#include "httpshim/upload_sink.h"
#include "shared/base/cleanup.h"

enum { TAGS_BYTES = 64 << 10 };

static const struct field post_fields[] = {
	{.name = "file", .type = FIELD_BINARY, .flags = FIELD_REQUIRED},
	{.name = "file_name", .type = FIELD_STRING, .maximum = 255, .about = "Of a dataset, without extension"},
	{.name = "session_id", .type = FIELD_UUID, .about = "Of a dataset: the session in which it becomes the active file"},
	{.name = "description", .type = FIELD_STRING, .maximum = 65536, .about = "Of a dataset"},
	{.name = "tenant_code", .type = FIELD_STRING, .maximum = 63},
	{0},
};
const struct schema file_post_schema = {.name = "DatasetOrScanUpload", .type = FIELD_OBJECT, .fields = post_fields, .flags = FIELD_OPEN};
const struct schema file_post_answer_schema = {.name = "DatasetOrScanStarted", .type = FIELD_ANY,
					       .about = "A Dataset; or job_id, status, message, deduplication, results, file_id"};

int file_post_store(struct request *request, struct upload_sink *sink)
{
	autobuf struct buf tags = BUF_INIT(TAGS_BYTES);
	struct bytes name = {sink->name, sink->name_length};
	struct file_attributes attributes;
	int r;

	if (upload_sink_attributes(request, &tags, &attributes) < 0)
		return -ECANCELED;
	r = working_file_set_attributes(&sink->file, &attributes);
	if (r == 0)
		r = working_file_publish(&sink->file, &name, &name, false);
	if (r < 0) {
		working_file_answer_refusal(request, &sink->file, r);
		return -ECANCELED;
	}
	r = working_file_wait(&sink->file);
	/* It has its name but the client is told that it failed: then it must not stay, or trying again makes two. */
	if (r < 0)
		mount_remove(request->server->mount, sink->file.tenant, sink->file.path);
	return r;
}

static bool is_dataset(const struct request *request)
{
	return body_form_text(request, "file_name", NULL) || body_form_text(request, "session_id", NULL) ||
	       body_form_text(request, "description", NULL);
}

int file_post(struct request *request)
{
	struct upload_sink *sink = upload_sink_of(request);

	if (!sink || upload_sink_settle_tenant(request) < 0)
		return 0;
	return is_dataset(request) ? dataset_store(request, sink) : scan_start(request, sink);
}
