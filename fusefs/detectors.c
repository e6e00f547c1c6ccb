#include "fusefs/detectors.h"

#include <pthread.h>
#include <stdlib.h>
#include "shared/base/log.h"

enum { DETECTORS_KEPT = 8 }; /* a loaded database takes some megabytes */

struct detectors {
	pthread_mutex_t lock;
	struct detector *free[DETECTORS_KEPT]; /* lock */
	int count;			       /* lock */
};

struct detectors *detectors_new(void)
{
	struct detectors *detectors = calloc(1, sizeof(*detectors));

	if (detectors)
		pthread_mutex_init(&detectors->lock, NULL);
	return detectors;
}

void detectors_free(struct detectors *detectors)
{
	if (!detectors)
		return;
	for (int i = 0; i < detectors->count; i++)
		detector_free(detectors->free[i]);
	pthread_mutex_destroy(&detectors->lock);
	free(detectors);
}

struct detector *detectors_take(struct detectors *detectors)
{
	struct detector *detector = NULL;
	int r;

	pthread_mutex_lock(&detectors->lock);
	if (detectors->count > 0)
		detector = detectors->free[--detectors->count];
	pthread_mutex_unlock(&detectors->lock);
	if (detector)
		return detector;
	r = detector_new(&detector);
	if (r < 0) {
		log_error("the media type database could not be loaded", "errno", log_errno(r));
		return NULL;
	}
	return detector;
}

void detectors_put(struct detectors *detectors, struct detector *detector)
{
	if (!detector)
		return;
	pthread_mutex_lock(&detectors->lock);
	if (detectors->count < DETECTORS_KEPT) {
		detectors->free[detectors->count++] = detector;
		detector = NULL;
	}
	pthread_mutex_unlock(&detectors->lock);
	detector_free(detector);
}
