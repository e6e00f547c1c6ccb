#include "httpshim/listener.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "httpshim/answer_cache.h"
#include "httpshim/parking.h"
#include "httpshim/server.h"
#include "httpshim/tenant_cache.h"
#include "httpshim/thread.h"
#include "httpshim/token_cache.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/db/db.h"

enum { CONNECT_MS = 3000, PAUSE_MS = 500, HEARD_MAX = 64, PAYLOAD_SIZE = 8192 };

struct listener {
	struct server *server;
	pthread_t thread;
	atomic_bool is_stopping;
	int wake; /* eventfd */
};

static void pause_listener(const struct listener *listener, int ms)
{
	struct pollfd wake = {.fd = listener->wake, .events = POLLIN};

	poll(&wake, 1, ms);
}

static int begin(struct db *db)
{
	int r = db_execute(db, "LISTEN tenantfs_commit");

	if (r == 0)
		r = db_execute(db, "LISTEN tenantfs_tenant");
	if (r == 0)
		r = db_execute(db, "LISTEN tenantfs_extracted");
	if (r == 0)
		r = db_execute(db, "LISTEN tenantfs_token");
	return r;
}

/* Tenants in which something was committed, each once: a busy committer tells hundreds of times a second. */
struct heard {
	int64_t tenants[HEARD_MAX];
	int count;
};

static void note(struct heard *heard, int64_t tenant_id)
{
	for (int i = 0; i < heard->count; i++) {
		if (heard->tenants[i] == tenant_id)
			return;
	}
	if (heard->count < HEARD_MAX)
		heard->tenants[heard->count++] = tenant_id;
	else
		heard->tenants[0] = 0; /* all, then */
}

static void tell(struct server *server, const struct heard *heard)
{
	for (int i = 0; i < heard->count; i++) {
		answer_cache_forget(server->answers, heard->tenants[i]);
		parking_wake(server->parking, heard->tenants[i]);
	}
}

static int take_all(struct server *server, struct db *db)
{
	char channel[64], payload[PAYLOAD_SIZE];
	struct heard heard = {0};
	int r;

	while ((r = db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload))) > 0) {
		int64_t tenant_id = strtoll(payload, NULL, 10);

		if (strcmp(channel, "tenantfs_token") == 0) {
			if (token_cache_load_revoked(server->tokens, db) < 0)
				return -EAGAIN;
			continue;
		}
		if (strcmp(channel, "tenantfs_tenant") == 0)
			tenant_cache_forget(server->tenants, tenant_id);
		note(&heard, tenant_id);
	}
	tell(server, &heard);
	return r;
}

/* Until the connection is lost or the server stops. */
static void hear(struct listener *listener, struct db *db)
{
	struct server *server = listener->server;
	struct pollfd fds[2] = {{.fd = db_socket(db), .events = POLLIN}, {.fd = listener->wake, .events = POLLIN}};

	if (begin(db) < 0 || token_cache_load_revoked(server->tokens, db) < 0)
		return;
	/* Whatever was said before we listened was missed. */
	tenant_cache_forget(server->tenants, 0);
	answer_cache_enable(server->answers, true);
	parking_wake(server->parking, 0);
	while (!atomic_load(&listener->is_stopping)) {
		if (take_all(server, db) < 0)
			break;
		poll(fds, 2, 30000);
	}
	answer_cache_enable(server->answers, false);
}

static void *run(void *context)
{
	struct listener *listener = context;
	bool was_told = false;

	while (!atomic_load(&listener->is_stopping)) {
		struct db *db;
		int r;

		r = db_open(config_database_url(listener->server->config), "httpshim listener", CONNECT_MS, &db);
		if (r == 0) {
			was_told = false;
			hear(listener, db);
			db_close(db);
		} else if (!was_told) {
			log_warn("PostgreSQL is not reachable", "error", log_errno(r));
			was_told = true;
		}
		if (!atomic_load(&listener->is_stopping))
			pause_listener(listener, PAUSE_MS);
	}
	return NULL;
}

int listener_start(struct server *server, struct listener **ret_listener)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int r;

	if (!listener)
		return -ENOMEM;
	listener->server = server;
	listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (listener->wake < 0) {
		free(listener);
		return -errno;
	}
	r = thread_start(&listener->thread, 0, run, listener);
	if (r < 0) {
		close(listener->wake);
		free(listener);
		return r;
	}
	*ret_listener = listener;
	return 0;
}

void listener_stop(struct listener *listener)
{
	if (!listener)
		return;
	atomic_store(&listener->is_stopping, true);
	eventfd_write(listener->wake, 1);
	pthread_join(listener->thread, NULL);
	close(listener->wake);
	free(listener);
}
