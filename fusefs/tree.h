/*
 * The tree of one tenant in memory: inodes and the entries that name them, loaded on demand and evicted when clean.
 *
 * Everything here is under the tenant's tree lock (struct tenant, lock); nothing here waits, calls the kernel or
 * PostgreSQL. README.md tells the idea; tree_check() tests the invariants in debug builds:
 *
 *   an inode                        is in `inodes`; a regular file also in `files`, by its id
 *   an inode with nlink > 0         has an entry in memory, its folder has one too, and so on up to the root
 *   an inode with nlink == 0        has no entry; is_gone once no handle is open: then its row is deleted
 *   is_unborn                       no row and no record of it yet: it vanishes with the process; never evicted, never
 * pending position > committed            pending: PostgreSQL does not have it yet; never evicted a positive entry is
 * in `entries` and in its folder's order; its inode is in memory a negative entry (inode NULL)   is in `entries` and in
 * `negatives`: the name is known not to be there a complete folder               a name that has no entry does not
 * exist child_count                     positive entries of the folder
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "fusefs/list.h"
#include "shared/base/table.h"
#include "shared/model/rows.h"

struct extraction;
struct mount;
struct open_file;
struct tenant;
struct user_attributes;

/* What stat shows and a node row keeps. size_bytes is what readers see; while a writer is open the row's is
 * open_file.row_size. */
struct attributes {
	uint32_t mode; /* type and permission bits, as st_mode */
	int32_t nlink;
	uint32_t uid, gid;
	int64_t size_bytes, atime_ns, mtime_ns, ctime_ns;
};

struct inode {
	struct table_link by_number;
	struct list_link used; /* in tree.used, or in tree.gone */
	int64_t number;	       /* the database's; st_ino */
	uint64_t position;     /* of its last record in the journal */
	uint64_t lookup_count; /* the kernel's; approximate once it was evicted: only an inode with nlink 0 depends on
				  it */
	struct attributes attributes;
	int64_t btime_ns;
	struct entry *names; /* its entries in memory, by next_name */
	struct user_attributes *user_attributes;
	uint32_t user_attribute_bytes; /* names and values, as charged; known without loading them */
	char kind;		       /* f d l p s c b */
	bool is_unborn : 1;
	bool is_gone : 1;
	bool user_attributes_known : 1;
	bool has_later_atime : 1; /* memory's atime is newer than the row's: goes with the next record, or the janitor's
				   */
	bool is_dropped : 1;	  /* resolved through the drop box in the month it lies in */
};

struct folder {
	struct inode inode;
	struct entry *order; /* its positive entries, a treap by sequence (order.c) */
	int64_t child_count;
	int64_t negative_count; /* its negative entries */
	bool is_complete, was_prefetched;
	/* All entries with window_after < sequence <= window_to are in memory, as long as drops stays what it is. */
	int64_t window_after, window_to;
	uint32_t drops; /* counts positive entries that were evicted */
};

/* What few files have. Strings are the file's own, NULL when absent. */
struct file_extra {
	char *tags, *description, *metadata;
	char *original_name; /* bytes */
	size_t original_name_length;
	char *odd_path; /* an object path that object_path_format() would not give: of an adopted tree */
};

/* What a row says of a regular file beside its attributes. */
struct file_values {
	char status;	     /* u p e */
	char validation;     /* p o f */
	char visibility;     /* r u */
	uint16_t month;	     /* of the object's path: year * 12 + month - 1 */
	uint32_t generation; /* .<n> of the object's path, 0: none */
	uint8_t sha256[DIGEST_SIZE];
	int64_t object_id; /* 0: nothing published, or empty */
	int64_t uploaded_at_ns;
	const char *media_type, *extension, *uploaded_by; /* words, NULL when absent; extension is the object path's */
	struct file_extra *extra;
};

struct file {
	struct inode inode;
	struct table_link by_id;
	struct file_values values;
	char id[22];		       /* behind fs_, no NUL */
	uint8_t touches;	       /* counts .touch: what a load that began before says of its extraction is old */
	struct extraction *extraction; /* what is known of its extraction, NULL: ask */
	struct open_file *open;	       /* while it has handles */
};

struct special {
	struct inode inode;
	int64_t rdev;
	char *target; /* of a symbolic link, length in attributes.size_bytes */
};

struct entry {
	struct table_link by_name; /* hash of parent and name; also the treap's priority */
	struct folder *parent;
	struct inode *inode;		    /* NULL: the name is known not to be there */
	struct entry *next_name, **name_at; /* in inode->names: the next one, and what points here */
	union {
		struct {
			struct entry *left, *right; /* positive: in parent's order */
		};
		struct list_link negatives; /* negative: in tree.negatives, oldest first */
	};
	int64_t sequence;
	uint64_t position;
	uint8_t name_length;
	char name[];
};

struct tree {
	struct table inodes, files, entries;
	struct list_link used;	    /* inodes, least recently used first */
	struct list_link gone;	    /* inodes whose row is deleted, waiting for the commit and the kernel's forget */
	struct list_link negatives; /* entries */
	int64_t negative_count;
	int64_t bytes; /* memory of all this, about */
	uint64_t seed; /* of the hash of names: nobody outside can make them collide */
	struct folder *root;
};

static inline struct folder *folder_of(struct inode *inode)
{
	return inode && inode->kind == 'd' ? container_of(inode, struct folder, inode) : NULL;
}

static inline struct file *file_of(struct inode *inode)
{
	return inode && inode->kind == 'f' ? container_of(inode, struct file, inode) : NULL;
}

static inline struct special *special_of(struct inode *inode)
{
	return inode && inode->kind != 'f' && inode->kind != 'd' ? container_of(inode, struct special, inode) : NULL;
}

/* The same where the kind is known already. */
static inline struct folder *as_folder(struct inode *inode)
{
	return container_of(inode, struct folder, inode);
}

static inline struct file *as_file(struct inode *inode)
{
	return container_of(inode, struct file, inode);
}

static inline struct special *as_special(struct inode *inode)
{
	return container_of(inode, struct special, inode);
}

int tree_init(struct tree *tree);
void tree_release(struct tree *tree);

/* --- inodes (tree.c) --- */
/* A zeroed inode of that kind, in no table yet. NULL on no memory. */
struct inode *inode_new(char kind, int64_t number);
void inode_free(struct inode *inode); /* one that is in no table */
void file_extra_free(struct file_extra *extra);
struct file_extra *file_extra_copy(const struct file_extra *extra); /* of NULL: an empty one. NULL on no memory */
void tree_add(struct tree *tree, struct inode *inode);
/* Out of all tables and freed, with its entries. It must not be open. */
void tree_drop(struct tree *tree, struct inode *inode);
struct inode *tree_find(const struct tree *tree, int64_t number);
struct file *tree_find_file(const struct tree *tree, const char *file_id); /* fs_…, NUL-terminated */
void tree_used(struct tree *tree, struct inode *inode);			   /* most recently used now */
void file_id_text(const struct file *file, char ret_id[FILE_ID_SIZE]);

/* --- entries (entry.c) --- */
struct entry *tree_entry(const struct tree *tree, const struct folder *folder, const char *name, size_t length);
/* An entry in no folder yet; NULL on no memory. */
struct entry *entry_new(const char *name, size_t length);
/* Makes entry name inode in folder; a negative entry of that name goes. */
void tree_name(struct tree *tree, struct folder *folder, struct entry *entry, struct inode *inode, int64_t sequence,
	       uint64_t position);
/* The name is gone: the entry becomes a negative one. */
void tree_unname(struct tree *tree, struct entry *entry, uint64_t position);
/* Remembers that the name is not there. Silent on no memory: it will be asked again. */
void tree_name_absent(struct tree *tree, struct folder *folder, const char *name, size_t length);
void tree_forget_entry(struct tree *tree, struct entry *entry); /* out of memory, says nothing about the name */

/* --- the order of a folder's entries (order.c) --- */
void order_insert(struct folder *folder, struct entry *entry);
void order_remove(struct folder *folder, struct entry *entry);
struct entry *order_after(const struct folder *folder, int64_t sequence); /* the first with a greater one, or NULL */

/* --- eviction (evict.c) --- */
/* An estimate of the memory an inode takes with its first entry. */
int64_t inode_bytes(const struct inode *inode);
/*
 * Drops what is clean and has not been used for longest until the tree is at most target_bytes large or nothing more
 * can go. committed: what is at or below this journal position is in PostgreSQL, and no load in flight began before it
 * was. Returns the bytes given back.
 */
int64_t tree_evict(struct tree *tree, int64_t target_bytes, uint64_t committed, int steps_max);
/* Removed inodes and names that no load can bring back any more. Cheap; called after changes. */
void tree_sweep(struct tree *tree, uint64_t committed);

void tree_check(const struct tree *tree); /* debug builds: aborts when an invariant does not hold */
