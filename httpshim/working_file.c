#include "httpshim/working_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "httpshim/mount.h"
#include "httpshim/name_hints.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"

enum { NAME_TRIES_MAX = 200, GALLOP_AFTER = 4 };

const char *working_file_check_name(const char *name, size_t length)
{
	if (length == 0)
		return "The file has no name.";
	if (length > NAME_MAX_BYTES)
		return "The name of the file is longer than 255 bytes.";
	if (memchr(name, '/', length) || memchr(name, '\0', length))
		return "The name of the file holds a slash or a NUL byte.";
	if (name[0] == '.')
		return "A name that begins with a dot is a working name, which no upload can have.";
	return NULL;
}

static int make_name(struct working_file *file, const char *extension)
{
	uint8_t random[16];
	char hex[33];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	hex_encode(random, sizeof(random), hex);
	clock_format_month(clock_realtime_ns(), file->folder);
	snprintf(file->path, sizeof(file->path), "%.*s/.upload-%s%s%s", CLOCK_MONTH_SIZE, file->folder, hex, *extension ? "." : "",
		 extension);
	return 0;
}

static int note_refusal(struct working_file *file, int error)
{
	if (error == -EPERM || error == -EFBIG || error == -EDQUOT || error == -ENOSPC)
		file->was_refused = true;
	return error;
}

int working_file_begin(struct server *server, struct tenant *tenant, const char *subject, const char *extension,
		       struct working_file *ret_file)
{
	struct working_file file = {.server = server, .fd = -1};
	int r;

	r = make_name(&file, extension);
	if (r == 0)
		r = mount_open(server->mount, tenant, file.path, O_CREAT | O_EXCL | O_WRONLY, 0660, &file.fd);
	if (r < 0)
		return r;
	file.has_name = true;
	file.tenant = tenant_ref(tenant);
	r = mount_set_privileged(file.fd, "user.tenantfs.uploaded_by", subject, strlen(subject));
	if (r == 0)
		r = mount_get_attribute(file.fd, "user.tenantfs.id", file.file_id, sizeof(file.file_id));
	if (r < 0) {
		working_file_release(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

int working_file_mark_partial(struct working_file *file)
{
	int r = mount_set_privileged(file->fd, "user.tenantfs.partial", "1", 1);

	return r == -EOPNOTSUPP ? 0 : r;
}

int working_file_write(struct working_file *file, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t n = write(file->fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return note_refusal(file, n < 0 ? -errno : -EIO);
		at += n;
		length -= (size_t)n;
		file->size_bytes += (uint64_t)n;
	}
	return 0;
}

int working_file_close(struct working_file *file)
{
	int fd = take_fd(&file->fd);

	if (fd < 0 || close(fd) == 0 || errno == EINTR)
		return 0;
	return note_refusal(file, -errno);
}

static int set(struct working_file *file, const char *name, const struct bytes *value)
{
	if (value->length == 0)
		return 0;
	return fsetxattr(file->fd, name, value->data, value->length, 0) < 0 ? note_refusal(file, -errno) : 0;
}

int working_file_set_attributes(struct working_file *file, const struct file_attributes *attributes)
{
	static const struct bytes public = {"public", 6};
	int r;

	identity_enter(file->tenant);
	r = set(file, "user.xdg.tags", &attributes->tags);
	if (r == 0)
		r = set(file, "user.xdg.comment", &attributes->description);
	if (r == 0)
		r = set(file, "user.tenantfs.metadata", &attributes->metadata);
	if (r == 0 && attributes->is_public)
		r = set(file, "user.tenantfs.visibility", &public);
	identity_leave();
	return r;
}

static int try_name(struct working_file *file, const struct bytes *name, int64_t number)
{
	char path[WORKING_PATH_SIZE + NAME_HINT_NAME_SIZE], text[NAME_HINT_NAME_SIZE];
	int r;

	name_hints_format(name->data, name->length, number, text);
	snprintf(path, sizeof(path), "%s/%s", file->folder, text);
	if (strlen(path) >= sizeof(file->path))
		return -ENAMETOOLONG;
	r = mount_rename(file->server->mount, file->tenant, file->path, path);
	if (r < 0)
		return r;
	memcpy(file->path, path, strlen(path) + 1);
	return 0;
}

static int keep_original(struct working_file *file, const struct bytes *original)
{
	return mount_set_privileged_at(file->server->mount, file->tenant, file->path, "user.tenantfs.original_name",
				       original->data, original->length);
}

/*
 * The first number is the hint's. Behind a few taken ones it goes on in growing steps: a shim that has just started finds the end of a
 * long series in a few tries; that some numbers stay unused does no harm.
 */
static int take_free_name(struct working_file *file, const struct bytes *name, bool has_original)
{
	struct name_hints *hints = file->server->name_hints;
	int64_t tenant_id = file->tenant->id, number, step = 1;
	int r = -EEXIST;

	number = name_hints_next(hints, tenant_id, file->folder, name->data, name->length);
	for (int tries = 0; tries < NAME_TRIES_MAX && r == -EEXIST; tries++) {
		r = number > 1 && !has_original ? keep_original(file, name) : 0;
		if (r < 0)
			return r;
		has_original = has_original || number > 1;
		r = try_name(file, name, number);
		if (r != -EEXIST)
			break;
		name_hints_taken(hints, tenant_id, file->folder, name->data, name->length, number);
		if (tries >= GALLOP_AFTER && step < 1000)
			step *= 2;
		number += step;
	}
	return r;
}

static bool is_same(const struct bytes *one, const struct bytes *other)
{
	return one->length == other->length && memcmp(one->data, other->data, one->length) == 0;
}

int working_file_publish(struct working_file *file, const struct bytes *name, const struct bytes *original, bool exact)
{
	bool has_original = !is_same(name, original);
	int r = working_file_close(file);

	if (r == 0 && has_original)
		r = keep_original(file, original);
	if (r == 0)
		r = exact ? try_name(file, name, 1) : take_free_name(file, name, has_original);
	if (r < 0)
		return note_refusal(file, r);
	file->has_name = false;
	return 0;
}

int working_file_wait(struct working_file *file)
{
	return mount_wait_committed(file->server->mount, file->tenant);
}

void working_file_release(struct working_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	/* When the mount is away it stays, and the sweep finds it. */
	if (file->has_name)
		mount_remove(file->server->mount, file->tenant, file->path);
	tenant_unref(file->tenant);
	*file = WORKING_FILE_NONE;
}
