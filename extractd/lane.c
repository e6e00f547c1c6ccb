#include "extractd/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "extractd/lane_inside.h"
#include "extractd/verdict.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	LINGER_MS = 1000,     /* between a child's last word and its end */
	SPAWN_PAUSE_MS = 500, /* after a child that died before it was of use */
};

uint64_t lane_source(enum job_lane kind, uint32_t serial)
{
	return (uint64_t)kind << 32 | serial;
}

void lane_init(struct lane *lane, enum job_lane kind, const struct extract_settings *settings,
	       struct exchange *exchange, int epoll_fd, int base_fd)
{
	*lane = (struct lane){.kind = kind,
			      .settings = settings,
			      .exchange = exchange,
			      .epoll_fd = epoll_fd,
			      .base_fd = base_fd,
			      .slots = settings->slots[kind],
			      .ocr_is_on = settings->slots[JOB_LANE_OCR] > 0};
	zygote_link_init(&lane->zygote);
	lane->busy_at_ns = clock_monotonic_ns();
}

static void free_attempt(struct lane *lane, struct attempt *attempt)
{
	struct attempt **at = &lane->attempts;

	while (*at != attempt)
		at = &(*at)->next;
	*at = attempt->next;
	attempt_free(attempt); /* closing its socket takes it out of the epoll set */
}

void lane_release(struct lane *lane)
{
	zygote_link_stop(&lane->zygote, clock_monotonic_ns());
	while (lane->attempts)
		free_attempt(lane, lane->attempts);
	while (lane->ready) {
		struct ready_job *job = lane->ready;

		lane->ready = job->next;
		free(job);
	}
}

void lane_give(struct lane *lane, struct job_outcome *outcome)
{
	if (!outcome) {
		log_error("no memory for the outcome of a job; its lease will expire");
		return;
	}
	if (outcome->verdict == JOB_RETRY || outcome->verdict == JOB_FAILED)
		log_warn(outcome->verdict == JOB_RETRY ? "an extraction broke off" : "an extraction failed", "tenant",
			 outcome->job.tenant_code, "object", outcome->job.path, "attempt",
			 log_number(outcome->job.failures + 1), "reason", outcome->error);
	exchange_give_outcome(lane->exchange, outcome);
}

/* The job of an attempt is settled; the child itself is only waited for. */
void lane_settle(struct lane *lane, struct attempt *attempt, int64_t now_ns)
{
	int64_t took_ns = now_ns - attempt->begun_ns;

	lane->average_ns += (took_ns - lane->average_ns) / 16;
	lane->busy_at_ns = now_ns;
	lane_give(lane, verdict_of(attempt, lane->ocr_is_on, now_ns));
	attempt_close(attempt);
	attempt->state = ATTEMPT_ENDING;
	attempt->deadline_ns = now_ns + LINGER_MS * NS_PER_MS;
	if (attempt->has_ended)
		free_attempt(lane, attempt);
}

/* --- what children say ------------------------------------------------------------------------------------------ */

static struct attempt *find(struct lane *lane, uint32_t serial)
{
	struct attempt *attempt = lane->attempts;

	while (attempt && attempt->serial != serial)
		attempt = attempt->next;
	return attempt;
}

static void on_child(struct lane *lane, struct attempt *attempt, int64_t now_ns)
{
	int r = attempt_read(attempt);

	if (r == 0)
		return;
	if (r == -EPIPE) {
		/* How it ended comes from the zygote, in a moment. */
		attempt_close(attempt);
		if (attempt->deadline_ns > now_ns + LINGER_MS * NS_PER_MS)
			attempt->deadline_ns = now_ns + LINGER_MS * NS_PER_MS;
		return;
	}
	if (r < 0)
		attempt_kill(attempt, r == -EOVERFLOW || r == -ENOMEM ? KILL_OVERFLOW : KILL_MALFORMED);
	lane_settle(lane, attempt, now_ns);
}

/* Reads on until everything it had sent is there. */
static void on_end(struct lane *lane, struct attempt *attempt, const struct zygote_report *report, int64_t now_ns)
{
	int r = attempt->socket >= 0 && attempt->state == ATTEMPT_BUSY ? 0 : -EPIPE;

	attempt->has_ended = true;
	attempt->status = report->status;
	attempt->max_rss_kib = report->max_rss_kib;
	while (r == 0)
		r = attempt_read(attempt);
	if (attempt->state == ATTEMPT_BUSY) {
		if (r != 1 && r != -EPIPE)
			attempt_kill(attempt, r == -EOVERFLOW ? KILL_OVERFLOW : KILL_MALFORMED);
		lane_settle(lane, attempt, now_ns);
		return;
	}
	if (attempt->state != ATTEMPT_ENDING) {
		log_error("a worker ended before it was given anything", "status", log_number(report->status));
		lane->ask_not_before_ns = now_ns + SPAWN_PAUSE_MS * NS_PER_MS;
	}
	free_attempt(lane, attempt);
}

static void on_spawned(struct lane *lane, struct attempt *attempt, const struct zygote_report *report, int pidfd,
		       int64_t now_ns)
{
	if (report->pid <= 0 || pidfd < 0) {
		log_error("a worker could not be started", "error",
			  log_errno(report->pid <= 0 ? report->pid : -EMFILE));
		lane->ask_not_before_ns = now_ns + SPAWN_PAUSE_MS * NS_PER_MS;
		free_attempt(lane, attempt);
		return;
	}
	attempt->pid = report->pid;
	attempt->pidfd = pidfd;
	attempt->state = ATTEMPT_WARM;
}

/* --- what the zygote says --------------------------------------------------------------------------------------- */

static const char *lane_name(const struct lane *lane)
{
	return lane->kind == JOB_LANE_OCR ? "ocr" : "normal";
}

static void on_report(struct lane *lane, const struct zygote_report *report, int pidfd, int64_t now_ns)
{
	struct attempt *attempt = find(lane, report->serial);

	switch (report->kind) {
	case ZYGOTE_READY:
		lane->zygote.is_ready = true;
		log_info("workers are ready", "lane", lane_name(lane), "landlock", log_number(report->status));
		break;
	case ZYGOTE_FAILED:
		memcpy(lane->zygote.failure, report->text, sizeof(lane->zygote.failure));
		log_error("workers cannot be started", "lane", lane_name(lane), "reason", report->text, "error",
			  log_errno(report->status));
		break;
	case ZYGOTE_WARNING:
		log_warn("about the workers", "lane", lane_name(lane), "warning", report->text);
		break;
	case ZYGOTE_SPAWNED:
		if (attempt && attempt->state == ATTEMPT_ASKED) {
			on_spawned(lane, attempt, report, pidfd, now_ns);
			return;
		}
		break;
	case ZYGOTE_EXITED:
		if (attempt && attempt->state != ATTEMPT_ASKED)
			on_end(lane, attempt, report, now_ns);
		break;
	default:
		break;
	}
	if (pidfd >= 0)
		close(pidfd);
}

/* All its children die with it; their jobs were not at fault. */
static void on_zygote_lost(struct lane *lane, int64_t now_ns)
{
	log_error("the parent of the workers is gone; a new one will be started", "lane", lane_name(lane));
	while (lane->attempts) {
		struct attempt *attempt = lane->attempts;

		attempt->was_lost = attempt->has_ended = true;
		attempt_kill(attempt, KILL_NONE);
		if (attempt->state == ATTEMPT_BUSY)
			lane_settle(lane, attempt, now_ns);
		else
			free_attempt(lane, attempt);
	}
	zygote_link_stop(&lane->zygote, now_ns);
}

static void on_zygote(struct lane *lane, int64_t now_ns)
{
	struct zygote_report report;
	int pidfd = -1, r;

	while (lane->zygote.fd >= 0 && (r = zygote_link_read(&lane->zygote, &report, &pidfd)) != 0) {
		if (r < 0) {
			on_zygote_lost(lane, now_ns);
			return;
		}
		on_report(lane, &report, pidfd, now_ns);
	}
}

void lane_on_event(struct lane *lane, uint32_t serial, int64_t now_ns)
{
	struct attempt *attempt;

	if (serial == 0) {
		on_zygote(lane, now_ns);
		return;
	}
	attempt = find(lane, serial); /* NULL: ended earlier in the same round */
	if (attempt && attempt->state == ATTEMPT_BUSY && attempt->socket >= 0)
		on_child(lane, attempt, now_ns);
	else if (attempt && attempt->socket >= 0)
		attempt_close(attempt); /* it says something unasked, or is gone: the zygote will report its end */
}
