#include "extractd/verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include "extractd/worker/protocol.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum { RETRY_FIRST_MS = 1000, PARTIAL_CONFIDENCE = 500, NOT_OUR_FILE_DELAY_MS = 1000, LITERAL_MAX = 64 << 20 };

/* What ended a child that did not finish. */
enum cause {
	CAUSE_LIMIT, /* time or memory: what finished pages gave counts */
	CAUSE_FAULT, /* crash, forbidden call, nonsense on the wire */
	CAUSE_OURS   /* nothing the file did */
};

static enum cause describe_exit(const struct attempt *attempt, char *reason, size_t size)
{
	switch (WEXITSTATUS(attempt->status)) {
	case WORKER_EXIT_MEMORY:
		snprintf(reason, size, "needs more than %llu MiB of memory",
			 (unsigned long long)(attempt->limits.memory_bytes >> 20));
		return CAUSE_LIMIT;
	case WORKER_EXIT_SHORT_INPUT:
		snprintf(reason, size, "the stored bytes are fewer than recorded");
		return CAUSE_FAULT;
	case WORKER_EXIT_NO_READER:
	case WORKER_EXIT_NO_SANDBOX:
	case WORKER_EXIT_BAD_JOB:
		snprintf(reason, size, "the worker could not begin (exit status %d)", WEXITSTATUS(attempt->status));
		return CAUSE_OURS;
	default:
		snprintf(reason, size, "the worker ended early (exit status %d)", WEXITSTATUS(attempt->status));
		return CAUSE_FAULT;
	}
}

static enum cause describe_signal(const struct attempt *attempt, char *reason, size_t size)
{
	int number = WTERMSIG(attempt->status);

	if (number == SIGXCPU) {
		snprintf(reason, size, "took more than %u s of processor time", attempt->limits.time_ms / 1000);
		return CAUSE_LIMIT;
	}
	if (number == SIGSYS)
		snprintf(reason, size, "the worker tried a forbidden system call");
	else if (number == SIGXFSZ)
		snprintf(reason, size, "the worker tried to write too large a file");
	else if (number == SIGKILL)
		snprintf(reason, size, "the worker was killed, perhaps for want of memory (it had %lld MiB)",
			 (long long)(attempt->max_rss_kib >> 10));
	else
		snprintf(reason, size, "the worker crashed (SIG%s)", sigabbrev_np(number) ? sigabbrev_np(number) : "?");
	return CAUSE_FAULT;
}

static enum cause describe(const struct attempt *attempt, char *reason, size_t size)
{
	switch (attempt->killed) {
	case KILL_TIME:
		snprintf(reason, size, "took longer than %u s", attempt->limits.time_ms / 1000);
		return CAUSE_LIMIT;
	case KILL_MALFORMED:
		snprintf(reason, size, "the worker answered with something malformed");
		return CAUSE_FAULT;
	case KILL_OVERFLOW:
		snprintf(reason, size, "the worker answered with more than is allowed");
		return CAUSE_FAULT;
	case KILL_DRAIN:
		return CAUSE_OURS;
	case KILL_NONE:
		break;
	}
	if (attempt->was_lost || !attempt->has_ended) {
		snprintf(reason, size, "the worker was lost");
		return CAUSE_OURS;
	}
	return WIFEXITED(attempt->status) ? describe_exit(attempt, reason, size)
					  : describe_signal(attempt, reason, size);
}

bool verdict_is_not_mine(const struct attempt *attempt)
{
	return attempt->killed == KILL_NONE && attempt->has_ended && !attempt->was_lost && !attempt->found.is_done &&
	       WIFEXITED(attempt->status) && WEXITSTATUS(attempt->status) == WORKER_EXIT_NOT_MINE;
}

/* Twice as long each time, between half and one and a half of it, so that failures do not come back together. */
static int retry_delay_ms(int failures)
{
	int base_ms = RETRY_FIRST_MS << (failures < 6 ? failures : 6);
	uint16_t chance = 0;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = 1 << 15;
	return base_ms / 2 + (int)((int64_t)base_ms * chance / UINT16_MAX);
}

static struct job_outcome *outcome_new(struct ready_job *job, enum job_verdict verdict, const char *reason)
{
	struct job_outcome *outcome = calloc(1, sizeof(*outcome));

	if (outcome) {
		outcome->job = job->row;
		outcome->verdict = verdict;
		snprintf(outcome->error, sizeof(outcome->error), "%s", reason);
	}
	free(job);
	return outcome;
}

struct job_outcome *verdict_plain(struct ready_job *job, enum job_verdict verdict, const char *reason)
{
	int failures = job->row.failures;
	struct job_outcome *outcome;

	if (verdict == JOB_RETRY && failures + 1 >= TRIES_MAX)
		verdict = JOB_FAILED;
	outcome = outcome_new(job, verdict, reason);
	if (outcome && verdict == JOB_RETRY)
		outcome->delay_ms = retry_delay_ms(failures);
	return outcome;
}

/* --- what was found --------------------------------------------------------------------------------------------- */

/* Members become an object, elements an array. */
static void enclose(struct buf *inside, const char *brackets, struct buf *ret_json)
{
	*ret_json = BUF_INIT(inside->length + 3);
	buf_putc(ret_json, brackets[0]);
	buf_append(ret_json, inside->data, inside->length);
	buf_putc(ret_json, brackets[1]);
}

static void move(struct buf *from, struct buf *to)
{
	*to = *from;
	*from = BUF_INIT(from->max_bytes);
}

static void put_pages(const struct extraction *found, struct buf *ret_literal)
{
	*ret_literal = BUF_INIT(LITERAL_MAX);
	buf_putc(ret_literal, '{');
	for (uint32_t i = 0; i < found->page_count; i++)
		buf_printf(ret_literal, "%s%llu", i > 0 ? "," : "", (unsigned long long)found->pages[i]);
	buf_putc(ret_literal, '}');
}

static void take_found(struct attempt *attempt, struct job_outcome *outcome)
{
	struct extraction *found = &attempt->found;
	struct job_result *result = &outcome->result;

	outcome->has_result = true;
	snprintf(result->extractor, sizeof(result->extractor), "%s", *found->extractor ? found->extractor : "none");
	snprintf(result->media_type, sizeof(result->media_type), "%s",
		 *found->media_type ? found->media_type : "application/octet-stream");
	result->is_failed = outcome->verdict == JOB_FAILED;
	result->confidence = result->is_failed ? 0 : (int)found->confidence;
	put_pages(found, &result->pages);
	enclose(&found->metadata, "{}", &result->metadata);
	enclose(&found->data, "{}", &result->data);
	enclose(&found->warnings, "[]", &result->warnings);
	move(&found->text, &result->text);
	move(&found->summary, &result->summary);
	result->letters = BUF_INIT(2048);
	if (found->has_letters)
		letters_put_json(&result->letters, found->letters);
}

static bool is_incomplete(const struct job_outcome *outcome)
{
	const struct job_result *result = &outcome->result;

	return buf_error(&result->pages) < 0 || buf_error(&result->metadata) < 0 || buf_error(&result->data) < 0 ||
	       buf_error(&result->warnings) < 0 || buf_error(&result->letters) < 0;
}

/* --- the two ways an attempt ends ------------------------------------------------------------------------------- */

static struct job_outcome *judge_complete(struct attempt *attempt, bool ocr_is_on)
{
	struct extraction *found = &attempt->found;
	bool wants_ocr = found->wants_ocr && attempt->job->row.lane == JOB_LANE_NORMAL;
	struct job_outcome *outcome;

	if (found->error.length > 0)
		outcome = outcome_new(attempt->job, JOB_FAILED, found->error.data);
	else
		outcome = outcome_new(attempt->job, wants_ocr && ocr_is_on ? JOB_OCR : JOB_DONE, "");
	attempt->job = NULL;
	if (!outcome)
		return NULL;
	if (wants_ocr && !ocr_is_on)
		extraction_warn(found, "pages without text were not recognised: OCR is switched off here");
	take_found(attempt, outcome);
	return outcome;
}

/* The last try failed as well. A limit with something to show for it is a partial result. */
static struct job_outcome *judge_last(struct attempt *attempt, enum cause cause, const char *reason)
{
	bool has_text = attempt->found.text.length > 0 || attempt->found.page_count > 0;
	bool is_partial = cause == CAUSE_LIMIT && has_text;
	struct job_outcome *outcome;
	char line[400];

	if (attempt->job->row.lane == JOB_LANE_OCR) {
		/* What the first lane read stays; only a remark is added to it. */
		snprintf(line, sizeof(line), "the pages without text could not be recognised: %s", reason);
		outcome = outcome_new(attempt->job, JOB_DONE, line);
		attempt->job = NULL;
		return outcome;
	}
	snprintf(line, sizeof(line), "only a part was read: %s", reason);
	outcome = outcome_new(attempt->job, is_partial ? JOB_DONE : JOB_FAILED, is_partial ? "" : reason);
	attempt->job = NULL;
	if (!outcome)
		return NULL;
	if (has_text)
		extraction_warn(&attempt->found, line);
	if (attempt->found.confidence > PARTIAL_CONFIDENCE)
		attempt->found.confidence = PARTIAL_CONFIDENCE;
	take_found(attempt, outcome);
	return outcome;
}

static struct job_outcome *judge_broken(struct attempt *attempt)
{
	const struct extraction *found = &attempt->found;
	char reason[200] = "", line[300];
	enum cause cause = describe(attempt, reason, sizeof(reason));
	struct job_outcome *outcome;
	int failures = attempt->job->row.failures;

	/* With the version, so that whoever reads it knows whether a later one may do better. */
	snprintf(line, sizeof(line), *found->extractor ? "%s (%s, version %u)" : "%s", reason, found->extractor,
		 found->extractor_version);
	if (cause != CAUSE_OURS && failures + 1 >= TRIES_MAX)
		return judge_last(attempt, cause, line);
	outcome = outcome_new(attempt->job, cause == CAUSE_OURS ? JOB_BACK : JOB_RETRY, line);
	attempt->job = NULL;
	if (outcome)
		outcome->delay_ms = cause == CAUSE_OURS ? (attempt->killed == KILL_DRAIN ? 0 : NOT_OUR_FILE_DELAY_MS)
							: retry_delay_ms(failures);
	return outcome;
}

struct job_outcome *verdict_of(struct attempt *attempt, bool ocr_is_on, int64_t now_ns)
{
	struct job_outcome *outcome;

	if (attempt->found.is_done && attempt->killed == KILL_NONE)
		outcome = judge_complete(attempt, ocr_is_on);
	else
		outcome = judge_broken(attempt);
	if (!outcome)
		return NULL;
	outcome->duration_ms = (int)((now_ns - attempt->begun_ns) / NS_PER_MS);
	if (is_incomplete(outcome)) {
		job_outcome_free(outcome);
		return NULL;
	}
	return outcome;
}
