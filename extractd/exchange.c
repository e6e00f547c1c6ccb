#include "extractd/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int exchange_init(struct exchange *exchange)
{
	*exchange = (struct exchange){.supervisor_fd = -1, .queue_fd = -1};
	exchange->claimed_end = &exchange->claimed;
	exchange->outcomes_end = &exchange->outcomes;
	pthread_mutex_init(&exchange->lock, NULL);
	exchange->supervisor_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	exchange->queue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (exchange->supervisor_fd >= 0 && exchange->queue_fd >= 0)
		return 0;
	exchange_release(exchange);
	return -EMFILE;
}

void exchange_release(struct exchange *exchange)
{
	while (exchange->claimed) {
		struct ready_job *job = exchange->claimed;

		exchange->claimed = job->next;
		free(job);
	}
	while (exchange->outcomes) {
		struct job_outcome *outcome = exchange->outcomes;

		exchange->outcomes = outcome->next;
		job_outcome_free(outcome);
	}
	if (exchange->supervisor_fd >= 0)
		close(exchange->supervisor_fd);
	if (exchange->queue_fd >= 0)
		close(exchange->queue_fd);
	pthread_mutex_destroy(&exchange->lock);
}

/* A full counter cannot happen: each wake reads it empty. */
static void wake(int event_fd)
{
	const uint64_t one = 1;

	while (write(event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void exchange_clear(int event_fd)
{
	uint64_t count;

	while (read(event_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

size_t outcome_bytes(const struct job_outcome *outcome)
{
	const struct job_result *result = &outcome->result;

	return result->text.length + result->metadata.length + result->data.length + result->summary.length;
}

bool exchange_give_jobs(struct exchange *exchange, struct ready_job *jobs)
{
	bool is_taken;

	if (!jobs)
		return true;
	pthread_mutex_lock(&exchange->lock);
	is_taken = !exchange->takes_no_jobs;
	if (is_taken) {
		*exchange->claimed_end = jobs;
		while (*exchange->claimed_end)
			exchange->claimed_end = &(*exchange->claimed_end)->next;
	}
	pthread_mutex_unlock(&exchange->lock);
	if (is_taken)
		wake(exchange->supervisor_fd);
	return is_taken;
}

static struct ready_job *take_jobs(struct exchange *exchange, bool are_last)
{
	struct ready_job *jobs;

	pthread_mutex_lock(&exchange->lock);
	jobs = exchange->claimed;
	exchange->claimed = NULL;
	exchange->claimed_end = &exchange->claimed;
	exchange->takes_no_jobs = are_last;
	pthread_mutex_unlock(&exchange->lock);
	return jobs;
}

struct ready_job *exchange_take_jobs(struct exchange *exchange)
{
	return take_jobs(exchange, false);
}

struct ready_job *exchange_take_last_jobs(struct exchange *exchange)
{
	return take_jobs(exchange, true);
}

void exchange_give_outcome(struct exchange *exchange, struct job_outcome *outcome)
{
	outcome->next = NULL;
	pthread_mutex_lock(&exchange->lock);
	*exchange->outcomes_end = outcome;
	exchange->outcomes_end = &outcome->next;
	exchange->outcome_bytes += outcome_bytes(outcome);
	pthread_mutex_unlock(&exchange->lock);
	wake(exchange->queue_fd);
}

struct job_outcome *exchange_take_outcomes(struct exchange *exchange)
{
	struct job_outcome *outcomes;

	pthread_mutex_lock(&exchange->lock);
	outcomes = exchange->outcomes;
	exchange->outcomes = NULL;
	exchange->outcomes_end = &exchange->outcomes;
	pthread_mutex_unlock(&exchange->lock);
	return outcomes;
}

void exchange_forget_bytes(struct exchange *exchange, size_t bytes)
{
	pthread_mutex_lock(&exchange->lock);
	exchange->outcome_bytes -= bytes;
	pthread_mutex_unlock(&exchange->lock);
	wake(exchange->supervisor_fd);
}

size_t exchange_outcome_bytes(struct exchange *exchange)
{
	size_t bytes;

	pthread_mutex_lock(&exchange->lock);
	bytes = exchange->outcome_bytes;
	pthread_mutex_unlock(&exchange->lock);
	return bytes;
}

void exchange_set_window(struct exchange *exchange, enum job_lane lane, int window)
{
	bool is_wider;

	pthread_mutex_lock(&exchange->lock);
	is_wider = window > exchange->window[lane];
	exchange->window[lane] = window;
	pthread_mutex_unlock(&exchange->lock);
	if (is_wider)
		wake(exchange->queue_fd);
}

void exchange_drain(struct exchange *exchange)
{
	pthread_mutex_lock(&exchange->lock);
	exchange->is_draining = true;
	pthread_mutex_unlock(&exchange->lock);
	wake(exchange->queue_fd);
}

void exchange_close(struct exchange *exchange)
{
	pthread_mutex_lock(&exchange->lock);
	exchange->is_closing = true;
	pthread_mutex_unlock(&exchange->lock);
	wake(exchange->queue_fd);
}

void exchange_hint(struct exchange *exchange)
{
	pthread_mutex_lock(&exchange->lock);
	exchange->was_hinted = true;
	pthread_mutex_unlock(&exchange->lock);
	wake(exchange->queue_fd);
}
