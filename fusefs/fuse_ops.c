/* From libfuse's calls to requests. */
#include <errno.h>
#include "fusefs/mount.h"
#include "fusefs/ops.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "fusefs/invalidator.h"

static struct request request_of(fuse_req_t fuse, enum operation_id operation, fuse_ino_t node)
{
	const struct fuse_ctx *context = fuse_req_ctx(fuse);
	struct mount *mount = fuse_req_userdata(fuse);
	int64_t now_ns = clock_monotonic_ns();

	return (struct request){
		.mount = mount,
		.fuse = fuse,
		.operation = operation,
		.uid = context->uid,
		.gid = context->gid,
		.started_ns = now_ns,
		.deadline_ns = now_ns + mount->options.deadline_ms * NS_PER_MS,
		.node = node,
	};
}

static void set_file(struct request *request, const struct fuse_file_info *file)
{
	if (!file)
		return;
	request->file = *file;
	request->flags = (uint32_t)file->flags;
	request->has_file = true;
}

static void init(void *userdata, struct fuse_conn_info *conn)
{
	unsigned wanted = FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS |
			  FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
			  FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_ASYNC_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
	/* All changes pass through the kernel, so a new mtime is no reason to drop its pages. */
	const unsigned unwanted = FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_SPLICE_READ;
	struct mount *mount = userdata;

#ifdef FUSE_CAP_HANDLE_KILLPRIV_V2
	wanted |= FUSE_CAP_HANDLE_KILLPRIV_V2; /* an older libfuse is helped by session.c */
#endif
	conn->want |= conn->capable & wanted;
	conn->want &= ~unwanted;
	conn->time_gran = 1;
	invalidator_start(mount->invalidator);
	mount->ready(mount);
}

static void do_lookup(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request request = request_of(fuse, OPERATION_LOOKUP, parent);

	request.name = name;
	request_run(&request);
}

static void do_forget(fuse_req_t fuse, fuse_ino_t node, uint64_t count)
{
	forget_node(fuse_req_userdata(fuse), node, count);
	fuse_reply_none(fuse);
}

static void do_forget_multi(fuse_req_t fuse, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_node(fuse_req_userdata(fuse), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(fuse);
}

static void do_getattr(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_GETATTR, node);

	set_file(&request, file);
	request_run(&request);
}

static void do_setattr(fuse_req_t fuse, fuse_ino_t node, struct stat *attributes, int to_set,
		       struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_SETATTR, node);

	set_file(&request, file);
	request.attributes = *attributes;
	request.to_set = to_set;
	request_run(&request);
}

static void do_readlink(fuse_req_t fuse, fuse_ino_t node)
{
	struct request request = request_of(fuse, OPERATION_READLINK, node);

	request_run(&request);
}

static void do_mknod(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct request request = request_of(fuse, OPERATION_MKNOD, parent);

	request.name = name;
	request.mode = mode;
	request.rdev = rdev;
	request_run(&request);
}

static void do_mkdir(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct request request = request_of(fuse, OPERATION_MKDIR, parent);

	request.name = name;
	request.mode = mode;
	request_run(&request);
}

static void do_symlink(fuse_req_t fuse, const char *target, fuse_ino_t parent, const char *name)
{
	struct request request = request_of(fuse, OPERATION_SYMLINK, parent);

	request.name = name;
	request.other_name = target;
	request_run(&request);
}

static void do_unlink(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request request = request_of(fuse, OPERATION_UNLINK, parent);

	request.name = name;
	request_run(&request);
}

static void do_rmdir(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request request = request_of(fuse, OPERATION_RMDIR, parent);

	request.name = name;
	request_run(&request);
}

static void do_rename(fuse_req_t fuse, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
		      unsigned int flags)
{
	struct request request = request_of(fuse, OPERATION_RENAME, parent);

	request.name = name;
	request.other_node = new_parent;
	request.other_name = new_name;
	request.flags = flags;
	request_run(&request);
}

static void do_link(fuse_req_t fuse, fuse_ino_t node, fuse_ino_t new_parent, const char *new_name)
{
	struct request request = request_of(fuse, OPERATION_LINK, node);

	request.other_node = new_parent;
	request.name = new_name;
	request_run(&request);
}

static void do_create(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_CREATE, parent);

	set_file(&request, file);
	request.name = name;
	request.mode = S_IFREG | (mode & 07777U);
	request_run(&request);
}

static void do_open(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_OPEN, node);

	set_file(&request, file);
	request_run(&request);
}

static void do_read(fuse_req_t fuse, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_READ, node);

	set_file(&request, file);
	request.size = size;
	request.offset = offset;
	request_run(&request);
}

static void do_write(fuse_req_t fuse, fuse_ino_t node, const char *bytes, size_t size, off_t offset,
		     struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_WRITE, node);

	set_file(&request, file);
	request.bytes = bytes;
	request.size = size;
	request.offset = offset;
	request_run(&request);
}

static void do_flush(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_FLUSH, node);

	set_file(&request, file);
	request_run(&request);
}

static void do_release(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_RELEASE, node);

	set_file(&request, file);
	request_run(&request);
}

static void do_fsync(fuse_req_t fuse, fuse_ino_t node, int datasync, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_FSYNC, node);

	(void)datasync;
	set_file(&request, file);
	request_run(&request);
}

static void do_fallocate(fuse_req_t fuse, fuse_ino_t node, int mode, off_t offset, off_t length,
			 struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_FALLOCATE, node);

	set_file(&request, file);
	request.flags = (uint32_t)mode;
	request.offset = offset;
	request.size = (size_t)length;
	request_run(&request);
}

static void do_copy_file_range(fuse_req_t fuse, fuse_ino_t node, off_t offset, struct fuse_file_info *file,
			       fuse_ino_t other_node, off_t other_offset, struct fuse_file_info *other_file,
			       size_t length, int flags)
{
	struct request request = request_of(fuse, OPERATION_COPY_FILE_RANGE, node);

	set_file(&request, file);
	request.other_node = other_node;
	request.other_file = *other_file;
	request.offset = offset;
	request.other_offset = other_offset;
	request.size = length;
	request.flags = (uint32_t)flags;
	request_run(&request);
}

static void do_lseek(fuse_req_t fuse, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *file)
{
	struct request request = request_of(fuse, OPERATION_LSEEK, node);

	set_file(&request, file);
	request.offset = offset;
	request.flags = (uint32_t)whence;
	request_run(&request);
}

static void run_on_folder(fuse_req_t fuse, enum operation_id operation, fuse_ino_t node,
			  const struct fuse_file_info *file)
{
	struct request request = request_of(fuse, operation, node);

	set_file(&request, file);
	request_run(&request);
}

static void do_opendir(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	run_on_folder(fuse, OPERATION_OPENDIR, node, file);
}

static void do_releasedir(fuse_req_t fuse, fuse_ino_t node, struct fuse_file_info *file)
{
	run_on_folder(fuse, OPERATION_RELEASEDIR, node, file);
}

static void do_fsyncdir(fuse_req_t fuse, fuse_ino_t node, int datasync, struct fuse_file_info *file)
{
	(void)datasync;
	run_on_folder(fuse, OPERATION_FSYNCDIR, node, file);
}

static void list(fuse_req_t fuse, enum operation_id operation, fuse_ino_t node, size_t size, off_t offset)
{
	struct request request = request_of(fuse, operation, node);

	request.size = size;
	request.offset = offset;
	request_run(&request);
}

static void do_readdir(fuse_req_t fuse, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)file;
	list(fuse, OPERATION_READDIR, node, size, offset);
}

static void do_readdirplus(fuse_req_t fuse, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)file;
	list(fuse, OPERATION_READDIRPLUS, node, size, offset);
}

static void do_statfs(fuse_req_t fuse, fuse_ino_t node)
{
	struct request request = request_of(fuse, OPERATION_STATFS, node);

	request_run(&request);
}

static void do_setxattr(fuse_req_t fuse, fuse_ino_t node, const char *name, const char *value, size_t size, int flags)
{
	struct request request = request_of(fuse, OPERATION_SETXATTR, node);

	request.name = name;
	request.bytes = value;
	request.size = size;
	request.flags = (uint32_t)flags;
	request_run(&request);
}

static void do_getxattr(fuse_req_t fuse, fuse_ino_t node, const char *name, size_t size)
{
	struct request request = request_of(fuse, OPERATION_GETXATTR, node);

	request.name = name;
	request.size = size;
	request_run(&request);
}

static void do_listxattr(fuse_req_t fuse, fuse_ino_t node, size_t size)
{
	struct request request = request_of(fuse, OPERATION_LISTXATTR, node);

	request.size = size;
	request_run(&request);
}

static void do_removexattr(fuse_req_t fuse, fuse_ino_t node, const char *name)
{
	struct request request = request_of(fuse, OPERATION_REMOVEXATTR, node);

	request.name = name;
	request_run(&request);
}

const struct fuse_lowlevel_ops fuse_operations = {
	.init = init,
	.lookup = do_lookup,
	.forget = do_forget,
	.forget_multi = do_forget_multi,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.readlink = do_readlink,
	.mknod = do_mknod,
	.mkdir = do_mkdir,
	.symlink = do_symlink,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.rename = do_rename,
	.link = do_link,
	.create = do_create,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.flush = do_flush,
	.release = do_release,
	.fsync = do_fsync,
	.fallocate = do_fallocate,
	.copy_file_range = do_copy_file_range,
	.lseek = do_lseek,
	.opendir = do_opendir,
	.readdir = do_readdir,
	.readdirplus = do_readdirplus,
	.releasedir = do_releasedir,
	.fsyncdir = do_fsyncdir,
	.statfs = do_statfs,
	.setxattr = do_setxattr,
	.getxattr = do_getxattr,
	.listxattr = do_listxattr,
	.removexattr = do_removexattr,
};
