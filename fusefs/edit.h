/*
 * One change of a tenant: the only way names, attributes and contents change.
 *
 * Under the tenant's lock: begin, stage what shall be (copies of attributes and values, names to put and to take away),
 *commit. Commit builds one record of final values, appends it to the journal and only then touches memory, so a failed
 *append leaves everything as it was. What has no row yet (is_unborn) changes in memory alone; its row is born with the
 *first record that must name it.
 *
 *	struct edit edit;
 *
 *	edit_begin(&edit, tenant);
 *	edit_attributes(&edit, inode)->mode = mode;
 *	r = edit_commit(&edit);
 *
 * Staging never fails on the spot: an error (no memory, too much) sticks and commit returns it.
 */
#pragma once
#include "fusefs/tenant.h"
#include "shared/model/change.h"

enum { EDIT_INODES_MAX = 8, EDIT_NAMES_MAX = 4 };

struct staged_inode {
	struct inode *inode;
	struct attributes attributes;
	struct file_values values; /* of a file */
	int64_t row_size;	   /* of a file: the size its row shall have */
	int64_t user_attribute_bytes;
	bool is_new;	  /* in no table yet; freed when the edit fails */
	bool is_soft;	  /* times alone: not worth a record of its own */
	bool is_born;	  /* gets its row now */
	bool is_recorded; /* set by commit: the record has it */
};

struct staged_name {
	struct entry *entry; /* to put: new; to take away: in the tree */
	struct folder *folder;
	struct inode *inode; /* to put */
};

struct edit {
	struct tenant *tenant;
	int64_t now_ns;
	int error;
	bool frees_space; /* may use the journal's reserve: unlink and truncate must work on a full disk */
	struct staged_inode inodes[EDIT_INODES_MAX];
	int inode_count;
	struct staged_name put[EDIT_NAMES_MAX], taken[EDIT_NAMES_MAX];
	int put_count, taken_count;
};

void edit_begin(struct edit *edit, struct tenant *tenant);
/* Gives up: frees what was staged. Not after commit, which does so itself when it fails. */
void edit_abort(struct edit *edit);

struct staged_inode *edit_inode(struct edit *edit, struct inode *inode);
struct attributes *edit_attributes(struct edit *edit, struct inode *inode);
struct file_values *edit_values(struct edit *edit, struct file *file);
/* A new inode, owned by the edit until commit. unborn: only in memory for now. */
struct staged_inode *edit_new(struct edit *edit, struct inode *inode, bool is_unborn);
/* Gives an unborn inode its row in this record, with all its names and attributes. */
void edit_bear(struct edit *edit, struct inode *inode);
/* Sets mtime and ctime of a folder whose names change. */
void edit_touch(struct edit *edit, struct folder *folder);
void edit_put_name(struct edit *edit, struct folder *folder, const char *name, size_t length, struct inode *inode);
void edit_take_name(struct edit *edit, struct entry *entry);
/* Takes a name away and counts the link down; with the last link the row goes too, unless the file is open. */
void edit_unlink(struct edit *edit, struct entry *entry);
/* Anything else that belongs into the same record. */
void edit_change(struct edit *edit, const struct change *change);

/*
 * 0: in the journal and in memory. -EAGAIN, -EROFS, -ENOSPC, -EIO as durable_append; -ENOMEM; -EMSGSIZE: too large for
 * a record. -EIO also when the lease ran out in between: then memory has the change, and it is not known whether it
 * will last.
 */
int edit_commit(struct edit *edit);
