/* The end of a tus upload: its attributes, its folders, its name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/metrics.h"
#include "httpshim/mount.h"
#include "httpshim/request.h"
#include "httpshim/routes/tus.h"
#include "httpshim/server.h"
#include "httpshim/upload_sink.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"
#include "shared/validate/validate.h"

static struct bytes text_of(const json_t *metadata, const char *key)
{
	const json_t *value = json_object_get(metadata, key);

	return (struct bytes){json_string_value(value), json_string_length(value)};
}

static int set_attributes(struct working_file *file, const json_t *metadata)
{
	autobuf struct buf tags = BUF_INIT(64 << 10);
	struct bytes given = text_of(metadata, "tags"), visibility = text_of(metadata, "visibility");
	struct file_attributes attributes = {.description = text_of(metadata, "description")};

	/* Tags that cannot be read as such are no reason to lose the upload. */
	if (given.data && upload_tags_normalise(given.data, given.length, &tags) == 0)
		attributes.tags = (struct bytes){tags.data, tags.length};
	attributes.is_public = visibility.data && strcmp(visibility.data, "public") == 0;
	return working_file_set_attributes(file, &attributes);
}

/* Before the last close: an object that is stored only now gets the extension that its file will have. */
static int take_extension(struct working_file *file, const struct bytes *name)
{
	char extension[17], path[WORKING_PATH_SIZE];
	const char *working = strstr(file->path, ".upload-");
	int r;

	name_extension(name->data, name->length, extension);
	if (*extension == '\0' || !working || strchr(working + 1, '.'))
		return 0;
	if (snprintf(path, sizeof(path), "%.1000s.%s", file->path, extension) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = mount_rename(file->server->mount, file->tenant, file->path, path);
	if (r == 0)
		memcpy(file->path, path, sizeof(path));
	return r;
}

/* The folders of relativePath below the month, made as they are missing; file->folder becomes the last one. */
static int make_folders(struct working_file *file, const struct bytes *folder)
{
	char path[2 * WORKING_PATH_SIZE] = "";
	size_t at = 0;
	int r = 0;

	while (at < folder->length && (r == 0 || r == -EEXIST)) {
		const char *slash = memchr(folder->data + at, '/', folder->length - at);

		at = slash ? (size_t)(slash - folder->data) : folder->length;
		snprintf(path, sizeof(path), "%s/%.*s", file->folder, (int)at, folder->data);
		r = mount_make_folder(file->server->mount, file->tenant, path);
		at++;
	}
	if (r < 0 && r != -EEXIST)
		return r;
	if (strlen(path) >= sizeof(file->folder))
		return -ENAMETOOLONG;
	if (folder->length > 0)
		memcpy(file->folder, path, strlen(path) + 1);
	return 0;
}

int tus_finish(struct request *request, const struct upload_row *row, struct working_file *file)
{
	const json_t *metadata = json_object_get(row->request, "metadata");
	struct bytes name, folder;
	const char *reason = tus_metadata_name(metadata, &name, &folder);
	int r;

	if (reason) {
		answer_error(request, 422, reason);
		return -ECANCELED;
	}
	r = take_extension(file, &name);
	if (r == 0)
		r = set_attributes(file, metadata);
	if (r == 0)
		r = make_folders(file, &folder);
	if (r == 0)
		r = working_file_publish(file, &name, &name, false);
	if (r < 0) {
		working_file_answer_refusal(request, file, r);
		return -ECANCELED;
	}
	metrics_add(request->server->metrics, METRIC_UPLOADS, 1);
	r = working_file_wait(file);
	if (r == 0)
		return 0;
	answer_errno(request, r);
	return -ECANCELED;
}
