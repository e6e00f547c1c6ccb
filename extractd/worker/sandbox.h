/*
 * The walls around a child that reads a tenant's file.
 *
 *   sandbox_prepare()  in the zygote, once: the Landlock ruleset and the seccomp program, so that a child only has to
 * put them on sandbox_enter()    in the child, before it is given anything of a tenant sandbox_limit()    in the child,
 * when the job's limits are known
 *
 * What holds afterwards: no new privileges, not dumpable, killed with its parent; files can be opened for reading below
 * a few folders of data only (Landlock), nothing can be written but the descriptors held; no sockets, processes,
 * threads, tracing (seccomp); memory, CPU time, file size and descriptors are bounded (rlimits).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SANDBOX_JOB_FD = 3,  /* the job comes from here and the frames go there */
	SANDBOX_COPY_FD = 4, /* memory file for libraries that want a path */
	SANDBOX_FD_MAX = 32
};

struct sandbox_options {
	bool may_lack_landlock; /* the kernel has none: then no file is opened at all, so some encodings and fonts are
				   missing */
	bool is_orphan;		/* no parent to die with: the command line */
};

/* 0. -ENOSYS: the kernel lacks Landlock (fail closed). Other errors: seccomp or a folder could not be set up. */
int sandbox_prepare(const struct sandbox_options *options);
/* The version of Landlock found; 0: none. */
int sandbox_landlock_abi(void);
/* As root: becomes uid and gid, with no other groups, for good. Otherwise nothing. Clears the parent-death signal. */
int sandbox_drop_root(uid_t uid, gid_t gid);
/*
 * parent: getpid() of the one who forked. Closes every descriptor above SANDBOX_COPY_FD. Negative errno: then exit,
 * read nothing.
 */
int sandbox_enter(pid_t parent);
/* memory_bytes beside what the process had at sandbox_prepare() and beside mapped_bytes of input. */
int sandbox_limit(uint64_t memory_bytes, uint64_t mapped_bytes, uint32_t time_ms);
