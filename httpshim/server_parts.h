/* Making and freeing all that the server is made of. */
#pragma once
#include "httpshim/server.h"

/* Reads the settings and starts the threads. Errors are logged. Works without PostgreSQL, Redis and the mount. */
int server_init(struct server *server, const struct config *config);
void server_release(struct server *server);
