/*
 * The extraction queue as operators see it: looking, retrying, cancelling, reading again. One statement each on the
 * caller's connection; errors are those of db.h. A tenant_id of 0 means all tenants. Rows borrow from their list.
 */
#pragma once
#include "shared/base/buf.h"
#include "shared/db/db.h"
#include "shared/model/rows.h"

struct job_info {
	char job_id[37];
	int64_t tenant_id;
	char tenant_code[TENANT_CODE_SIZE];
	uint8_t sha256[DIGEST_SIZE];
	int extractor_version;
	char state; /* q r d f x */
	char lane;  /* n normal, o OCR */
	int attempt, failures;
	int64_t size_bytes;
	struct bytes error, extractor, media_type; /* absent: none; extractor and media_type come with a result */
	int64_t duration_ms;			   /* of the last result; 0 without */
	int64_t created_at_ns, updated_at_ns, completed_at_ns, not_before_ns, lease_expires_at_ns; /* 0: not */
	char file_id[FILE_ID_SIZE]; /* one of the files that hold it; "" none any more */
	struct bytes file_name;	    /* any bytes */
	int64_t file_count;
};

struct job_list {
	struct job_info *rows;
	int count;
	struct db_result *result;
};
#define autojobs cleanup(job_list_release)
void job_list_release(struct job_list *list);

/* "pending", "processing", "completed", "failed", "cancelled". */
const char *job_state_name(char state);
/* The letter of such a name; 0: none of them. */
char job_state_letter(const char *name);

struct job_filter {
	int64_t tenant_id;
	char state, lane;      /* 0: any */
	const char *extractor; /* NULL: any */
	const char *job_id;    /* NULL: any. Must look like a UUID, else -EINVAL */
	int limit;
};
/* The newest change first. */
int job_list(struct db *db, const struct job_filter *filter, struct job_list *ret_list);

/* Failed and cancelled ones again, from the beginning. job_id NULL: all of the tenant. *ret_count: how many. */
int job_retry(struct db *db, int64_t tenant_id, const char *job_id, int *ret_count);
/* job_id NULL: all that are queued; else also one that runs. */
int job_cancel(struct db *db, int64_t tenant_id, const char *job_id, int *ret_count);
/*
 * What an extractor (NULL: any) has read is read again. only_older: only where an older EXTRACTOR_VERSION than this
 * program's has done it.
 */
int job_rerun(struct db *db, int64_t tenant_id, const char *extractor, bool only_older, int64_t *ret_count);
/* One JSON object: queued, running, completed, failed, …, and per extractor. */
int job_stats(struct db *db, int64_t tenant_id, struct buf *ret_json);
