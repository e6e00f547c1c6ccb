/*
 * The extraction queue: claiming, finishing, giving back, and the outbox beside it. What operators do with it is in
 * jobs_admin.h.
 *
 * A job belongs to whoever holds its token, until the lease expires. Every write names the token, so a daemon that lost
 * its lease (stopped, cut off) changes nothing any more. Errors are those of shared/db.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"
#include "shared/db/db.h"
#include "shared/model/rows.h"

enum { JOB_UUID_SIZE = 37, JOB_ATTEMPT_MAX = 20 /* begun so often without an answer: given up */ };
enum job_lane { JOB_LANE_NORMAL, JOB_LANE_OCR, JOB_LANE_COUNT };

/* Redis: the letters of a content as JSON ({"A": n … "Z": n}), once its extraction is completed. */
enum { JOB_CACHE_KEY_SIZE = 128 };
void job_cache_key(int64_t tenant_id, const uint8_t sha256[DIGEST_SIZE], char ret_key[JOB_CACHE_KEY_SIZE]);

struct job_row {
	int64_t tenant_id;
	uint8_t sha256[DIGEST_SIZE];
	int extractor_version;
	enum job_lane lane;
	char job_id[JOB_UUID_SIZE], token[JOB_UUID_SIZE];
	int attempt, failures;
	int64_t object_id;
	char tenant_code[TENANT_CODE_SIZE];
	char path[OBJECT_PATH_SIZE]; /* below <base>/<tenant_code>/; "": no object holds this content any more */
	int64_t size_bytes;
};

/* Settings of a connection that claims and finishes: see sql/queries/job_session.sql. */
int job_prepare_session(struct db *db);
/* Takes this extractd's number (0: a new one) and the lock that shows that it lives; again after a reconnect. */
int job_instance(struct db *db, int64_t *instance);

struct job_demand {
	enum job_lane lane;
	int64_t instance;
	int64_t after_tenant_id; /* begin behind this tenant, so that every one has its turn */
	int limit, tenant_limit;
	int lease_ms;
	const int64_t *held_tenant_ids; /* what the caller has of each tenant already: counts against tenant_limit */
	const int64_t *held_counts;
	int held_count;
};
/* *ret_jobs is the caller's to free. */
int job_claim(struct db *db, const struct job_demand *demand, struct job_row **ret_jobs, int *ret_count);

enum job_verdict {
	JOB_DONE,   /* the result is complete */
	JOB_FAILED, /* for good: encrypted, corrupt, or tried often enough */
	JOB_RETRY,  /* the file ended its worker: again after delay_ms, with lower limits */
	JOB_OCR,    /* goes on in the OCR lane; the result so far is shown */
	JOB_BACK,   /* not begun or broken off without its fault: as if it had not been claimed */
	JOB_GONE    /* no object holds the content: forgotten (or tried again when one does) */
};

struct job_result {
	char extractor[32], media_type[128];
	bool is_failed;			     /* status f */
	struct buf text, pages;		     /* pages: an array literal, {0,120} */
	struct buf metadata, data, warnings; /* JSON */
	struct buf summary, letters;	     /* "": NULL */
	int confidence;			     /* thousandths */
};

struct job_outcome {
	struct job_row job;
	enum job_verdict verdict;
	int delay_ms;
	char error[512]; /* "": none; valid UTF-8 */
	int duration_ms;
	bool has_result;
	struct job_result result;
	struct job_outcome *next;
};
void job_result_release(struct job_result *result);
void job_outcome_free(struct job_outcome *outcome); /* one; NULL is fine */

/*
 * Writes a batch (a list, none of them JOB_GONE) in one transaction, with the results, the events and the NOTIFY. Those
 * whose lease was taken away are passed over. ret_accepted has an entry for each, in order. -EAGAIN: nothing was
 * written, or it is not known (then writing it again is harmless: the token is used up).
 */
int job_finish(struct db *db, const struct job_outcome *outcomes, int count, bool *ret_accepted);
/* JOB_GONE. 1: forgotten. 0: an object holds the content again, or the lease is lost. */
int job_drop(struct db *db, const struct job_row *job);
/* Queues again what nobody runs. *ret_count: how many. */
int job_reclaim(struct db *db, int *ret_count);

struct job_file {
	char tenant_code[TENANT_CODE_SIZE];
	char file_id[FILE_ID_SIZE];
};
/* The files that hold the contents of these outcomes, at most limit. *ret_files is the caller's to free. */
int job_files(struct db *db, const struct job_outcome *outcomes, int count, int limit, struct job_file **ret_files,
	      int *ret_count);

/*
 * Takes up to limit of the oldest events to deliver, one after another, and removes those that were delivered: at least
 * once, in order within a tenant, by one carrier at a time. deliver returns 0, or an error that ends the round.
 * *ret_count: how many were removed.
 */
struct job_event {
	int64_t tenant_id, event_id, created_at_ns;
	const char *tenant_code, *kind, *payload; /* tenant_code "" when the tenant is gone */
};
int outbox_carry(struct db *db, int limit, int (*deliver)(const struct job_event *event, void *context), void *context,
		 int *ret_count);
