/*
 * The rows of sql/migrations/0001_core.sql as the programs hold them. Strings and bytes inside are borrowed: they live as long
 * as what they were decoded from (a record, a query result); whoever keeps a row longer copies them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/digest.h"

enum { TENANT_CODE_SIZE = 64, NAME_MAX_BYTES = 255, OBJECT_PATH_SIZE = 80 /* "2026-11/fs_….4294967295.ext" */, INODE_BLOCK_BITS = 16 };

struct bytes {
	const char *data; /* NULL: absent (SQL NULL) */
	size_t length;
};

struct node_row {
	int64_t inode;
	char kind; /* f d l p s c b */
	uint32_t mode;
	int32_t nlink;
	int64_t uid, gid, rdev, size_bytes;
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
	struct bytes link_target;
	/* regular files */
	char file_id[FILE_ID_SIZE]; /* "" for others */
	int64_t object_id;	    /* 0: none */
	char status;		    /* u p e, 0 */
	char validation;	    /* p o f, 0 */
	int64_t uploaded_at_ns;	    /* 0: never published */
	struct bytes uploaded_by, original_name;
	char visibility; /* r u */
	struct bytes tags, description, metadata;
};

struct entry_row {
	int64_t parent_inode;
	struct bytes name;
	int64_t inode;
	char kind;
	int64_t sequence;
};

struct object_row {
	int64_t object_id, inode;
	char path[OBJECT_PATH_SIZE]; /* below <base>/<tenant_code>/ */
	int64_t size_bytes;
	uint8_t sha256[DIGEST_SIZE];
	struct bytes media_type;
	int64_t published_at_ns;
};

struct attribute_row {
	int64_t inode;
	struct bytes name, value;
};

struct rejection_row {
	char file_id[FILE_ID_SIZE];
	struct bytes name, rule, reason;
	int64_t uid, rejected_at_ns;
};

struct tenant_row {
	int64_t tenant_id;
	char code[TENANT_CODE_SIZE];
	char uuid[37];
	struct bytes name, description, configuration;
	bool is_active, is_deleting;
	int64_t storage_quota_bytes, file_count_limit; /* -1: no limit */
	int64_t owner_uid, owner_gid;
	uint32_t mode;
	int64_t root_inode, created_at_ns, updated_at_ns;
};

/* 1 to 63 of [A-Za-z0-9_-], begins with a letter or digit, no month, not reserved (current, .id, .extract, .stats). */
bool tenant_code_is_valid(const char *code);
