#include "extractd/queue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/held.h"
#include "extractd/queue_finish.h"
#include "extractd/verdict.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/db/db.h"

enum {
	CONNECT_TIMEOUT_MS = 5000,
	CALL_TIMEOUT_MS = 15000,
	RECONNECT_MS = 500,
	HINT_DELAY_MS = 15,	  /* the file system speaks before the transaction commits */
	CLOSE_PATIENCE_MS = 5000, /* for PostgreSQL to come back at the end */
	OVERFULL = 2		  /* windows: so much is held at most, for tenants that have nothing running */
};

struct queue {
	const struct extract_settings *settings;
	struct exchange *exchange;
	pthread_t thread;
	struct queue_finish finish;
	struct toucher toucher;
	struct db *db;
	bool is_connected, was_down;
	int64_t instance;
	struct held held;
	int64_t after_tenant_id[JOB_LANE_COUNT];
	bool is_hungry[JOB_LANE_COUNT]; /* ask the queue for jobs */
	int window[JOB_LANE_COUNT];	/* as it was last seen */
	int64_t poll_at_ns, hint_at_ns, reconnect_at_ns, closing_since_ns;
};

/* --- connection ------------------------------------------------------------------------------------------------- */

static int set_up_session(struct queue *queue)
{
	int r;

	db_set_timeout(queue->db, CALL_TIMEOUT_MS);
	r = job_prepare_session(queue->db);
	r = r ?: job_instance(queue->db, &queue->instance);
	return r ?: db_execute(queue->db, "LISTEN tenantfs_job");
}

static void be_hungry(struct queue *queue)
{
	for (int lane = 0; lane < JOB_LANE_COUNT; lane++)
		queue->is_hungry[lane] = true;
}

static void connect_queue(struct queue *queue, int64_t now_ns)
{
	int r = queue->db ? db_reopen(queue->db, CONNECT_TIMEOUT_MS)
			  : db_open(queue->settings->database_url, "extractd queue", CONNECT_TIMEOUT_MS, &queue->db);

	r = r ?: set_up_session(queue);
	queue->is_connected = r == 0;
	if (r < 0) {
		if (!queue->was_down)
			log_error("PostgreSQL is away; finished extractions wait", "reason",
				  queue->db ? db_message(queue->db) : db_open_message());
		queue->was_down = true;
		queue->reconnect_at_ns = now_ns + RECONNECT_MS * NS_PER_MS;
		return;
	}
	log_info(queue->was_down ? "PostgreSQL is back" : "the queue is open", "instance", log_number(queue->instance));
	queue->was_down = false;
	queue->poll_at_ns = now_ns; /* whatever was said meanwhile was missed */
}

/* A call failed. A connection that still lives is used again. */
static void note_failure(struct queue *queue, int error, int64_t now_ns)
{
	if (error != -EAGAIN)
		log_error("a query of the queue failed", "error", log_errno(error), "message", db_message(queue->db));
	queue->is_connected = false;
	queue->reconnect_at_ns = now_ns + (db_is_lost(queue->db) ? 0 : RECONNECT_MS * NS_PER_MS);
}

/* --- claims ----------------------------------------------------------------------------------------------------- */

static int window_of(struct queue *queue, enum job_lane lane)
{
	int window;

	pthread_mutex_lock(&queue->exchange->lock);
	window = queue->exchange->is_draining ? 0 : queue->exchange->window[lane];
	pthread_mutex_unlock(&queue->exchange->lock);
	return window;
}

static void hand_over(struct queue *queue, const struct job_row *rows, int count)
{
	struct ready_job *jobs = NULL, **end = &jobs;
	int64_t now_ns = clock_monotonic_ns();

	for (int i = 0; i < count; i++) {
		struct ready_job *job = calloc(1, sizeof(*job));

		if (!job || held_add(&queue->held, rows[i].tenant_id, rows[i].lane, 1) < 0) {
			free(job);
			log_error("no memory for a claimed job; its lease will expire");
			continue;
		}
		job->row = rows[i];
		job->claimed_ns = now_ns;
		*end = job;
		end = &job->next;
	}
	if (exchange_give_jobs(queue->exchange, jobs))
		return;
	while (jobs) {
		struct ready_job *job = jobs;
		struct job_outcome *outcome;

		jobs = job->next;
		outcome = verdict_plain(job, JOB_BACK, "");
		if (outcome)
			exchange_give_outcome(queue->exchange, outcome);
	}
}

static int64_t last_tenant(const struct job_row *rows, int count)
{
	int64_t last = 0;

	for (int i = 0; i < count; i++)
		if (rows[i].tenant_id > last)
			last = rows[i].tenant_id;
	return last;
}

/* Returns how many, or an error. */
static int claim(struct queue *queue, enum job_lane lane, int limit, int tenant_limit)
{
	struct job_demand demand = {.lane = lane,
				    .instance = queue->instance,
				    .after_tenant_id = queue->after_tenant_id[lane],
				    .limit = limit,
				    .tenant_limit = tenant_limit,
				    .lease_ms = (int)queue->settings->limits[lane].time_ms + LEASE_SLACK_MS};
	struct job_row *rows = NULL;
	int count = 0, r;

	held_lists(&queue->held, lane, &demand.held_tenant_ids, &demand.held_counts, &demand.held_count);
	r = job_claim(queue->db, &demand, &rows, &count);
	if (r < 0)
		return r;
	/* The next round begins behind the last one served, and from the front when there was nobody behind. */
	queue->after_tenant_id[lane] = count < limit ? 0 : last_tenant(rows, count);
	hand_over(queue, rows, count);
	free(rows);
	return count;
}

static int claim_lane(struct queue *queue, enum job_lane lane)
{
	int window = queue->window[lane], room = window - held_total(&queue->held, lane), r;
	bool was_behind = queue->after_tenant_id[lane] > 0;

	if (window == 0)
		return 0;
	if (room > 0)
		r = claim(queue, lane, room, window);
	else if (room > -(OVERFULL - 1) * window)
		r = claim(queue, lane, queue->settings->slots[lane == JOB_LANE_OCR ? CREW_OCR : CREW_DOCUMENTS],
			  1); /* for those who have nothing here */
	else
		return 0;
	if (r < 0)
		return r;
	queue->is_hungry[lane] = r > 0 || was_behind;
	return 0;
}

/* Ends: each round takes something, until the windows are full or the queue has no more for us. */
static int claim_all(struct queue *queue)
{
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		while (queue->is_hungry[lane]) {
			int r;

			queue->is_hungry[lane] = false;
			r = claim_lane(queue, lane);
			if (r < 0)
				return r;
		}
	return 0;
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static int look_around(struct queue *queue, int64_t now_ns)
{
	int count = 0, r = job_reclaim(queue->db, &count);

	if (r < 0)
		return r;
	if (count > 0)
		log_warn("jobs that nobody ran any more are queued again", "count", log_number(count));
	be_hungry(queue);
	queue->poll_at_ns = now_ns + queue->settings->poll_ms * NS_PER_MS;
	return 0;
}

static void see_windows(struct queue *queue)
{
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++) {
		int window = window_of(queue, lane);

		if (window > queue->window[lane])
			queue->is_hungry[lane] = true;
		queue->window[lane] = window;
	}
}

static void take_hints(struct queue *queue, int64_t now_ns)
{
	char channel[64], payload[128];

	pthread_mutex_lock(&queue->exchange->lock);
	if (queue->exchange->was_hinted && queue->hint_at_ns == 0)
		queue->hint_at_ns = now_ns + HINT_DELAY_MS * NS_PER_MS;
	queue->exchange->was_hinted = false;
	pthread_mutex_unlock(&queue->exchange->lock);
	if (queue->hint_at_ns > 0 && now_ns >= queue->hint_at_ns) {
		queue->hint_at_ns = 0;
		be_hungry(queue);
	}
	if (queue->finish.retry_at_ns > 0 && now_ns >= queue->finish.retry_at_ns) {
		queue->finish.retry_at_ns = 0;
		be_hungry(queue);
	}
	while (queue->is_connected &&
	       db_next_notification(queue->db, channel, sizeof(channel), payload, sizeof(payload)) > 0)
		be_hungry(queue);
}

static int work(struct queue *queue, int64_t now_ns)
{
	int written = queue_finish_write(&queue->finish, queue->db, &queue->held, now_ns);
	int r = 0;

	if (written < 0)
		return written;
	if (written > 0)
		be_hungry(queue); /* there is room */
	if (now_ns >= queue->poll_at_ns)
		r = look_around(queue, now_ns);
	return r ?: claim_all(queue);
}

static int64_t sooner(int64_t one, int64_t other)
{
	return other > 0 && other < one ? other : one;
}

static int wait_ms(const struct queue *queue, int64_t now_ns)
{
	int64_t at_ns = queue->is_connected ? queue->poll_at_ns : queue->reconnect_at_ns;

	at_ns = sooner(at_ns, queue->hint_at_ns);
	at_ns = sooner(at_ns, queue->finish.retry_at_ns);
	if (queue->toucher.unanswered > 0)
		at_ns = sooner(at_ns, queue->toucher.asked_ns + TOUCH_DEADLINE_MS * NS_PER_MS + NS_PER_MS);
	return at_ns <= now_ns ? 0 : (int)((at_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void wait_for_work(struct queue *queue, int64_t now_ns)
{
	struct pollfd ends[3] = {{.fd = queue->exchange->queue_fd, .events = POLLIN},
				 {.fd = queue->is_connected ? db_socket(queue->db) : -1, .events = POLLIN},
				 {.fd = queue->toucher.fd, .events = POLLIN}};

	if (poll(ends, 3, wait_ms(queue, now_ns)) > 0 && ends[0].revents)
		exchange_clear(queue->exchange->queue_fd);
}

/* True when the last outcome is written, or when it has waited long enough for a PostgreSQL that is away. */
static bool may_end(struct queue *queue, int64_t now_ns)
{
	bool is_closing;

	pthread_mutex_lock(&queue->exchange->lock);
	is_closing = queue->exchange->is_closing && !queue->exchange->outcomes;
	pthread_mutex_unlock(&queue->exchange->lock);
	if (!is_closing)
		return false;
	if (!queue->finish.pending)
		return true;
	if (queue->closing_since_ns == 0)
		queue->closing_since_ns = now_ns;
	return now_ns - queue->closing_since_ns > CLOSE_PATIENCE_MS * NS_PER_MS;
}

static void *queue_thread(void *argument)
{
	struct queue *queue = argument;
	int64_t now_ns = clock_monotonic_ns();

	while (!may_end(queue, now_ns)) {
		int r = 0;

		if (!queue->is_connected && now_ns >= queue->reconnect_at_ns)
			connect_queue(queue, now_ns);
		see_windows(queue);
		take_hints(queue, now_ns);
		queue_finish_take(&queue->finish, queue->exchange);
		if (queue->is_connected)
			r = work(queue, now_ns);
		if (r < 0)
			note_failure(queue, r, now_ns);
		now_ns = clock_monotonic_ns();
		toucher_check(&queue->toucher, now_ns);
		if (!may_end(queue, now_ns))
			wait_for_work(queue, now_ns);
		now_ns = clock_monotonic_ns();
	}
	return NULL;
}

int queue_start(const struct extract_settings *settings, struct exchange *exchange, struct carrier *carrier,
		struct queue **ret_queue)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	int r;

	if (!queue)
		return -ENOMEM;
	queue->settings = settings;
	queue->exchange = exchange;
	toucher_init(&queue->toucher, settings->mount_path);
	queue_finish_init(&queue->finish, exchange, carrier, &queue->toucher);
	r = -pthread_create(&queue->thread, NULL, queue_thread, queue);
	if (r < 0) {
		free(queue);
		return r;
	}
	*ret_queue = queue;
	return 0;
}

void queue_join(struct queue *queue)
{
	pthread_join(queue->thread, NULL);
	if (queue->finish.pending)
		log_warn("PostgreSQL is away: the last outcomes are lost, their jobs will be done again");
	queue_finish_release(&queue->finish);
	toucher_release(&queue->toucher);
	held_release(&queue->held);
	db_close(queue->db);
	free(queue);
}
