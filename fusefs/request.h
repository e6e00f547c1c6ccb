/*
 * A request of the kernel: its arguments, the operation that answers it, and how it waits.
 *
 * An operation is a function that runs to its end without waiting for PostgreSQL, a lease or a commit. When it needs
 * something that is not there it parks: the request is copied to the heap with all it points to, queued with whoever is
 * fetching the thing, and run again *from the start* when it has come. So an operation has no side effect before the
 * point where it can no longer park. No worker thread ever waits for another request.
 *
 * What an operation returns: 0, it has replied (or handed the request on); a negative errno, request_run replies it;
 * REQUEST_PARKED. Never replied are -EAGAIN, the journal is at its limit, and -ENOBUFS, no inode number is at hand:
 * request_run parks for them.
 */
#pragma once
#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mount;
struct tenant;

struct request;
typedef int request_fn(struct request *request);

enum { REQUEST_PARKED = 1, REQUEST_RUNS_MAX = 64 };

enum operation_id {
#define OPERATION(id, ...) OPERATION_##id,
#include "fusefs/operations.h"
#undef OPERATION
	OPERATION_COUNT
};

struct request {
	struct mount *mount;
	fuse_req_t fuse;
	enum operation_id operation;
	uint32_t uid, gid;
	int64_t started_ns, deadline_ns; /* monotonic; deadline INT64_MAX: nobody waits for it (release) */
	int error;			 /* how a wait ended; the next run replies it */
	int runs;
	bool is_on_heap;
	struct request *next;  /* in a wait list */
	struct tenant *tenant; /* the one it last entered */

	/* Arguments, as the operation has them. Pointers are the kernel buffer's, or into the heap copy. */
	uint64_t node, other_node;
	const char *name, *other_name;
	const void *bytes;
	size_t size; /* of bytes, or of the answer wanted */
	int64_t offset, other_offset;
	uint32_t mode, flags;
	uint64_t rdev;
	int to_set;
	struct stat attributes;
	struct fuse_file_info file, other_file;
	bool has_file;

	/* What a run judged outside the lock, so that the next need not: this content may have this request's new name.
	 */
	int64_t judged_inode, judged_object;
	/* The part of a folder a wait has listed, as struct folder's window; valid while the folder's drops is the
	 * same. */
	int64_t listed_after, listed_to;
	uint32_t listed_drops;
	uint32_t *groups; /* the caller's supplementary groups, once asked for */
	int group_count;
	void *loaded; /* what a wait fetched for this request alone; freed by loaded_free */
	void (*loaded_free)(void *loaded);
};

struct wait_list {
	struct request *first, *last;
};

/* How many requests wait, by user: slots are shared by uids that collide. */
enum { PARKED_USER_SLOTS = 256 };
struct parking {
	_Atomic int counts[PARKED_USER_SLOTS];
	_Atomic int total;
};

/* From the FUSE worker, with the arguments filled in: runs, replies, parks. */
void request_run(struct request *request);

/*
 * Parks a request in a list; the lock of the list is held. REQUEST_PARKED; then the caller's request is gone. -EIO: its
 * deadline has passed or it was run too often; -EBUSY: its user has too many waiting; -ENOMEM.
 */
int request_park(struct request *request, struct wait_list *list);
/* Copies a request to the heap (or gives the one that is there already), to be handed to request_resume() later. */
int request_keep(struct request *request, struct request **ret_request);
/* Runs it again on a thread of the runner. error not 0: what it waited for failed; that is replied. From any thread, no
 * lock. */
void request_resume(struct request *request, int error);
/* For whoever replies in the place of request_run (invalidator.c): counts it and frees it. */
void request_finished(struct request *request, int error);
/* Takes all of a list, which its lock protects, to be resumed when the lock is released. */
struct request *wait_list_take(struct wait_list *list);
void wait_list_resume(struct request *first, int error);
/* The callback of durable_when_committed and durable_when_room: context is a kept request. */
void request_resume_callback(void *context, int error);

/* --- replies; each ends the request --- */
int reply_error(struct request *request, int error); /* 0 or a negative errno */
int reply_bytes(struct request *request, const void *bytes, size_t length);
/* An attribute or a list of them: the size when none was asked for, -ERANGE when it does not fit. */
int reply_value(struct request *request, const void *bytes, size_t length);
int reply_written(struct request *request, size_t count);
