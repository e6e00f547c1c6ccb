/*
 * Tenants as use cases: create, find, list, change, delete, and what was refused in them. What adminctl and httpshim
 * share.
 *
 * Each call is one statement or one transaction on the caller's connection; errors are those of db.h and the ones
 * named. Rows borrow from the list they are in and live until tenant_list_release().
 */
#pragma once
#include "shared/base/buf.h"
#include "shared/db/db.h"
#include "shared/model/rows.h"

struct tenant_usage {
	int64_t used_bytes, file_count;
};

struct tenant_list {
	struct tenant_row *rows;
	struct tenant_usage *usage; /* usage[i] belongs to rows[i] */
	int count;
	struct db_result *result; /* what the rows borrow from */
};
#define autotenants cleanup(tenant_list_release)
void tenant_list_release(struct tenant_list *list);

/* By code, or by its UUID: count is 1. Tenants whose deletion was asked for are found as well (is_deleting). -ENOENT.
 */
int tenant_find(struct db *db, const char *code_or_uuid, struct tenant_list *ret_list);
int tenant_find_by_id(struct db *db, int64_t tenant_id, struct tenant_list *ret_list);
/* In the order of their codes, those after after_code (NULL or "": from the first), skipping skip, at most limit. */
int tenant_list(struct db *db, const char *after_code, int64_t skip, int64_t limit, struct tenant_list *ret_list);

/* What to set: a bit a field, so that "no limit" and "unchanged" are different things. */
enum tenant_field {
	TENANT_NAME = 1 << 0,
	TENANT_DESCRIPTION = 1 << 1,
	TENANT_ACTIVE = 1 << 2,
	TENANT_QUOTA = 1 << 3,
	TENANT_FILE_LIMIT = 1 << 4,
	TENANT_CONFIGURATION = 1 << 5,	     /* the whole object */
	TENANT_CONFIGURATION_PATCH = 1 << 6, /* keys of the object; null takes a key away */
	TENANT_OWNER = 1 << 7,
	TENANT_GROUP = 1 << 8,
	TENANT_MODE = 1 << 9,
};

struct tenant_change {
	unsigned fields;		/* of enum tenant_field; the rest is not looked at */
	const char *name, *description; /* UTF-8 */
	bool is_active;
	int64_t storage_quota_bytes, file_count_limit; /* -1: no limit */
	struct bytes configuration;		       /* a JSON object that rules_parse() has passed */
	int64_t owner_uid, owner_gid;
	uint32_t mode; /* 0 to 07777 */
};

/* -EEXIST: the code is taken (also by a tenant that is being deleted). -EINVAL: no tenant code. */
int tenant_create(struct db *db, const char *code, const struct tenant_change *values, struct tenant_list *ret_list);
/* -ENOENT: no such tenant, or it is being deleted. */
int tenant_change(struct db *db, int64_t tenant_id, const struct tenant_change *change, struct tenant_list *ret_list);

/*
 * Asks for the deletion: from now on everything inside is refused, and the lease holder removes it (tenant_remove.h).
 * Asking twice is fine. -ENOENT.
 */
int tenant_request_delete(struct db *db, int64_t tenant_id);

/*
 * Figures as one JSON object: files, bytes, quota use, by_status, by_media_type, by_month, extractions by status.
 */
int tenant_stats(struct db *db, int64_t tenant_id, struct buf *ret_json);

/* --- what was refused
 * ------------------------------------------------------------------------------------------------- */

struct rejection_list {
	struct rejection_row *rows; /* the newest first */
	int count;
	struct db_result *result;
};
#define autorejections cleanup(rejection_list_release)
void rejection_list_release(struct rejection_list *list);
int rejection_list(struct db *db, int64_t tenant_id, int limit, struct rejection_list *ret_list);
/* Why the file that had this id was refused: count 0 or 1. */
int rejection_of_file(struct db *db, int64_t tenant_id, const char *file_id, struct rejection_list *ret_list);
