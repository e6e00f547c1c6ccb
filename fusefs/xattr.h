/*
 * Extended attributes. What PostgreSQL knows of a file is one table of names (xattr_file.c, xattr_tenant.c), each with
 * how it is read and, when it is the user's own, written; every other user.* is kept byte for byte (xattr_user.c).
 */
#pragma once
#include "fusefs/edit.h"
#include "fusefs/extraction.h"
#include "fusefs/request.h"
#include "fusefs/tenant.h"

enum { XATTR_VALUE_MAX = 65536, XATTR_NAMES_MAX = 65536, XATTR_OWN_NAMES_MAX = 2048 };

struct xattr_context {
	struct request *request;
	struct tenant *tenant;
	struct inode *inode;
	struct file *file; /* NULL: no regular file */
	const struct extraction
		*extraction; /* when the attribute asked for it; NULL: nothing is known, or nothing published */
};

enum xattr_flags {
	XATTR_LISTED = 1,
	XATTR_WRITABLE = 2,
	XATTR_TRUSTED = 4, /* root and this daemon's own user may write it */
	XATTR_EXTRACTION = 8,
	XATTR_WHOLE_TEXT = 16, /* needs the text, however long */
};

struct xattr {
	const char *name;
	unsigned flags;
	/* Appends the value; -ENODATA: it does not exist (yet). Lock held. */
	int (*get)(const struct xattr_context *context, struct buf *value);
	/* Stages a new value (NULL: remove it); -EINVAL. Lock held. */
	int (*set)(const struct xattr_context *context, struct edit *edit, const char *value, size_t length);
};

extern const struct xattr file_xattrs[], tenant_xattrs[]; /* the last has name NULL */

/* --- xattr_user.c; lock held, the inode's user attributes known --- */
int user_xattr_set(struct request *request, struct tenant *tenant, struct inode *inode);
int user_xattr_remove(struct request *request, struct tenant *tenant, struct inode *inode);
