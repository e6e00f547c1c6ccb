#include "fusefs/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "fusefs/atimes.h"
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/quota.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"

struct open_file *open_file_get(struct tenant *tenant, struct file *file)
{
	struct open_file *open = file->open;

	if (open)
		return open;
	open = calloc(1, sizeof(*open));
	if (!open)
		return NULL;
	open->tenant = tenant;
	open->file = file;
	open->size = file->inode.attributes.size_bytes;
	open->row_size = file->inode.is_unborn ? 0 : open->size;
	open->digested = -1;
	list_init(&open->handles);
	list_append(&tenant->open_files, &open->in_tenant);
	file->open = open;
	return open;
}

struct handle *handle_new(struct tenant *tenant, struct file *file, bool is_writer, bool is_append)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	struct open_file *open = handle ? open_file_get(tenant, file) : NULL;

	if (!open) {
		free(handle);
		return NULL;
	}
	handle->open = open;
	handle->is_writer = is_writer;
	handle->is_append = is_append;
	list_append(&open->handles, &handle->in_file);
	if (is_writer)
		open->writers++;
	else
		open->readers++;
	return handle;
}

void handle_drop(struct handle *handle)
{
	struct open_file *open = handle->open;

	if (handle->is_writer)
		open->writers--;
	else
		open->readers--;
	list_remove(&handle->in_file);
	free(handle);
	open_file_put(open);
}

void open_file_put(struct open_file *open)
{
	struct store *store = open->tenant->mount->store;

	if (open->readers > 0 || open->writers > 0 || open->is_busy)
		return;
	/* Neither published nor refused, because nothing can be recorded any more: the file is again what its row says.
	 */
	if (open->is_dirty)
		backing_unref(store, content_revert(open));
	open->tenant->usage.provisional_bytes -= open->charge;
	open->file->open = NULL;
	list_remove(&open->appending);
	list_remove(&open->in_tenant);
	digest_free(open->digest);
	free(open->refusal);
	backing_unref(store, open->backing);
	free(open);
}

int open_file_claim(struct request *request, struct open_file *open)
{
	if (open->is_busy)
		return request_park(request, &open->waiting);
	open->is_busy = true;
	return 0;
}

struct request *open_file_unclaim(struct open_file *open)
{
	open->is_busy = false;
	return wait_list_take(&open->waiting);
}

struct backing *backing_new(const struct spool *spool, bool is_spool, bool is_writable)
{
	struct backing *backing = calloc(1, sizeof(*backing));

	if (!backing)
		return NULL;
	atomic_init(&backing->references, 1);
	backing->spool = *spool;
	backing->is_spool = is_spool;
	backing->is_writable = is_writable;
	return backing;
}

struct backing *backing_ref(struct backing *backing)
{
	if (backing)
		atomic_fetch_add(&backing->references, 1);
	return backing;
}

void backing_unref(struct store *store, struct backing *backing)
{
	if (!backing || atomic_fetch_sub(&backing->references, 1) != 1)
		return;
	if (backing->is_spool)
		spool_discard(store, &backing->spool);
	else
		close(backing->spool.fd);
	free(backing);
}

static int open_object(struct open_file *open, const char *path, struct backing **ret_backing)
{
	struct spool object = {.fd = -1};
	int r = store_open(open->tenant->mount->store, open->tenant->code, path, O_RDONLY, &object.fd);

	/* The row names it, so its absence is damage, not an answer. */
	if (r < 0)
		return r == -ENOENT ? -EIO : r;
	*ret_backing = backing_new(&object, false, false);
	if (*ret_backing)
		return 0;
	close(object.fd);
	return -ENOMEM;
}

/* relatime: the time of a read is kept when the last one known is older than a change, or than a day. */
static void note_read(struct open_file *open, int64_t now_ns)
{
	struct inode *inode = &open->file->inode;
	struct attributes *attributes = &inode->attributes;
	int64_t atime_ns = attributes->atime_ns;

	if (now_ns == 0)
		return;
	if (atime_ns > attributes->mtime_ns && atime_ns > attributes->ctime_ns && now_ns - atime_ns < 86400 * NS_PER_S)
		return;
	attributes->atime_ns = now_ns;
	if (!inode->is_unborn && !inode->has_later_atime)
		inode->has_later_atime = atimes_note(open->tenant, inode->number);
}

/* Lock held. True when there is something to read from, or nothing to read. */
static bool look(struct open_file *open, struct backing **ret_backing, int64_t *ret_size,
		 char ret_path[OBJECT_PATH_SIZE])
{
	*ret_size = open->file->inode.attributes.size_bytes;
	*ret_backing = backing_ref(open->backing);
	if (*ret_backing || open->state != CONTENT_PUBLISHED || open->file->values.object_id == 0)
		return true;
	object_path(open->file, &open->file->values, ret_path);
	return false;
}

int open_file_backing(struct open_file *open, int64_t now_ns, struct backing **ret_backing, int64_t *ret_size)
{
	struct tenant *tenant = open->tenant;
	struct backing *opened = NULL;
	char path[OBJECT_PATH_SIZE];
	bool is_found;
	int r;

	pthread_mutex_lock(&tenant->lock);
	note_read(open, now_ns);
	is_found = look(open, ret_backing, ret_size, path);
	pthread_mutex_unlock(&tenant->lock);
	if (is_found)
		return 0;
	r = open_object(open, path, &opened);
	pthread_mutex_lock(&tenant->lock);
	is_found = look(open, ret_backing, ret_size, path);
	if (!is_found && r == 0) {
		open->backing = backing_ref(opened);
		*ret_backing = backing_ref(opened);
	}
	pthread_mutex_unlock(&tenant->lock);
	backing_unref(tenant->mount->store, opened);
	/* Published anew meanwhile: what is found now counts, not the object that is gone. */
	return is_found ? 0 : r;
}
