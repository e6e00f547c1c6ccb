#include "extractd/queue_finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/verdict.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum { BATCH_MAX = 64, BATCH_MAX_BYTES = 24 << 20, FILES_MAX = 2000 };

void queue_finish_init(struct queue_finish *finish, struct exchange *exchange, struct carrier *carrier,
		       struct toucher *toucher)
{
	*finish = (struct queue_finish){.exchange = exchange, .carrier = carrier, .toucher = toucher};
}

void queue_finish_release(struct queue_finish *finish)
{
	while (finish->pending) {
		struct job_outcome *outcome = finish->pending;

		finish->pending = outcome->next;
		job_outcome_free(outcome);
	}
}

void queue_finish_take(struct queue_finish *finish, struct exchange *exchange)
{
	struct job_outcome **end = &finish->pending;

	while (*end)
		end = &(*end)->next;
	*end = exchange_take_outcomes(exchange);
}

/* Takes the first count off the list; they are settled, one way or the other. */
static void settle(struct queue_finish *finish, struct held *held, int count, int64_t now_ns)
{
	size_t bytes = 0;

	while (count-- > 0) {
		struct job_outcome *outcome = finish->pending;
		int64_t ready_at_ns = now_ns + (outcome->delay_ms + 1) * NS_PER_MS;

		if ((outcome->verdict == JOB_RETRY || outcome->verdict == JOB_BACK) &&
		    (finish->retry_at_ns == 0 || ready_at_ns < finish->retry_at_ns))
			finish->retry_at_ns = ready_at_ns;
		finish->pending = outcome->next;
		bytes += outcome_bytes(outcome);
		held_add(held, outcome->job.tenant_id, outcome->job.lane, -1);
		job_outcome_free(outcome);
	}
	exchange_forget_bytes(finish->exchange, bytes);
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

static void touch_files(struct queue_finish *finish, struct db *db, int count)
{
	struct job_file *files = NULL;
	int64_t now_ns = clock_monotonic_ns();
	int file_count = 0;

	/* What is not reached here has the NOTIFY. */
	if (job_files(db, finish->pending, count, FILES_MAX, &files, &file_count) < 0)
		return;
	for (int i = 0; i < file_count; i++)
		toucher_ask(finish->toucher, &files[i], now_ns);
	free(files);
}

static void tell(struct queue_finish *finish, struct db *db, int count, const bool *accepted)
{
	const struct job_outcome *outcome = finish->pending;
	bool is_news = false;

	for (int i = 0; i < count; i++, outcome = outcome->next) {
		if (!accepted[i]) {
			log_info("a lease was lost: somebody else does the job", "tenant", outcome->job.tenant_code,
				 "object", outcome->job.path);
			continue;
		}
		is_news = is_news || outcome->has_result || outcome->verdict == JOB_DONE ||
			  outcome->verdict == JOB_FAILED;
		if (outcome->verdict == JOB_DONE && outcome->has_result)
			carrier_cache(finish->carrier, outcome->job.tenant_id, outcome->job.sha256,
				      &outcome->result.letters);
	}
	if (!is_news)
		return;
	carrier_wake(finish->carrier);
	if (finish->toucher->mount_path)
		touch_files(finish, db, count);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* A content that no object holds is forgotten. When one does hold it again, or its file is missing, it counts as a
 * failure. */
static int write_gone(struct queue_finish *finish, struct db *db, struct held *held, int64_t now_ns)
{
	struct job_outcome *outcome = finish->pending;
	int r = job_drop(db, &outcome->job);

	if (r < 0)
		return r;
	if (r > 0) {
		settle(finish, held, 1, now_ns);
		return 1;
	}
	outcome->verdict = outcome->job.failures + 1 >= TRIES_MAX ? JOB_FAILED : JOB_RETRY;
	outcome->delay_ms = 1000;
	return 0;
}

/* A result that PostgreSQL refuses must not hold up the others, nor come back for ever. */
static int write_refused(struct queue_finish *finish, struct db *db, struct held *held, int error, int64_t now_ns)
{
	struct job_outcome *outcome = finish->pending;
	bool accepted = false;
	int r;

	log_error("PostgreSQL refused a result", "tenant", outcome->job.tenant_code, "object", outcome->job.path,
		  "error", log_errno(error), "message", db_message(db));
	outcome->verdict = JOB_FAILED;
	outcome->has_result = false;
	exchange_forget_bytes(finish->exchange, outcome_bytes(outcome)); /* settle() counts what is left */
	job_result_release(&outcome->result);
	snprintf(outcome->error, sizeof(outcome->error), "what was found could not be stored");
	r = job_finish(db, outcome, 1, &accepted);
	if (r == -EAGAIN)
		return r;
	if (r == 0)
		tell(finish, db, 1, &accepted);
	settle(finish, held, 1, now_ns);
	return 1;
}

static int batch_size(const struct job_outcome *outcome)
{
	size_t bytes = 0;
	int count = 0;

	while (outcome && outcome->verdict != JOB_GONE && count < BATCH_MAX) {
		bytes += outcome_bytes(outcome);
		if (count > 0 && bytes > BATCH_MAX_BYTES)
			break;
		count++;
		outcome = outcome->next;
	}
	return count;
}

static int write_batch(struct queue_finish *finish, struct db *db, struct held *held, int count, int64_t now_ns)
{
	bool accepted[BATCH_MAX];
	int r = job_finish(db, finish->pending, count, accepted);

	if (r < 0 && r != -EAGAIN && count > 1) {
		r = job_finish(db, finish->pending, 1, accepted); /* one at a time, until the culprit is found */
		count = 1;
	}
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return write_refused(finish, db, held, r, now_ns);
	tell(finish, db, count, accepted);
	settle(finish, held, count, now_ns);
	return count;
}

int queue_finish_write(struct queue_finish *finish, struct db *db, struct held *held, int64_t now_ns)
{
	int settled = 0;

	while (finish->pending) {
		int r, count = batch_size(finish->pending);

		r = count > 0 ? write_batch(finish, db, held, count, now_ns) : write_gone(finish, db, held, now_ns);
		if (r < 0)
			return r;
		settled += r;
	}
	return settled;
}
