/* A connection for a handler: taken from the pool, given back at the end of the scope. */
#pragma once
#include "httpshim/request.h"
#include "httpshim/server.h"
#include "shared/base/cleanup.h"
#include "shared/db/db.h"

enum { REQUEST_DB_WAIT_MS = 3000 };

struct leased_db {
	struct db_pool *pool;
	struct db *db;
};
#define autodb cleanup(leased_db_return)

static inline void leased_db_return(struct leased_db *leased)
{
	if (leased->db)
		db_pool_put(leased->pool, leased->db);
	leased->db = NULL;
}

/* -EAGAIN, -ETIMEDOUT: 503. */
static inline int request_lease_db(const struct request *request, struct leased_db *leased)
{
	leased->pool = request->server->database;
	return db_pool_get(leased->pool, REQUEST_DB_WAIT_MS, &leased->db);
}
