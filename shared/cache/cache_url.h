/* Where Redis is. Nobody outside shared/cache includes this. */
#pragma once
#include <stdbool.h>

struct cache_address {
	char *host;	/* NULL: path */
	char *path;	/* NULL: host and port */
	char *user;	/* NULL: none */
	char *password; /* NULL: none */
	int port, database;
	bool is_tls;
};

/* -EINVAL: none of the forms in cache.h. -ENOMEM. *ret_address is to be released. */
int cache_url_parse(const char *url, struct cache_address *ret_address);
void cache_address_release(struct cache_address *address);
