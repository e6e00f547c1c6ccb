/* The listening thread: what others tell by NOTIFY. A hint only: whoever missed some is told "reconnected" and asks
 * again. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "fusefs/durable_parts.h"
#include "shared/base/clock.h"

enum { CHANNEL_SIZE = 64, PAYLOAD_SIZE = 1024, RETRY_FIRST_MS = 100, RETRY_MAX_MS = 2000 };

/* False: woken because durable ends. */
static bool wait_for_news(struct durable *durable, int socket, int timeout_ms)
{
	struct pollfd wanted[] = {{.fd = durable->wake_fd, .events = POLLIN}, {.fd = socket, .events = POLLIN}};

	poll(wanted, socket >= 0 ? 2 : 1, timeout_ms);
	return !(wanted[0].revents & POLLIN);
}

static int listen_to_all(struct db *db)
{
	static const char *const statements[] = {"LISTEN tenantfs_tenant", "LISTEN tenantfs_touch",
						 "LISTEN tenantfs_extracted", "LISTEN tenantfs_request",
						 "LISTEN tenantfs_commit"};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(statements) / sizeof(statements[0]); i++)
		r = db_execute(db, statements[i]);
	return r;
}

static int connect_and_listen(struct durable *durable, struct db **db)
{
	int r;

	if (!*db)
		r = db_open(durable->database_url, "fusefs listener", CONNECT_TIMEOUT_MS, db);
	else
		r = db_reopen(*db, CONNECT_TIMEOUT_MS);
	return r < 0 ? r : listen_to_all(*db);
}

static void hand_on(struct durable *durable, struct db *db)
{
	char channel[CHANNEL_SIZE], payload[PAYLOAD_SIZE];

	while (db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload)) == 1) {
		if (durable->events.notified)
			durable->events.notified(durable->mount_context, channel, payload);
	}
}

void *listener_run(void *context)
{
	struct durable *durable = context;
	int retry_ms = RETRY_FIRST_MS;
	bool was_connected = false;
	struct db *db = NULL;

	for (;;) {
		if (!db || db_is_lost(db)) {
			if (connect_and_listen(durable, &db) < 0) {
				if (!wait_for_news(durable, -1, retry_ms))
					break;
				retry_ms = retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2 : RETRY_MAX_MS;
				continue;
			}
			retry_ms = RETRY_FIRST_MS;
			if (was_connected && durable->events.notified)
				durable->events.notified(durable->mount_context, "reconnected", "");
			was_connected = true;
		}
		hand_on(durable, db);
		if (!db_is_lost(db) && !wait_for_news(durable, db_socket(db), -1))
			break;
	}
	db_close(db);
	return NULL;
}
