/* What a lane begins, and when. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "extractd/lane_inside.h"
#include "extractd/object.h"
#include "extractd/verdict.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	STALE_MS = 25000, /* a claim waits no longer than this for its turn: the lease is for the work */
	WINDOW_MS = 150,  /* work kept at hand, so that no slot waits for PostgreSQL */
	WINDOW_MAX = 64,
	IDLE_ZYGOTE_MS = 300000,     /* then the OCR data is given back to the machine */
	RESULTS_MAX_BYTES = 64 << 20 /* not in PostgreSQL yet: above it nothing is begun */
};

static int count(const struct lane *lane, enum attempt_state state)
{
	int found = 0;

	for (const struct attempt *attempt = lane->attempts; attempt; attempt = attempt->next)
		found += attempt->state == state;
	return found;
}

int lane_busy(const struct lane *lane)
{
	return count(lane, ATTEMPT_BUSY);
}

static int running_of(const struct lane *lane, int64_t tenant_id)
{
	int found = 0;

	for (const struct attempt *attempt = lane->attempts; attempt; attempt = attempt->next)
		found += attempt->state == ATTEMPT_BUSY && attempt->job->row.tenant_id == tenant_id;
	return found;
}

void lane_add(struct lane *lane, struct ready_job *job)
{
	struct ready_job **at = &lane->ready;

	if (lane->is_draining) {
		lane_give(lane, verdict_plain(job, JOB_BACK, ""));
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
static struct ready_job *next_job(struct lane *lane, int busy)
{
	struct ready_job **best = NULL;
	int fewest = INT32_MAX;

	for (struct ready_job **at = &lane->ready; *at; at = &(*at)->next) {
		int running = running_of(lane, (*at)->row.tenant_id);

		if (running < fewest) {
			fewest = running;
			best = at;
		}
	}
	if (!best)
		return NULL;
	if (busy >= lane->slots && (fewest >= lane->settings->jobs_per_tenant || busy >= 2 * lane->slots))
		return NULL;
	return unlink_job(best);
}

/* --- beginning -------------------------------------------------------------------------------------------------- */

static struct attempt *warm_attempt(struct lane *lane)
{
	struct attempt *attempt = lane->attempts;

	while (attempt && (attempt->state != ATTEMPT_WARM || attempt->socket < 0))
		attempt = attempt->next;
	return attempt;
}

/* Settles a job that never reaches a child. 1: it does. */
static int open_job(struct lane *lane, struct ready_job *job, int *ret_fd)
{
	int r = job->row.path[0] ? object_open(lane->base_fd, job->row.tenant_code, job->row.path, ret_fd) : -ENOENT;

	if (r == 0)
		return 1;
	if (r == -ENOENT || r == -ENOTDIR)
		lane_give(lane, verdict_plain(job, JOB_GONE, "the stored bytes are missing"));
	else
		lane_give(lane, verdict_plain(job, JOB_RETRY, "the stored bytes cannot be opened"));
	return 0;
}

static void begin(struct lane *lane, struct attempt *attempt, struct ready_job *job, int64_t now_ns)
{
	struct limits limits = settings_lower_limits(&lane->settings->limits[lane->kind], job->row.failures);
	autoclose int fd = -1;

	lane->busy_at_ns = now_ns;
	if (open_job(lane, job, &fd) == 0)
		return;
	if (attempt_begin(attempt, job, fd, &limits, now_ns) < 0) {
		/* The child is gone; the zygote will say so. The job is for the next one. */
		attempt_close(attempt);
		job->next = lane->ready;
		lane->ready = job;
	}
}

static void give_back_stale(struct lane *lane, int64_t now_ns)
{
	struct ready_job **at = &lane->ready;

	while (*at)
		if (now_ns - (*at)->claimed_ns > STALE_MS * NS_PER_MS)
			lane_give(lane, verdict_plain(unlink_job(at), JOB_BACK, ""));
		else
			at = &(*at)->next;
}

static void begin_jobs(struct lane *lane, int64_t now_ns)
{
	struct attempt *attempt;

	if (lane->ready && exchange_outcome_bytes(lane->exchange) > RESULTS_MAX_BYTES)
		return;
	while ((attempt = warm_attempt(lane))) {
		struct ready_job *job = next_job(lane, lane_busy(lane));

		if (!job)
			return;
		begin(lane, attempt, job, now_ns);
	}
}

/* --- children --------------------------------------------------------------------------------------------------- */

static int listen_to(struct lane *lane, int fd, uint32_t serial)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = lane_source(lane->kind, serial)};

	return epoll_ctl(lane->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int ask_for_child(struct lane *lane)
{
	struct attempt *attempt = NULL;
	autoclose int child_fd = -1;
	int r;

	if (++lane->last_serial == 0)
		lane->last_serial = 1;
	r = attempt_new(lane->last_serial, &attempt, &child_fd);
	r = r ?: listen_to(lane, attempt->socket, attempt->serial);
	r = r ?: zygote_link_ask(&lane->zygote, attempt->serial, child_fd);
	if (r < 0) {
		attempt_free(attempt);
		return r;
	}
	attempt->next = lane->attempts;
	lane->attempts = attempt;
	return 0;
}

/* As many wait as could begin at once, and one more while the one that ends makes room. */
static void keep_warm(struct lane *lane, int64_t now_ns)
{
	int waiting = count(lane, ATTEMPT_ASKED) + count(lane, ATTEMPT_WARM);
	int wanted = lane->slots;

	if (!lane->zygote.is_ready || lane->is_draining || now_ns < lane->ask_not_before_ns)
		return;
	for (; waiting < wanted; waiting++) {
		int r = ask_for_child(lane);

		if (r == 0)
			continue;
		if (r != -EAGAIN && r != -EPIPE)
			log_error("no more workers", "error", log_errno(r));
		lane->ask_not_before_ns = now_ns + 10 * NS_PER_MS;
		return;
	}
}

/* The OCR lane's is started when it is needed, and ended when it has long not been: it holds the models. */
static bool wants_zygote(const struct lane *lane, int64_t now_ns)
{
	if (lane->slots == 0 || lane->is_draining)
		return false;
	if (lane->kind == JOB_LANE_NORMAL || lane->ready || lane_busy(lane) > 0)
		return true;
	return now_ns - lane->busy_at_ns < IDLE_ZYGOTE_MS * NS_PER_MS && lane->zygote.pid > 0;
}

static void dismiss_zygote(struct lane *lane, int64_t now_ns)
{
	zygote_link_stop(&lane->zygote, now_ns);
	while (lane->attempts) {
		struct attempt *attempt = lane->attempts;

		lane->attempts = attempt->next;
		attempt_free(attempt);
	}
}

static void keep_zygote(struct lane *lane, int64_t now_ns)
{
	int r;

	if (!wants_zygote(lane, now_ns)) {
		if (lane->zygote.pid > 0 && !lane->is_draining)
			dismiss_zygote(lane, now_ns);
		return;
	}
	if (lane->zygote.pid > 0 || now_ns < lane->zygote.not_before_ns)
		return;
	r = zygote_link_start(&lane->zygote, lane->settings, lane->kind);
	if (r == 0)
		r = listen_to(lane, lane->zygote.fd, 0);
	if (r < 0)
		log_error("extract-worker cannot be started", "path", lane->settings->worker_path, "error",
			  log_errno(r));
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static void check_deadlines(struct lane *lane, int64_t now_ns)
{
	struct attempt *next;

	for (struct attempt *attempt = lane->attempts; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->deadline_ns == 0 || now_ns < attempt->deadline_ns)
			continue;
		if (attempt->state == ATTEMPT_BUSY) {
			attempt_kill(attempt, attempt->socket >= 0 ? KILL_TIME : KILL_MALFORMED);
			lane_settle(lane, attempt, now_ns);
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

static int64_t next_time(const struct lane *lane, int64_t now_ns)
{
	int64_t at_ns = INT64_MAX;

	for (const struct attempt *attempt = lane->attempts; attempt; attempt = attempt->next)
		if (attempt->deadline_ns > 0)
			at_ns = sooner(at_ns, attempt->deadline_ns);
	if (lane->slots == 0 || lane->is_draining)
		return at_ns;
	if (lane->ready)
		at_ns = sooner(at_ns, lane->ready->claimed_ns + STALE_MS * NS_PER_MS + NS_PER_MS);
	if (lane->zygote.pid == 0 && wants_zygote(lane, now_ns))
		at_ns = sooner(at_ns, lane->zygote.not_before_ns);
	if (lane->zygote.is_ready && lane->ask_not_before_ns > now_ns)
		at_ns = sooner(at_ns, lane->ask_not_before_ns);
	if (lane->kind == JOB_LANE_OCR && lane->zygote.pid > 0)
		at_ns = sooner(at_ns, lane->busy_at_ns + IDLE_ZYGOTE_MS * NS_PER_MS + NS_PER_MS);
	return at_ns;
}

static void set_window(struct lane *lane)
{
	int64_t ahead = lane->average_ns > 0 ? lane->slots * WINDOW_MS * NS_PER_MS / lane->average_ns : lane->slots;
	int window = lane->slots + (int)(ahead < WINDOW_MAX ? ahead : WINDOW_MAX);

	if (window < 2 * lane->slots)
		window = 2 * lane->slots;
	if (lane->is_draining || lane->slots == 0)
		window = 0;
	if (window != lane->window)
		exchange_set_window(lane->exchange, lane->kind, window);
	lane->window = window;
}

int64_t lane_serve(struct lane *lane, int64_t now_ns)
{
	check_deadlines(lane, now_ns);
	give_back_stale(lane, now_ns);
	keep_zygote(lane, now_ns);
	keep_warm(lane, now_ns);
	begin_jobs(lane, now_ns);
	keep_warm(lane, now_ns);
	set_window(lane);
	return next_time(lane, now_ns);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

void lane_drain(struct lane *lane)
{
	lane->is_draining = true;
	while (lane->ready)
		lane_give(lane, verdict_plain(unlink_job(&lane->ready), JOB_BACK, ""));
}

void lane_kill_all(struct lane *lane, int64_t now_ns)
{
	struct attempt *next;

	for (struct attempt *attempt = lane->attempts; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->state != ATTEMPT_BUSY)
			continue;
		attempt_kill(attempt, KILL_DRAIN);
		lane_settle(lane, attempt, now_ns);
	}
}
