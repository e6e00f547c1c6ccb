#include "extractd/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "extractd/crew.h"
#include "extractd/object.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	EVENTS_AT_ONCE = 64,
	DRAIN_MS = 3000,
	WAIT_MAX_MS = 60000,
	WINDOW_MS = 150, /* work kept at hand, so that nobody waits for PostgreSQL */
	WINDOW_MAX = 64
};

/* Epoll sources beside those of the crews. */
enum { SOURCE_EXCHANGE = CREW_COUNT, SOURCE_SIGNAL };

struct supervisor {
	struct exchange *exchange;
	int epoll_fd, signal_fd, base_fd;
	struct crew crews[CREW_COUNT];
	int64_t average_ns[JOB_LANE_COUNT]; /* of the last jobs */
	int window[JOB_LANE_COUNT];	    /* as it was last told to the queue thread */
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
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		crew_init(&supervisor->crews[kind], kind, settings, supervisor->exchange, supervisor->epoll_fd,
			  supervisor->base_fd);
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		supervisor->crews[kind].average_ns = &supervisor->average_ns[crew_lane(kind)];
	supervisor->crews[CREW_TEXT].elsewhere = &supervisor->crews[CREW_DOCUMENTS];
	return r;
}

static void tear_down(struct supervisor *supervisor)
{
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		crew_release(&supervisor->crews[kind]);
	close(supervisor->epoll_fd);
	close(supervisor->signal_fd);
	close(supervisor->base_fd);
}

/* The extension of the object is hint enough: a file that is something else is handed on. */
static bool looks_like_text(const char *path)
{
	static const char *const extensions[] = {
		"txt",	"text", "log",	"md",	"csv", "tsv",  "tab", "json", "jsonl", "ndjson", "c",	 "h",	"cpp",
		"hpp",	"cc",	"py",	"js",	"ts",  "java", "go",  "rs",   "rb",    "sh",	 "sql",	 "css", "ini",
		"conf", "cfg",	"toml", "yaml", "yml", "rst",  "tex", "srt",  "vtt",   "diff",	 "patch"};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(extensions) / sizeof(*extensions); i++)
		if (strcmp(dot + 1, extensions[i]) == 0)
			return true;
	return false;
}

static struct crew *crew_for(struct supervisor *supervisor, const struct job_row *row)
{
	struct crew *text = &supervisor->crews[CREW_TEXT];

	if (row->lane == JOB_LANE_OCR)
		return &supervisor->crews[CREW_OCR];
	if (text->slots > 0 && text->zygote.is_ready && looks_like_text(row->path))
		return text;
	return &supervisor->crews[CREW_DOCUMENTS];
}

static void add_jobs(struct supervisor *supervisor, struct ready_job *jobs)
{
	while (jobs) {
		struct ready_job *job = jobs;

		jobs = job->next;
		crew_add(crew_for(supervisor, &job->row), job);
	}
}

static void begin_drain(struct supervisor *supervisor, int64_t now_ns)
{
	if (supervisor->drained_by_ns > 0)
		return;
	log_info("ending: nothing new is begun");
	supervisor->drained_by_ns = now_ns + DRAIN_MS * NS_PER_MS;
	exchange_drain(supervisor->exchange);
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		crew_drain(&supervisor->crews[kind]);
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
	} else if (source < CREW_COUNT) {
		crew_on_event(&supervisor->crews[source], serial, now_ns);
	}
}

/*
 * How many jobs to have at hand: enough to keep the crew at work while PostgreSQL is asked for more, and not so many
 * that another extractd would have nothing to do meanwhile.
 */
static int window_of(const struct supervisor *supervisor, enum job_lane lane)
{
	const struct crew *crew = &supervisor->crews[lane == JOB_LANE_OCR ? CREW_OCR : CREW_DOCUMENTS];
	int64_t average_ns = supervisor->average_ns[lane], ahead = crew->slots;

	if (supervisor->drained_by_ns > 0)
		return 0;
	if (average_ns > 0)
		ahead = crew->slots * WINDOW_MS * NS_PER_MS / average_ns;
	if (ahead > WINDOW_MAX)
		ahead = WINDOW_MAX;
	return crew->slots + (int)(ahead > crew->slots ? ahead : crew->slots);
}

static void set_windows(struct supervisor *supervisor)
{
	for (enum job_lane lane = 0; lane < JOB_LANE_COUNT; lane++) {
		int window = window_of(supervisor, lane);

		if (window != supervisor->window[lane])
			exchange_set_window(supervisor->exchange, lane, window);
		supervisor->window[lane] = window;
	}
}

/* Until when to sleep. */
static int64_t serve_crews(struct supervisor *supervisor, int64_t now_ns)
{
	int64_t at_ns = now_ns + WAIT_MAX_MS * NS_PER_MS;

	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++) {
		int64_t crew_at_ns = crew_serve(&supervisor->crews[kind], now_ns);

		at_ns = crew_at_ns < at_ns ? crew_at_ns : at_ns;
	}
	set_windows(supervisor);
	if (supervisor->drained_by_ns > 0 && supervisor->drained_by_ns < at_ns)
		at_ns = supervisor->drained_by_ns;
	return at_ns;
}

static bool is_drained(struct supervisor *supervisor, int64_t now_ns)
{
	int busy = 0;

	if (supervisor->drained_by_ns == 0)
		return false;
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++) {
		if (now_ns >= supervisor->drained_by_ns)
			crew_kill_all(&supervisor->crews[kind], now_ns);
		busy += crew_busy(&supervisor->crews[kind]);
	}
	return busy == 0;
}

/* A kernel without Landlock, a worker that is not there: said once, and not tried for ever. */
static bool is_hopeless(struct supervisor *supervisor)
{
	const struct zygote_link *zygote = &supervisor->crews[CREW_DOCUMENTS].zygote;

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
	int64_t now_ns = clock_monotonic_ns(), at_ns = serve_crews(supervisor, now_ns);

	while (!is_drained(supervisor, now_ns)) {
		int count = epoll_wait(supervisor->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(at_ns));

		now_ns = clock_monotonic_ns();
		for (int i = 0; i < count; i++)
			on_event(supervisor, &events[i], now_ns);
		if (is_hopeless(supervisor))
			return EXIT_FAILURE;
		at_ns = serve_crews(supervisor, now_ns);
	}
	return EXIT_SUCCESS;
}

static void give_back_all(struct supervisor *supervisor)
{
	exchange_drain(supervisor->exchange);
	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		crew_drain(&supervisor->crews[kind]);
	add_jobs(supervisor, exchange_take_last_jobs(supervisor->exchange)); /* claimed a moment too late */
}

int supervisor_run(const struct extract_settings *settings, struct exchange *exchange, const sigset_t *signals)
{
	struct supervisor supervisor = {.exchange = exchange, .epoll_fd = -1, .signal_fd = -1, .base_fd = -1};
	int status = EXIT_FAILURE;
	bool is_up;

	for (enum crew_kind kind = 0; kind < CREW_COUNT; kind++)
		supervisor.crews[kind].exchange = exchange;
	is_up = set_up(&supervisor, settings, signals) == 0;
	if (is_up)
		status = run(&supervisor);
	give_back_all(&supervisor);
	if (is_up)
		tear_down(&supervisor);
	exchange_close(exchange);
	return status;
}
