#include "extractd/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "extractd/lane.h"
#include "extractd/object.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum { EVENTS_AT_ONCE = 64, DRAIN_MS = 3000, WAIT_MAX_MS = 60000 };

/* Epoll sources beside those of the lanes. */
enum { SOURCE_EXCHANGE = JOB_LANE_COUNT, SOURCE_SIGNAL };

struct supervisor {
	struct exchange *exchange;
	int epoll_fd, signal_fd, base_fd;
	struct lane lanes[JOB_LANE_COUNT];
	bool was_ready;
	int64_t drained_by_ns; /* monotonic; 0: not draining */
};

static int listen_to(struct supervisor *supervisor, int fd, uint32_t source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)source << 32};

	return epoll_ctl(supervisor->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int set_up(struct supervisor *supervisor, const struct extract_settings *settings, const sigset_t *signals)
{
	int r;

	supervisor->base_fd = object_base_open(settings->base_path);
	if (supervisor->base_fd < 0) {
		log_error("the storage cannot be opened", "path", settings->base_path, "error",
			  log_errno(supervisor->base_fd));
		return supervisor->base_fd;
	}
	supervisor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	supervisor->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->epoll_fd < 0 || supervisor->signal_fd < 0)
		return -errno;
	r = listen_to(supervisor, supervisor->exchange->supervisor_fd, SOURCE_EXCHANGE);
	r = r ?: listen_to(supervisor, supervisor->signal_fd, SOURCE_SIGNAL);
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		lane_init(&supervisor->lanes[lane], lane, settings, supervisor->exchange, supervisor->epoll_fd,
			  supervisor->base_fd);
	return r;
}

static void tear_down(struct supervisor *supervisor)
{
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		lane_release(&supervisor->lanes[lane]);
	close(supervisor->epoll_fd);
	close(supervisor->signal_fd);
	close(supervisor->base_fd);
}

static void add_jobs(struct supervisor *supervisor, struct ready_job *jobs)
{
	while (jobs) {
		struct ready_job *job = jobs;

		jobs = job->next;
		lane_add(&supervisor->lanes[job->row.lane], job);
	}
}

static void begin_drain(struct supervisor *supervisor, int64_t now_ns)
{
	if (supervisor->drained_by_ns > 0)
		return;
	log_info("ending: nothing new is begun");
	supervisor->drained_by_ns = now_ns + DRAIN_MS * NS_PER_MS;
	exchange_drain(supervisor->exchange);
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		lane_drain(&supervisor->lanes[lane]);
}

static void on_event(struct supervisor *supervisor, const struct epoll_event *event, int64_t now_ns)
{
	uint32_t source = (uint32_t)(event->data.u64 >> 32), serial = (uint32_t)event->data.u64;
	struct signalfd_siginfo signal;

	if (source == SOURCE_EXCHANGE) {
		exchange_clear(supervisor->exchange->supervisor_fd);
		add_jobs(supervisor, exchange_take_jobs(supervisor->exchange));
	} else if (source == SOURCE_SIGNAL && read(supervisor->signal_fd, &signal, sizeof(signal)) > 0) {
		begin_drain(supervisor, now_ns);
	} else if (source < JOB_LANE_COUNT) {
		lane_on_event(&supervisor->lanes[source], serial, now_ns);
	}
}

/* Until when to sleep. */
static int64_t serve_lanes(struct supervisor *supervisor, int64_t now_ns)
{
	int64_t at_ns = now_ns + WAIT_MAX_MS * NS_PER_MS;

	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++) {
		int64_t lane_at_ns = lane_serve(&supervisor->lanes[lane], now_ns);

		at_ns = lane_at_ns < at_ns ? lane_at_ns : at_ns;
	}
	if (supervisor->drained_by_ns > 0 && supervisor->drained_by_ns < at_ns)
		at_ns = supervisor->drained_by_ns;
	return at_ns;
}

static bool is_drained(struct supervisor *supervisor, int64_t now_ns)
{
	int busy = 0;

	if (supervisor->drained_by_ns == 0)
		return false;
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++) {
		if (now_ns >= supervisor->drained_by_ns)
			lane_kill_all(&supervisor->lanes[lane], now_ns);
		busy += lane_busy(&supervisor->lanes[lane]);
	}
	return busy == 0;
}

/* A kernel without Landlock, a worker that is not there: said once, and not tried for ever. */
static bool is_hopeless(struct supervisor *supervisor)
{
	const struct zygote_link *zygote = &supervisor->lanes[JOB_LANE_NORMAL].zygote;

	if (zygote->is_ready && !supervisor->was_ready) {
		supervisor->was_ready = true;
		log_info("ready");
	}
	return !supervisor->was_ready && zygote->failure[0];
}

static int wait_ms(int64_t at_ns)
{
	int64_t left_ns = at_ns - clock_monotonic_ns();

	return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int run(struct supervisor *supervisor)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t now_ns = clock_monotonic_ns(), at_ns = serve_lanes(supervisor, now_ns);

	while (!is_drained(supervisor, now_ns)) {
		int count = epoll_wait(supervisor->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(at_ns));

		now_ns = clock_monotonic_ns();
		for (int i = 0; i < count; i++)
			on_event(supervisor, &events[i], now_ns);
		if (is_hopeless(supervisor))
			return EXIT_FAILURE;
		at_ns = serve_lanes(supervisor, now_ns);
	}
	return EXIT_SUCCESS;
}

static void give_back_all(struct supervisor *supervisor)
{
	exchange_drain(supervisor->exchange);
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		lane_drain(&supervisor->lanes[lane]);
	add_jobs(supervisor, exchange_take_last_jobs(supervisor->exchange)); /* claimed a moment too late */
}

int supervisor_run(const struct extract_settings *settings, struct exchange *exchange, const sigset_t *signals)
{
	struct supervisor supervisor = {.exchange = exchange, .epoll_fd = -1, .signal_fd = -1, .base_fd = -1};
	int status = EXIT_FAILURE;
	bool is_up;

	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++)
		supervisor.lanes[lane].exchange = exchange;
	is_up = set_up(&supervisor, settings, signals) == 0;
	if (is_up)
		status = run(&supervisor);
	give_back_all(&supervisor);
	if (is_up)
		tear_down(&supervisor);
	exchange_close(exchange);
	return status;
}
