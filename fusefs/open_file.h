/*
 * A regular file that has handles: who reads and writes it, and the bytes they see.
 *
 * While a writer is open every handle sees the spool (an inode has one page cache). The states of the bytes:
 *
 *   CONTENT_PUBLISHED   what readers see is the object the row names (or nothing: an empty file)
 *   CONTENT_SPOOL       a spool holds other bytes; publish.c makes it the next object
 *   CONTENT_APPENDING   the object itself has grown behind row_size; publish.c lets the row follow, revert cuts it back
 *
 * One request at a time changes the bytes: it claims the file (is_busy) under the tree lock, works without the lock,
 * and gives it back; others that want to change it, or its names, park. Readers need no claim: they hold a reference to
 * the descriptor.
 */
#pragma once
#include <stdatomic.h>
#include "fusefs/edit.h"
#include "fusefs/tenant.h"
#include "shared/store/store.h"

enum content_state { CONTENT_PUBLISHED, CONTENT_SPOOL, CONTENT_APPENDING };

/* A descriptor shared by all that read or write through it at the moment. */
struct backing {
	_Atomic int references;
	struct spool spool; /* spool.fd is the descriptor */
	bool is_spool;	    /* not published: removed with the last reference */
	bool is_writable;
};

/* Why a content may not be: kept until the content is changed so that it may be judged anew. */
struct refusal {
	int error;
	const char *rule;
	bool is_lasting; /* more bytes do not help, only truncating: bytes were refused that are missing now */
	char reason[VERDICT_REASON_SIZE];
};

struct digest;

struct open_file {
	struct tenant *tenant;
	struct file *file;
	int readers, writers; /* handles */
	int64_t row_size;     /* what the row says; 0 for an unborn file */
	int64_t row_mtime_ns; /* before the bytes became dirty */
	int64_t charge;	      /* provisional bytes counted in the tenant's usage */
	enum content_state state;
	bool is_dirty;		/* bytes or size differ from what the row names */
	bool is_busy;		/* claimed; the fields below then belong to the claimer alone */
	int64_t size;		/* as attributes.size_bytes, which follows under the lock */
	bool is_new;		/* created through one of its handles: refused at the end, it goes */
	bool must_extract;	/* published since it was opened: the last writer's release queues the extraction */
	bool is_spool_recorded; /* CHANGE_SPOOL names the spool: the next publish or revert takes it back */
	bool head_is_judged;
	struct wait_list waiting;   /* for the claim */
	struct list_link in_tenant; /* tenant.open_files */
	struct list_link handles;
	struct list_link appending; /* in tenant.appending while APPENDING */
	struct backing *backing;    /* what readers see; NULL: not opened yet */
	struct digest *digest;
	int64_t digested; /* bytes from 0 on that the digest has seen; -1: read again at publish */
	int error;	  /* sticky: an I/O error of the bytes; the file is not published */
	struct refusal *refusal;
	/* The spool has an object's name on disk already (month, generation, extension, object_id), but no row names it
	 * yet: its record waits for room in the journal. */
	bool is_linked;
	struct file_values linked;
};

struct handle {
	struct list_link in_file; /* open->handles */
	struct open_file *open;
	bool is_writer, is_append;
	_Atomic int error; /* sticky: a write through this handle failed */
};

static inline struct handle *handle_of(const struct request *request)
{
	return (struct handle *)(uintptr_t)request->file.fh;
}

/* --- open_file.c; tree lock held unless said otherwise --- */
/* The open file of a file, made when it has none. The caller counts a reader or writer. NULL on no memory. */
struct open_file *open_file_get(struct tenant *tenant, struct file *file);
/* Frees it when no handle and no claim is left. */
void open_file_put(struct open_file *open);
struct handle *handle_new(struct tenant *tenant, struct file *file, bool is_writer,
			  bool is_append); /* NULL on no memory */
void handle_drop(struct handle *handle);   /* and the open file with the last one */
/* 0: claimed. Else as request_park: another request has it. */
int open_file_claim(struct request *request, struct open_file *open);
/* Gives the claim back; returns who waited, to be resumed after the unlock with wait_list_resume(). */
struct request *open_file_unclaim(struct open_file *open);

struct backing *backing_new(const struct spool *spool, bool is_spool, bool is_writable); /* takes the descriptor over */
struct backing *backing_ref(struct backing *backing);
void backing_unref(struct store *store, struct backing *backing); /* no lock needed; may close a descriptor */

/*
 * What to read from: a reference to the backing, opened now if it was not. Takes and releases the tree lock.
 * *ret_backing NULL: an empty file. *ret_size: its size now. -EIO and its like from the store. now_ns: notes that it is
 * read (relatime); 0 does not.
 */
int open_file_backing(struct open_file *open, int64_t now_ns, struct backing **ret_backing, int64_t *ret_size);

/* --- content.c: no lock held, the file is claimed --- */
enum content_change {
	CONTENT_WRITE,	  /* bytes from offset on */
	CONTENT_TRUNCATE, /* to the size offset */
};
/* Makes the bytes changeable: a new spool, a clone, or the object itself for an append. Negative errno. */
int content_prepare(struct open_file *open, enum content_change change, int64_t offset);
/* Writes all of it and feeds the digest. *ret_written also after an error. */
int content_write(struct open_file *open, const void *bytes, size_t size, int64_t offset, size_t *ret_written);
int content_truncate(struct open_file *open, int64_t size);
/* An append moves to a spool of its own, so that the object is as published again. */
int content_leave_append(struct open_file *open);
/* The digest no longer follows: something changed the bytes behind its back (fallocate, copy_file_range). */
void content_lost_track(struct open_file *open);
int content_sha256(struct open_file *open, int64_t size, uint8_t ret_sha256[DIGEST_SIZE]);

/* --- publish.c --- */
enum publish_when { PUBLISH_AT_FLUSH, PUBLISH_AT_LAST_RELEASE };
/*
 * Publishes a claimed file, no lock held. 0: the row names its bytes (or there was nothing to do). Otherwise nothing is
 * published and the spool is kept: the verdict's errno; -EAGAIN: the journal has no room, call again; -EIO and others.
 */
int publish(struct open_file *open, enum publish_when when);
/* fsync without publishing: the spool gets a name, is on disk, and the record says so. The file is claimed and in
 * CONTENT_SPOOL. */
int publish_later(struct open_file *open);
/* The last writer is gone: queues the extraction of what its flushes published. 0 or the errors of edit_commit. */
int publish_extraction(struct open_file *open);
/* An object that got its name but will get no row (the file was unlinked or refused): removed from disk. */
void content_drop_linked(struct open_file *open);
/*
 * Refuses a claimed file for good: a new one is removed, a changed one goes back to what was published. Recorded and
 * logged. 0 or the errors of edit_commit (-EAGAIN: call again).
 */
int refuse_content(struct open_file *open);
/* Back to what the row names; charges and the kernel's pages follow. Tree lock held. Returns the backing to unref after
 * it. */
struct backing *content_revert(struct open_file *open);

/* --- refuse.c --- */
void refusal_clear(struct open_file *open); /* with its sticky error: the file begins anew */
void refusal_set(struct open_file *open, int error, const char *rule, const char *reason);
/* Puts a refusal into the record of an edit: the rejection's row and its event. Lock held. */
struct refused {
	const char *name;
	size_t name_length;
	const char *file_id; /* "" when there was none yet */
	uint32_t uid;
	const char *rule, *reason;
};
void edit_refusal(struct edit *edit, const struct refused *refused);
void log_refusal(const struct tenant *tenant, const struct refused *refused);
/* A request that is refused before anything changed: logged and recorded. Lock held. Returns error, or -EAGAIN: no room
 * yet. */
int refuse_request(struct request *request, struct tenant *tenant, const struct refused *refused, int error);

/* --- event.c: rows of the outbox in the record of an edit --- */
void edit_event_file(struct edit *edit, const char *kind, const struct file *file, const struct file_values *values,
		     const char *name, size_t name_length, int64_t size);
