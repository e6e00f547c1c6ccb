/* The operations, one function each (operations.h), and what they share. */
#pragma once
#include "fusefs/edit.h"
#include "fusefs/request.h"
#include "fusefs/tenant.h"

#define OPERATION(id, name, function) int function(struct request *request);
#include "fusefs/operations.h"
#undef OPERATION

extern const struct fuse_lowlevel_ops fuse_operations; /* fuse_ops.c */

/* --- answers (answer.c) --- */
void inode_stat(const struct tenant *tenant, const struct inode *inode, struct stat *ret_stat); /* lock held */
/* Attributes of what no row stands behind. */
void virtual_stat(const struct mount *mount, uint64_t node, uint32_t mode, struct stat *ret_stat);
/* Lock held: the tenant's folder as an entry; it needs no tree, so the lease is not needed either. */
void tenant_entry(struct tenant *tenant, struct fuse_entry_param *ret_entry);
double lifetime_s(const struct tenant *tenant);
/* Lock held: an entry for the kernel; counts the lookup, so it must be sent, or given back when sending fails. */
void inode_entry(struct tenant *tenant, struct inode *inode, struct fuse_entry_param *ret_entry);
/* No lock: sends an entry (for a create with request->file) and ends the request; takes the lookup back when the kernel
 * no longer wants it. */
int send_entry(struct request *request, const struct fuse_entry_param *entry);
int send_attributes(struct request *request, const struct stat *stat, double seconds);
int send_negative(struct request *request, double seconds); /* the name is not there, remember that for so long */
/* Sends the entry, or success when entry is NULL; through the drop box only when the kernel has dropped the real name.
 */
int send_change(struct request *request, bool is_dropbox, const struct fuse_entry_param *entry);
/* The kernel gave back so many lookups of a node. */
void forget_node(struct mount *mount, uint64_t node, uint64_t count);
/* The handle of a create whose answer the kernel did not want. */
void release_unsent(struct request *request);

/* --- what operations look up; lock held --- */
/* The inode behind a node, loaded when it must be. -ESTALE: it is gone. */
int find_inode(struct request *request, struct tenant *tenant, uint64_t node, struct inode **ret_inode);
int find_folder(struct request *request, struct tenant *tenant, uint64_t node, struct folder **ret_folder);
/* One name in a folder. 0; -ENOENT; REQUEST_PARKED. */
int find_entry(struct request *request, struct tenant *tenant, struct folder *folder, const char *name, size_t length,
	       struct entry **ret_entry);

/* The file of an id (fs_…), which the caller may reach through the folders above it. -ENOENT, -EACCES, REQUEST_PARKED.
 */
int find_by_id(struct request *request, struct tenant *tenant, const char *file_id, struct file **ret_file);

/* --- place.c: which folder a name of a request really lies in --- */
struct place {
	struct folder *folder;
	const char *name;
	size_t length;
	bool is_dropbox; /* named directly in the tenant folder */
};

enum place_use {
	PLACE_LOOK,	 /* it need not be there */
	PLACE_PUT_FILE,	 /* a regular file gets this name */
	PLACE_PUT_OTHER, /* anything else does: not through the drop box */
	PLACE_TAKE,	 /* the name goes */
};

/* Reads the caller's groups when this name goes through the drop box; before the lock. */
void place_prepare(struct request *request, uint64_t parent, const char *name);
void groups_prepare(struct request *request); /* for access_check(), before the lock */
/* Lock held. Checks in the drop box what the kernel checked in another folder. */
int place_find(struct request *request, struct tenant *tenant, uint64_t parent, const char *name, enum place_use use,
	       struct place *ret_place);
/* The sticky bit of a drop box's month: -EPERM. */
int place_may_take(const struct request *request, const struct place *place, const struct inode *inode);
/* mask of 4 (read), 2 (write), 1 (search): -EACCES. */
int access_check(const struct request *request, const struct attributes *attributes, int mask);

/* --- month.c --- */
/* The folder of a month, made when it is the current one and not there yet. -ENOENT; REQUEST_PARKED; errors of
 * edit_commit. */
int month_folder(struct request *request, struct tenant *tenant, const char *month, struct folder **ret_folder);
int month_make(struct tenant *tenant, const char *month, struct folder **ret_folder);
void month_now(char ret_month[8]);
uint32_t month_index(const char *month); /* year * 12 + month - 1: what the node of `current` carries */
void month_of_index(uint32_t index, char ret_month[8]);

/* --- new inodes (create.c) --- */
/* A new inode with a number, times of now and the owner a folder gives. -ENOBUFS: no number at hand. */
int new_inode(struct request *request, struct tenant *tenant, const struct folder *folder, uint32_t mode,
	      struct inode **ret_inode);
/* Quota, name rules and free name for something new in place. */
int check_new_name(struct request *request, struct tenant *tenant, const struct place *place, bool is_file);
