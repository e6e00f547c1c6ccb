#include "fusefs/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fusefs/detectors.h"
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "fusefs/ops.h"

/* What judge_now() needs, copied under the lock; then what it found. In request->loaded. */
struct judgement {
	struct tenant_settings *settings;
	char path[OBJECT_PATH_SIZE], media_type[MEDIA_TYPE_SIZE];
	int64_t size;
	char name[NAME_MAX_BYTES + 1];
	size_t length;
	struct verdict verdict;
};

static void judgement_free(void *loaded)
{
	struct judgement *judgement = loaded;

	tenant_settings_unref(judgement->settings);
	free(judgement);
}

static bool has_extension(const struct inode *inode, const char extension[17])
{
	char other[17];

	for (const struct entry *entry = inode->names; entry; entry = entry->next_name) {
		name_extension(entry->name, entry->name_length, other);
		if (!name_is_working(entry->name, entry->name_length) && strcmp(other, extension) == 0)
			return true;
	}
	return false;
}

/* A content that was judged under a name with the same extension need not be judged again. */
static bool needs_content(const struct file *file, const char *name, size_t length)
{
	char extension[17];

	if (file->values.object_id == 0 || name_is_working(name, length))
		return false;
	name_extension(name, length, extension);
	return !has_extension(&file->inode, extension);
}

static int refuse(struct request *request, struct tenant *tenant, const struct file *file, const char *name,
		  size_t length, const struct verdict *verdict)
{
	char id[FILE_ID_SIZE];
	struct refused refused = {
		.name = name,
		.name_length = length,
		.file_id = id,
		.uid = request->uid,
		.rule = verdict->rule,
		.reason = verdict->reason,
	};

	file_id_text(file, id);
	return verdict->rule ? refuse_request(request, tenant, &refused, verdict->error) : verdict->error;
}

static int prepare(struct request *request, struct tenant *tenant, const struct file *file, const char *name,
		   size_t length)
{
	struct judgement *judgement = calloc(1, sizeof(*judgement));
	const char *media_type = file->values.media_type;

	if (!judgement)
		return -ENOMEM;
	judgement->settings = tenant_settings_get(tenant);
	object_path(file, &file->values, judgement->path);
	snprintf(judgement->media_type, sizeof(judgement->media_type), "%s", media_type ? media_type : "");
	judgement->size = file->open ? file->open->row_size : file->inode.attributes.size_bytes;
	memcpy(judgement->name, name, length);
	judgement->length = length;
	if (request->loaded)
		request->loaded_free(request->loaded);
	request->loaded = judgement;
	request->loaded_free = judgement_free;
	request->judged_inode = file->inode.number;
	request->judged_object = file->values.object_id;
	return JUDGE_FIRST;
}

int judge_new_name(struct request *request, struct tenant *tenant, struct file *file, const char *name, size_t length)
{
	struct verdict verdict = {0};
	const struct judgement *judgement = request->loaded;

	validate_name(tenant->settings->rules, name, length, &verdict);
	if (verdict.error)
		return refuse(request, tenant, file, name, length, &verdict);
	if (!needs_content(file, name, length))
		return 0;
	if (!judgement || request->judged_inode != file->inode.number ||
	    request->judged_object != file->values.object_id)
		return prepare(request, tenant, file, name, length);
	return judgement->verdict.error ? refuse(request, tenant, file, name, length, &judgement->verdict) : 0;
}

int judge_now(struct request *request)
{
	struct mount *mount = request->mount;
	struct judgement *judgement = request->loaded;
	struct detector *detector = detectors_take(mount->detectors);
	int fd = -1, r;

	if (!detector)
		return -EIO;
	r = store_open(mount->store, request->tenant->code, judgement->path, O_RDONLY, &fd);
	if (r == 0) {
		validate_rename(judgement->settings->rules, detector, judgement->name, judgement->length,
				judgement->media_type, fd, (uint64_t)judgement->size, &judgement->verdict);
		close(fd);
	}
	detectors_put(mount->detectors, detector);
	/* Replaced meanwhile: the next run sees another object and asks again. */
	return r == -ENOENT ? 0 : r;
}
