#include "extractd/watch.h"

#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/log.h"

enum { WATCHED = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR, PAUSE_S = 5 };

struct watch_options {
	char base[PATH_MAX], excluded[PATH_MAX];
	struct exchange *exchange;
};

/* First the watch, then the look at what came before it: the whole tree is watched again, the rest is in the database.
 */
static void watch_folder(const struct watch_options *options, const char *folder)
{
	const char *excluded[] = {options->excluded, NULL};

	if (!inotifytools_watch_recursively_with_exclude(folder, WATCHED, excluded))
		log_debug("a folder is not watched", "folder", folder, "error", log_errno(inotifytools_error()));
}

static void on_event(const struct watch_options *options, const struct inotify_event *event)
{
	char folder[PATH_MAX];
	const char *parent;
	int length;

	if (event->mask & IN_Q_OVERFLOW)
		log_info("inotify lost events; the queue is looked through");
	if ((event->mask & IN_ISDIR) && (event->mask & (IN_CREATE | IN_MOVED_TO))) {
		parent = inotifytools_filename_from_wd(event->wd);
		length = snprintf(folder, sizeof(folder), "%s%s/", parent ? parent : "", event->name);
		if (parent && length > 0 && length < (int)sizeof(folder))
			watch_folder(options, folder);
	}
	exchange_hint(options->exchange);
}

static void *watch_thread(void *argument)
{
	struct watch_options *options = argument;

	watch_folder(options, options->base);
	exchange_hint(options->exchange); /* whatever happened before the watches stood */
	for (;;) {
		const struct inotify_event *event = inotifytools_next_events(-1, 1);

		if (event) {
			on_event(options, event);
		} else {
			log_debug("inotify failed", "error", log_errno(inotifytools_error()));
			sleep(PAUSE_S);
		}
	}
	return NULL;
}

void watch_start(const char *base_path, struct exchange *exchange)
{
	struct watch_options *options = calloc(1, sizeof(*options));
	pthread_t thread;

	if (!options || !inotifytools_initialize()) {
		log_warn("inotify is not to be had; NOTIFY and the slow look must do");
		free(options);
		return;
	}
	options->exchange = exchange;
	snprintf(options->base, sizeof(options->base), "%s/", base_path);
	/* Spools and journals change all the time and hold nothing to extract. */
	snprintf(options->excluded, sizeof(options->excluded), "%s/.tenantfs/", base_path);
	if (pthread_create(&thread, NULL, watch_thread, options) == 0)
		pthread_detach(thread);
	else
		free(options);
}
