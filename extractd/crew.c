#include "extractd/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "extractd/crew_inside.h"
#include "extractd/verdict.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	LINGER_MS = 1000,     /* between a child's last word and its end */
	SPAWN_PAUSE_MS = 500, /* after a child that died before it was of use */
};

uint64_t crew_source(enum crew_kind kind, uint32_t serial)
{
	return (uint64_t)kind << 32 | serial;
}

void crew_init(struct crew *crew, enum crew_kind kind, const struct extract_settings *settings,
	       struct exchange *exchange, int epoll_fd, int base_fd)
{
	*crew = (struct crew){.kind = kind,
			      .settings = settings,
			      .exchange = exchange,
			      .epoll_fd = epoll_fd,
			      .base_fd = base_fd,
			      .slots = settings->slots[kind],
			      .ocr_is_on = settings->slots[CREW_OCR] > 0};
	zygote_link_init(&crew->zygote);
	crew->busy_at_ns = clock_monotonic_ns();
}

static void free_attempt(struct crew *crew, struct attempt *attempt)
{
	struct attempt **at = &crew->attempts;

	while (*at != attempt)
		at = &(*at)->next;
	*at = attempt->next;
	attempt_free(attempt); /* closing its socket takes it out of the epoll set */
}

void crew_release(struct crew *crew)
{
	zygote_link_stop(&crew->zygote, clock_monotonic_ns());
	while (crew->attempts)
		free_attempt(crew, crew->attempts);
	while (crew->ready) {
		struct ready_job *job = crew->ready;

		crew->ready = job->next;
		free(job);
	}
}

void crew_give(struct crew *crew, struct job_outcome *outcome)
{
	if (!outcome) {
		log_error("no memory for the outcome of a job; its lease will expire");
		return;
	}
	if (outcome->verdict == JOB_RETRY || outcome->verdict == JOB_FAILED)
		log_warn(outcome->verdict == JOB_RETRY ? "an extraction broke off" : "an extraction failed", "tenant",
			 outcome->job.tenant_code, "object", outcome->job.path, "attempt",
			 log_number(outcome->job.failures + 1), "reason", outcome->error);
	exchange_give_outcome(crew->exchange, outcome);
}

/* The job of an attempt is settled; the child itself is only waited for. */
void crew_settle(struct crew *crew, struct attempt *attempt, int64_t now_ns)
{
	int64_t took_ns = now_ns - attempt->begun_ns;

	*crew->average_ns += (took_ns - *crew->average_ns) / 16;
	crew->busy_at_ns = now_ns;
	if (crew->elsewhere && verdict_is_not_mine(attempt))
		crew_add(crew->elsewhere, take_ptr(&attempt->job));
	else
		crew_give(crew, verdict_of(attempt, crew->ocr_is_on, now_ns));
	attempt_close(attempt);
	attempt->state = ATTEMPT_ENDING;
	attempt->deadline_ns = now_ns + LINGER_MS * NS_PER_MS;
	if (attempt->has_ended)
		free_attempt(crew, attempt);
}

/* --- what children say ------------------------------------------------------------------------------------------ */

static struct attempt *find(struct crew *crew, uint32_t serial)
{
	struct attempt *attempt = crew->attempts;

	while (attempt && attempt->serial != serial)
		attempt = attempt->next;
	return attempt;
}

static void on_child(struct crew *crew, struct attempt *attempt, int64_t now_ns)
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
	crew_settle(crew, attempt, now_ns);
}

/* Reads on until everything it had sent is there. */
static void on_end(struct crew *crew, struct attempt *attempt, const struct zygote_report *report, int64_t now_ns)
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
		crew_settle(crew, attempt, now_ns);
		return;
	}
	if (attempt->state != ATTEMPT_ENDING) {
		log_error("a worker ended before it was given anything", "status", log_number(report->status));
		crew->ask_not_before_ns = now_ns + SPAWN_PAUSE_MS * NS_PER_MS;
	}
	free_attempt(crew, attempt);
}

static void on_spawned(struct crew *crew, struct attempt *attempt, const struct zygote_report *report, int pidfd,
		       int64_t now_ns)
{
	if (report->pid <= 0 || pidfd < 0) {
		log_error("a worker could not be started", "error",
			  log_errno(report->pid <= 0 ? report->pid : -EMFILE));
		crew->ask_not_before_ns = now_ns + SPAWN_PAUSE_MS * NS_PER_MS;
		free_attempt(crew, attempt);
		return;
	}
	attempt->pid = report->pid;
	attempt->pidfd = pidfd;
	attempt->state = ATTEMPT_WARM;
}

/* --- what the zygote says --------------------------------------------------------------------------------------- */

static const char *crew_name(const struct crew *crew)
{
	static const char *const names[CREW_COUNT] = {"text", "documents", "ocr"};

	return names[crew->kind];
}

static void on_report(struct crew *crew, const struct zygote_report *report, int pidfd, int64_t now_ns)
{
	struct attempt *attempt = find(crew, report->serial);

	switch (report->kind) {
	case ZYGOTE_READY:
		crew->zygote.is_ready = true;
		log_info("workers are ready", "crew", crew_name(crew), "landlock", log_number(report->status));
		break;
	case ZYGOTE_FAILED:
		memcpy(crew->zygote.failure, report->text, sizeof(crew->zygote.failure));
		log_error("workers cannot be started", "crew", crew_name(crew), "reason", report->text, "error",
			  log_errno(report->status));
		break;
	case ZYGOTE_WARNING:
		log_warn("about the workers", "crew", crew_name(crew), "warning", report->text);
		break;
	case ZYGOTE_SPAWNED:
		if (attempt && attempt->state == ATTEMPT_ASKED) {
			on_spawned(crew, attempt, report, pidfd, now_ns);
			return;
		}
		break;
	case ZYGOTE_EXITED:
		if (attempt && attempt->state != ATTEMPT_ASKED)
			on_end(crew, attempt, report, now_ns);
		break;
	default:
		break;
	}
	if (pidfd >= 0)
		close(pidfd);
}

/* All its children die with it; their jobs were not at fault. */
static void on_zygote_lost(struct crew *crew, int64_t now_ns)
{
	log_error("the parent of the workers is gone; a new one will be started", "crew", crew_name(crew));
	while (crew->attempts) {
		struct attempt *attempt = crew->attempts;

		attempt->was_lost = attempt->has_ended = true;
		attempt_kill(attempt, KILL_NONE);
		if (attempt->state == ATTEMPT_BUSY)
			crew_settle(crew, attempt, now_ns);
		else
			free_attempt(crew, attempt);
	}
	zygote_link_stop(&crew->zygote, now_ns);
}

static void on_zygote(struct crew *crew, int64_t now_ns)
{
	struct zygote_report report;
	int pidfd = -1, r;

	while (crew->zygote.fd >= 0 && (r = zygote_link_read(&crew->zygote, &report, &pidfd)) != 0) {
		if (r < 0) {
			on_zygote_lost(crew, now_ns);
			return;
		}
		on_report(crew, &report, pidfd, now_ns);
	}
}

void crew_on_event(struct crew *crew, uint32_t serial, int64_t now_ns)
{
	struct attempt *attempt;

	if (serial == 0) {
		on_zygote(crew, now_ns);
		return;
	}
	attempt = find(crew, serial); /* NULL: ended earlier in the same round */
	if (attempt && attempt->state == ATTEMPT_BUSY && attempt->socket >= 0)
		on_child(crew, attempt, now_ns);
	else if (attempt && attempt->socket >= 0)
		attempt_close(attempt); /* it says something unasked, or is gone: the zygote will report its end */
}
