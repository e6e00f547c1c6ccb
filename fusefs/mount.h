/*
 * The context of one mount: what main() builds and every request reaches. Constant once the mount answers, so any
 * thread may read it; what changes is behind the locks of its parts.
 */
#pragma once
#include <limits.h>
#include <stdatomic.h>
#include "fusefs/request.h"
#include "fusefs/stats.h"
#include "fusefs/tenant.h"

struct config;
struct detectors;
struct durable;
struct invalidator;
struct loader;
struct runner;
struct store;
struct tenants;
struct words;

struct mount_options {
	char mountpoint[PATH_MAX];	    /* absolute */
	char tenant_code[TENANT_CODE_SIZE]; /* "": all */
	char fuse_options[1024];	    /* for libfuse, comma-separated */
	bool is_foreground, allow_other;
	bool has_xattr_list, lists_writable_only; /* -o xattr_list=…; writable */
	int64_t cache_bytes;
	int parked_per_user;
	int64_t deadline_ms; /* of a parked request */
	int threads;
	int lease_wait_ms; /* how long the start waits for the lease of a mount that died */
};

struct mount {
	const struct config *config;
	struct mount_options options;
	uint32_t own_uid, own_gid;
	int64_t started_ns; /* realtime: the times of virtual nodes */
	struct store *store;
	struct durable *durable;
	struct loader *loader;
	struct words *words;
	struct runner *runner;
	struct detectors *detectors;
	struct invalidator *invalidator;
	struct tenants *tenants;
	struct fuse_session *session;
	bool is_mounted;
	uint64_t init_unique; /* the INIT request whose answer is completed (session.c) */
	_Atomic bool patches_init;
	struct parking parking;
	struct stats stats;
	_Atomic int64_t cache_used; /* bytes of all trees, about */
	_Atomic bool is_ending;
	_Atomic bool is_low_on_space; /* storage at the emergency level */
	_Atomic int64_t space_checked_ns;
	void (*ready)(struct mount *mount); /* called once when the kernel has said INIT */
	int ready_fd;			    /* the waiting parent's pipe, -1 */
};

/* Entry and attribute lifetimes in the kernel, seconds. One writer, so long; what changes otherwise is invalidated. */
#define LIFETIME_HELD_S	     86400.0
#define LIFETIME_FOLLOWING_S 1.0

/* --- mount.c --- */
/*
 * Builds everything behind the mount: store, database, threads, tenants; replays what a dead mount left. After
 * daemonizing, before the kernel is told. A negative errno and one line in ret_error.
 */
int mount_start(struct mount *mount, char *ret_error, size_t error_size);
/* Serves until it is unmounted or a signal comes. 0 or a negative errno with one line in ret_error. */
int mount_serve(struct mount *mount, char *ret_error, size_t error_size);
/* Settles open files, gives leases back, ends the threads. Also after a start that failed half way. */
void mount_stop(struct mount *mount);
