/* The connection to the kernel: made, served by threads, ended. */
#pragma once
#include "fusefs/mount.h"

/* Negative errno and one line in ret_error. */
int session_open(struct mount *mount, char *ret_error, size_t error_size);
/* Serves until it is unmounted or SIGTERM, SIGINT or SIGHUP comes. */
int session_loop(struct mount *mount);
/* Lazily where files are open: they get ENOTCONN from then on. */
void session_unmount(struct mount *mount);
/* Frees it, unmounted before. Takes a session that was never opened. */
void session_close(struct mount *mount);
