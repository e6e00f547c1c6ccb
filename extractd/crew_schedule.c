/* What a crew begins, and when. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "extractd/crew_inside.h"
#include "extractd/object.h"
#include "extractd/verdict.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	STALE_MS = 25000,	     /* a claim waits no longer than this for its turn: the lease is for the work */
	IDLE_ZYGOTE_MS = 300000,     /* then the OCR data is given back to the machine */
	RESULTS_MAX_BYTES = 64 << 20 /* not in PostgreSQL yet: above it nothing is begun */
};

static int count(const struct crew *crew, enum attempt_state state)
{
	int found = 0;

	for (const struct attempt *attempt = crew->attempts; attempt; attempt = attempt->next)
		found += attempt->state == state;
	return found;
}

int crew_busy(const struct crew *crew)
{
	return count(crew, ATTEMPT_BUSY);
}

static int running_of(const struct crew *crew, int64_t tenant_id)
{
	int found = 0;

	for (const struct attempt *attempt = crew->attempts; attempt; attempt = attempt->next)
		found += attempt->state == ATTEMPT_BUSY && attempt->job->row.tenant_id == tenant_id;
	return found;
}

void crew_add(struct crew *crew, struct ready_job *job)
{
	struct ready_job **at = &crew->ready;

	if (crew->is_draining) {
		crew_give(crew, verdict_plain(job, JOB_BACK, ""));
		return;
	}
	while (*at)
		at = &(*at)->next;
	job->next = NULL;
	*at = job;
}

static struct ready_job *unlink_job(struct ready_job **at)
{
	struct ready_job *job = *at;

	*at = job->next;
	job->next = NULL;
	return job;
}

/* NULL: nothing may begin now. */
static struct ready_job *next_job(struct crew *crew, int busy)
{
	struct ready_job **best = NULL;
	int fewest = INT32_MAX;

	for (struct ready_job **at = &crew->ready; *at; at = &(*at)->next) {
		int running = running_of(crew, (*at)->row.tenant_id);

		if (running < fewest) {
			fewest = running;
			best = at;
		}
	}
	if (!best)
		return NULL;
	if (busy >= crew->slots && (fewest >= crew->settings->jobs_per_tenant || busy >= 2 * crew->slots))
		return NULL;
	return unlink_job(best);
}

/* --- beginning -------------------------------------------------------------------------------------------------- */

static struct attempt *warm_attempt(struct crew *crew)
{
	struct attempt *attempt = crew->attempts;

	while (attempt && (attempt->state != ATTEMPT_WARM || attempt->socket < 0))
		attempt = attempt->next;
	return attempt;
}

/* Settles a job that never reaches a child. 1: it does. */
static int open_job(struct crew *crew, struct ready_job *job, int *ret_fd)
{
	int r = job->row.path[0] ? object_open(crew->base_fd, job->row.tenant_code, job->row.path, ret_fd) : -ENOENT;

	if (r == 0)
		return 1;
	if (r == -ENOENT || r == -ENOTDIR)
		crew_give(crew, verdict_plain(job, JOB_GONE, "the stored bytes are missing"));
	else
		crew_give(crew, verdict_plain(job, JOB_RETRY, "the stored bytes cannot be opened"));
	return 0;
}

static void begin(struct crew *crew, struct attempt *attempt, struct ready_job *job, int64_t now_ns)
{
	struct limits limits = settings_lower_limits(&crew->settings->limits[crew_lane(crew->kind)], job->row.failures);
	autoclose int fd = -1;

	crew->busy_at_ns = now_ns;
	if (open_job(crew, job, &fd) == 0)
		return;
	if (attempt_begin(attempt, job, fd, &limits, now_ns) < 0) {
		/* The child is gone; the zygote will say so. The job is for the next one. */
		attempt_close(attempt);
		job->next = crew->ready;
		crew->ready = job;
	}
}

static void give_back_stale(struct crew *crew, int64_t now_ns)
{
	struct ready_job **at = &crew->ready;

	while (*at)
		if (now_ns - (*at)->claimed_ns > STALE_MS * NS_PER_MS)
			crew_give(crew, verdict_plain(unlink_job(at), JOB_BACK, ""));
		else
			at = &(*at)->next;
}

static void begin_jobs(struct crew *crew, int64_t now_ns)
{
	struct attempt *attempt;

	if (crew->ready && exchange_outcome_bytes(crew->exchange) > RESULTS_MAX_BYTES)
		return;
	while ((attempt = warm_attempt(crew))) {
		struct ready_job *job = next_job(crew, crew_busy(crew));

		if (!job)
			return;
		begin(crew, attempt, job, now_ns);
	}
}

/* --- children --------------------------------------------------------------------------------------------------- */

static int listen_to(struct crew *crew, int fd, uint32_t serial)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = crew_source(crew->kind, serial)};

	return epoll_ctl(crew->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int ask_for_child(struct crew *crew)
{
	struct attempt *attempt = NULL;
	autoclose int child_fd = -1;
	int r;

	if (++crew->last_serial == 0)
		crew->last_serial = 1;
	r = attempt_new(crew->last_serial, &attempt, &child_fd);
	r = r ?: listen_to(crew, attempt->socket, attempt->serial);
	r = r ?: zygote_link_ask(&crew->zygote, attempt->serial, child_fd);
	if (r < 0) {
		attempt_free(attempt);
		return r;
	}
	attempt->next = crew->attempts;
	crew->attempts = attempt;
	return 0;
}

/* As many wait as could begin at once, and one more while the one that ends makes room. */
static void keep_warm(struct crew *crew, int64_t now_ns)
{
	int waiting = count(crew, ATTEMPT_ASKED) + count(crew, ATTEMPT_WARM);
	int wanted = crew->slots;

	if (!crew->zygote.is_ready || crew->is_draining || now_ns < crew->ask_not_before_ns)
		return;
	for (; waiting < wanted; waiting++) {
		int r = ask_for_child(crew);

		if (r == 0)
			continue;
		if (r != -EAGAIN && r != -EPIPE)
			log_error("no more workers", "error", log_errno(r));
		crew->ask_not_before_ns = now_ns + 10 * NS_PER_MS;
		return;
	}
}

/* That of OCR is started when it is needed, and ended when it has long not been: it holds the models. */
static bool wants_zygote(const struct crew *crew, int64_t now_ns)
{
	if (crew->slots == 0 || crew->is_draining)
		return false;
	if (crew->kind != CREW_OCR || crew->ready || crew_busy(crew) > 0)
		return true;
	return now_ns - crew->busy_at_ns < IDLE_ZYGOTE_MS * NS_PER_MS && crew->zygote.pid > 0;
}

static void dismiss_zygote(struct crew *crew, int64_t now_ns)
{
	zygote_link_stop(&crew->zygote, now_ns);
	while (crew->attempts) {
		struct attempt *attempt = crew->attempts;

		crew->attempts = attempt->next;
		attempt_free(attempt);
	}
}

static void keep_zygote(struct crew *crew, int64_t now_ns)
{
	int r;

	if (!wants_zygote(crew, now_ns)) {
		if (crew->zygote.pid > 0 && !crew->is_draining)
			dismiss_zygote(crew, now_ns);
		return;
	}
	if (crew->zygote.pid > 0 || now_ns < crew->zygote.not_before_ns)
		return;
	r = zygote_link_start(&crew->zygote, crew->settings, crew->kind);
	if (r == 0)
		r = listen_to(crew, crew->zygote.fd, 0);
	if (r < 0)
		log_error("extract-worker cannot be started", "path", crew->settings->worker_path, "error",
			  log_errno(r));
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static void check_deadlines(struct crew *crew, int64_t now_ns)
{
	struct attempt *next;

	for (struct attempt *attempt = crew->attempts; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->deadline_ns == 0 || now_ns < attempt->deadline_ns)
			continue;
		if (attempt->state == ATTEMPT_BUSY) {
			attempt_kill(attempt, attempt->socket >= 0 ? KILL_TIME : KILL_MALFORMED);
			crew_settle(crew, attempt, now_ns);
		} else if (attempt->state == ATTEMPT_ENDING) {
			attempt_kill(attempt, KILL_NONE);
			attempt->deadline_ns = now_ns + NS_PER_S; /* again, should it not be gone by then */
		}
	}
}

static int64_t sooner(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

static int64_t next_time(const struct crew *crew, int64_t now_ns)
{
	int64_t at_ns = INT64_MAX;

	for (const struct attempt *attempt = crew->attempts; attempt; attempt = attempt->next)
		if (attempt->deadline_ns > 0)
			at_ns = sooner(at_ns, attempt->deadline_ns);
	if (crew->slots == 0 || crew->is_draining)
		return at_ns;
	if (crew->ready)
		at_ns = sooner(at_ns, crew->ready->claimed_ns + STALE_MS * NS_PER_MS + NS_PER_MS);
	if (crew->zygote.pid == 0 && wants_zygote(crew, now_ns))
		at_ns = sooner(at_ns, crew->zygote.not_before_ns);
	if (crew->zygote.is_ready && crew->ask_not_before_ns > now_ns)
		at_ns = sooner(at_ns, crew->ask_not_before_ns);
	if (crew->kind == CREW_OCR && crew->zygote.pid > 0)
		at_ns = sooner(at_ns, crew->busy_at_ns + IDLE_ZYGOTE_MS * NS_PER_MS + NS_PER_MS);
	return at_ns;
}

int64_t crew_serve(struct crew *crew, int64_t now_ns)
{
	check_deadlines(crew, now_ns);
	give_back_stale(crew, now_ns);
	keep_zygote(crew, now_ns);
	keep_warm(crew, now_ns);
	begin_jobs(crew, now_ns);
	keep_warm(crew, now_ns);
	return next_time(crew, now_ns);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

void crew_drain(struct crew *crew)
{
	crew->is_draining = true;
	while (crew->ready)
		crew_give(crew, verdict_plain(unlink_job(&crew->ready), JOB_BACK, ""));
}

void crew_kill_all(struct crew *crew, int64_t now_ns)
{
	struct attempt *next;

	for (struct attempt *attempt = crew->attempts; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->state != ATTEMPT_BUSY)
			continue;
		attempt_kill(attempt, KILL_DRAIN);
		crew_settle(crew, attempt, now_ns);
	}
}
