/*
 * libfuse 3.14 (Debian 12) does not know FUSE_HANDLE_KILLPRIV_V2, without which the kernel asks for security.capability
 * before each write: a second round trip for every small file. So where libfuse cannot say it, the bit is put into the
 * answer to INIT on its way to the kernel. What it promises is kept: whoever writes, truncates or gives a file away
 * takes setuid and setgid from it.
 */
#include "fusefs/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "fusefs/ops.h"
#include "shared/base/log.h"

#ifndef FUSE_CAP_HANDLE_KILLPRIV_V2
enum { INIT_SIZE = 4 * sizeof(uint32_t) /* major, minor, max_readahead, flags */ };

static ssize_t receive(int fd, void *bytes, size_t size, void *userdata)
{
	const struct fuse_in_header *header = bytes;
	const struct fuse_init_in *init = (const struct fuse_init_in *)(header + 1);
	struct mount *mount = userdata;
	ssize_t n = read(fd, bytes, size);

	/* Old kernels send a shorter INIT, without the flags of later ones. */
	if (n >= (ssize_t)(sizeof(*header) + INIT_SIZE) && header->opcode == FUSE_INIT &&
	    (init->flags & FUSE_HANDLE_KILLPRIV_V2)) {
		mount->init_unique = header->unique;
		atomic_store(&mount->patches_init, true);
	}
	return n;
}

static ssize_t send_reply(int fd, struct iovec *parts, int count, void *userdata)
{
	const struct fuse_out_header *header = parts[0].iov_base;
	struct mount *mount = userdata;

	if (atomic_load_explicit(&mount->patches_init, memory_order_acquire) && header->unique == mount->init_unique) {
		struct fuse_init_out *init = count > 1 ? parts[1].iov_base : NULL;

		atomic_store(&mount->patches_init, false);
		if (init && header->error == 0)
			init->flags |= FUSE_HANDLE_KILLPRIV_V2;
	}
	return writev(fd, parts, count);
}

static ssize_t receive_spliced(int fd_in, off_t *offset_in, int fd_out, off_t *offset_out, size_t size, unsigned flags,
			       void *userdata)
{
	(void)userdata;
	return splice(fd_in, offset_in, fd_out, offset_out, size, flags);
}

static int hook(struct mount *mount)
{
	static const struct fuse_custom_io io = {
		.read = receive,
		.writev = send_reply,
		.splice_receive = receive_spliced,
		.splice_send = receive_spliced,
	};

	return fuse_session_custom_io(mount->session, &io, fuse_session_fd(mount->session));
}
#else
static int hook(struct mount *mount)
{
	(void)mount;
	return 0;
}
#endif

static int new_session(struct mount *mount)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);

	if (fuse_opt_add_arg(&args, "fusefs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, mount->options.fuse_options) == 0)
		mount->session = fuse_session_new(&args, &fuse_operations, sizeof(fuse_operations), mount);
	fuse_opt_free_args(&args);
	return mount->session ? 0 : -EINVAL;
}

static int fail(int error, char *ret_error, size_t size, const char *what, const char *detail)
{
	snprintf(ret_error, size, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
	return error;
}

int session_open(struct mount *mount, char *ret_error, size_t error_size)
{
	int r = new_session(mount);

	if (r < 0)
		return fail(r, ret_error, error_size, "FUSE did not take the mount options",
			    mount->options.fuse_options);
	/* libfuse leaves a signal alone that is ignored, and scripts ignore INT for what they start in the background.
	 */
	signal(SIGINT, SIG_DFL);
	if (fuse_set_signal_handlers(mount->session) < 0)
		return fail(-EINVAL, ret_error, error_size, "signals cannot be handled", NULL);
	if (fuse_session_mount(mount->session, mount->options.mountpoint) < 0)
		return fail(-EIO, ret_error, error_size, mount->options.mountpoint, "could not be mounted");
	mount->is_mounted = true;
	r = hook(mount);
	return r < 0 ? fail(r, ret_error, error_size, "FUSE could not be prepared", strerror(-r)) : 0;
}

int session_loop(struct mount *mount)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int r;

	if (!config)
		return -ENOMEM;
	/* Threads that come and go cost more than threads that wait. */
	fuse_loop_cfg_set_max_threads(config, (unsigned)mount->options.threads);
	fuse_loop_cfg_set_idle_threads(config, (unsigned)mount->options.threads);
	fuse_loop_cfg_set_clone_fd(config, 0);
	r = fuse_session_loop_mt(mount->session, config);
	fuse_loop_cfg_destroy(config);
	/* A positive result is the signal that ended it. */
	return r < 0 ? r : 0;
}

void session_unmount(struct mount *mount)
{
	if (!mount->is_mounted)
		return;
	fuse_session_unmount(mount->session);
	mount->is_mounted = false;
}

void session_close(struct mount *mount)
{
	if (!mount->session)
		return;
	fuse_remove_signal_handlers(mount->session);
	session_unmount(mount);
	fuse_session_destroy(mount->session);
	mount->session = NULL;
}
