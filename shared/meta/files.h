/*
 * Files as a client sees them: one row for a file of the name space, with its path, content and how far its extraction
 * is. Reading only: whoever changes a file goes through the mount.
 *
 * Every call names the tenant, and nothing of another tenant is ever found. Rows borrow from the list they are in and
 * live until file_list_release().
 */
#pragma once
#include "shared/db/db.h"
#include "shared/model/rows.h"

enum file_status { FILE_UPLOADING, FILE_UPLOADED, FILE_PROCESSING, FILE_COMPLETED, FILE_ERROR, FILE_STATUS_COUNT };
extern const char *const file_status_names[FILE_STATUS_COUNT]; /* as in user.tenantfs.status */

struct file_row {
	int64_t inode;
	char file_id[FILE_ID_SIZE];
	struct bytes name;		    /* its first name; bytes, maybe no UTF-8 */
	struct bytes path;		    /* below the tenant's folder: "2026-11/scans/a.png" */
	struct bytes original_name;	    /* as it was sent, absent where it is the name */
	char object_path[OBJECT_PATH_SIZE]; /* "" for an empty file */
	int64_t size_bytes;
	struct bytes media_type; /* absent for an empty file */
	bool has_sha256;
	uint8_t sha256[DIGEST_SIZE];
	enum file_status status;
	char validation; /* p pending, o passed, f failed */
	uint32_t mode;
	int32_t link_count;
	int64_t uid, gid, mtime_ns, uploaded_at_ns, processed_at_ns; /* 0: not yet */
	struct bytes uploaded_by, tags, description, metadata;
	bool is_public;
	char job_state;	 /* of the newest extractor: q r d f x, 0 none */
	char job_id[37]; /* "" none */
	struct bytes job_error;
};

struct file_list {
	struct file_row *rows;
	int count;
	int64_t total; /* of all pages; file_search with want_total only, else -1 */
	struct db_result *result;
};
#define autofiles cleanup(file_list_release)
void file_list_release(struct file_list *list);

/*
 * The rows of a query that has the columns of file_find, in their order, from the column first on; those whose inode is null are no
 * files. Takes the result over, also on failure.
 */
int file_list_read(struct db_result *result, int first, struct file_list *ret_list);

/* By id. -ENOENT: this tenant has no such file. */
int file_find(struct db *db, int64_t tenant_id, const char *file_id, struct file_list *ret_list);
/* By path below the tenant's folder ("2026-11/a.txt", also "a.txt" for the current month as the drop box has it).
 * -ENOENT. */
int file_find_by_path(struct db *db, int64_t tenant_id, const char *path, size_t length, struct file_list *ret_list);

/* What to look for; a field left zero (NULL, and -1 for the sizes: FILE_FILTER_ALL) does not narrow. */
struct file_filter {
	struct bytes name;	/* a glob where it holds * or ?, else a part of the name */
	const char *media_type; /* "application/pdf", or "image/" with its slash for a family */
	const char *tag;
	struct bytes metadata; /* a JSON object that the file's must contain */
	int64_t size_min, size_max;
	int64_t uploaded_after_ns, uploaded_before_ns;
	const char *status; /* one of file_status_names */
	const char *text;   /* words in the extracted text, in any order */
	const char *month;  /* "2026-11": the month folder it lies in */
	const char *uploaded_by;
	const char *sha256_hex;
};
#define FILE_FILTER_ALL ((struct file_filter){.size_min = -1, .size_max = -1})

enum file_sort { FILE_BY_UPLOADED, FILE_BY_NAME, FILE_BY_SIZE, FILE_BY_MEDIA_TYPE };

struct file_page {
	enum file_sort sort;
	bool is_descending, want_total;
	int64_t skip;
	int limit;
	/* Goes on behind the last row of the page before, without counting again: its uploaded_at_ns and inode. With
	 * FILE_BY_UPLOADED only; after_inode 0: from the first. */
	int64_t after_uploaded_at_ns, after_inode;
};

/* -EINVAL: a filter is malformed (metadata no JSON, sha256 no hex). */
int file_search(struct db *db, int64_t tenant_id, const struct file_filter *filter, const struct file_page *page,
		struct file_list *ret_list);
