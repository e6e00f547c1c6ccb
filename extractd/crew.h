/*
 * A zygote, some children that wait warm, some that work, and the jobs that are next. There is a crew for texts, one
 * for documents, one for OCR. All of it belongs to the supervisor's thread.
 *
 * Which job is next: one of the tenant that has the fewest running here, of these the oldest claim. When every slot is
 * taken, a tenant with less than its share (JOBS_PER_TENANT) still begins at once, beside the others, up to twice the
 * slots: the processors are shared for a moment, and nobody waits for a stranger's five-minute file.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/attempt.h"
#include "extractd/zygote_link.h"

struct crew {
	enum crew_kind kind;
	const struct extract_settings *settings;
	struct crew *elsewhere; /* for files that are not what this crew reads; NULL: it reads all */
	int64_t *average_ns;	/* how long jobs of the lane take, shared with the other crew that serves it */
	struct exchange *exchange;
	int epoll_fd, base_fd;
	int slots; /* 0: this crew is off */
	bool ocr_is_on, is_draining;
	struct zygote_link zygote;
	struct attempt *attempts; /* in all states */
	struct ready_job *ready;  /* claimed, not begun, oldest first */
	uint32_t last_serial;
	int64_t ask_not_before_ns; /* children die before they are of use: not so fast */
	int64_t busy_at_ns;	   /* when there was something to do */
};

/* What an epoll event is about: crew_source(kind, 0) is the zygote, other serials its children. */
uint64_t crew_source(enum crew_kind kind, uint32_t serial);

void crew_init(struct crew *crew, enum crew_kind kind, const struct extract_settings *settings,
	       struct exchange *exchange, int epoll_fd, int base_fd);
/* Ends the zygote and all children. */
void crew_release(struct crew *crew);
void crew_add(struct crew *crew, struct ready_job *job);
/* Something can be read; serial 0: from the zygote. */
void crew_on_event(struct crew *crew, uint32_t serial, int64_t now_ns);
/*
 * After any change: begins what can be begun, kills what is late, keeps children warm. Returns when it wants to be
 * called again at the latest (monotonic), INT64_MAX: never by itself.
 */
int64_t crew_serve(struct crew *crew, int64_t now_ns);
/* Gives back what is not begun; begins nothing more. */
void crew_drain(struct crew *crew);
/* Breaks off what runs. */
void crew_kill_all(struct crew *crew, int64_t now_ns);
int crew_busy(const struct crew *crew);
