#include "shared/cache/cache_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shared/base/cleanup.h"
#include "shared/base/digest.h"
#include "shared/base/text.h"

enum { REDIS_PORT = 6379, DATABASE_MAX = 65535 };

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void cache_address_release(struct cache_address *address)
{
	free(address->host);
	free(address->path);
	free(address->user);
	wipe(address->password);
	*address = (struct cache_address){0};
}

/* Replaces *ret by length bytes with %XX decoded; an empty text is NULL. */
static int decode(const char *text, size_t length, char **ret)
{
	char *decoded = malloc(length + 1);
	size_t at = 0;

	if (!decoded)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		decoded[at] = text[i];
		if (text[i] == '%') {
			if (i + 2 >= length || hex_decode(text + i + 1, 2, &decoded[at], 1) < 0 || !decoded[at]) {
				free(decoded);
				return -EINVAL;
			}
			i += 2;
		}
		at++;
	}
	decoded[at] = '\0';
	wipe(*ret);
	*ret = at > 0 ? decoded : NULL;
	if (at == 0)
		free(decoded);
	return 0;
}

static int parse_number(const char *text, size_t length, int64_t max, int *ret)
{
	char digits[8] = {0};
	int64_t value;

	if (length == 0 || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	if (int64_parse(digits, &value) < 0 || value < 0 || value > max)
		return -EINVAL;
	*ret = (int)value;
	return 0;
}

/* user:password@ — a lone word is a password in redis-py's and hiredis' world only with the colon before it. */
static int parse_credentials(const char *text, size_t length, struct cache_address *address)
{
	const char *colon = memchr(text, ':', length);
	size_t user_length = colon ? (size_t)(colon - text) : length;
	int r = decode(text, user_length, &address->user);

	if (r == 0 && colon)
		r = decode(colon + 1, length - user_length - 1, &address->password);
	return r;
}

/* host, host:port, [::1]:port; no host is localhost. */
static int parse_host(const char *text, size_t length, struct cache_address *address)
{
	const char *end = text + length, *port = NULL, *host_end;

	if (length > 0 && *text == '[') {
		host_end = memchr(text, ']', length);
		if (!host_end)
			return -EINVAL;
		if (host_end + 1 < end && host_end[1] != ':')
			return -EINVAL;
		port = host_end + 1 < end ? host_end + 2 : NULL;
		text++;
	} else {
		const char *colon = memchr(text, ':', length);

		host_end = colon ? colon : end;
		port = colon ? colon + 1 : NULL;
	}
	if (port && (parse_number(port, (size_t)(end - port), 65535, &address->port) < 0 || address->port == 0))
		return -EINVAL;
	if (host_end == text)
		return decode("localhost", 9, &address->host);
	return decode(text, (size_t)(host_end - text), &address->host);
}

/* ?db=N&password=…; what is not known is left to other clients of the same URL. */
static int parse_query(const char *query, struct cache_address *address)
{
	while (*query) {
		size_t length = strcspn(query, "&");
		int r = 0;

		if (strncmp(query, "db=", 3) == 0)
			r = parse_number(query + 3, length - 3, DATABASE_MAX, &address->database);
		else if (strncmp(query, "password=", 9) == 0)
			r = decode(query + 9, length - 9, &address->password);
		else if (strncmp(query, "username=", 9) == 0)
			r = decode(query + 9, length - 9, &address->user);
		if (r < 0)
			return r;
		query += length;
		query += *query == '&';
	}
	return 0;
}

static int parse(const char *url, struct cache_address *address)
{
	bool is_path = strncasecmp(url, "unix://", 7) == 0;
	const char *rest = strstr(url, "://"), *at, *end;
	int r = 0;

	address->is_tls = strncasecmp(url, "rediss://", 9) == 0;
	if (!rest || (!is_path && !address->is_tls && strncasecmp(url, "redis://", 8) != 0))
		return -EINVAL;
	rest += 3;
	/* The credentials end at the last @ before the path: a password may hold one. */
	end = rest + strcspn(rest, is_path ? "?" : "/?");
	at = memrchr(rest, '@', (size_t)(end - rest));
	if (at) {
		r = parse_credentials(rest, (size_t)(at - rest), address);
		rest = at + 1;
	}
	if (r < 0)
		return r;
	if (is_path)
		r = rest == end || *rest != '/' ? -EINVAL : decode(rest, (size_t)(end - rest), &address->path);
	else
		r = parse_host(rest, (size_t)(end - rest), address);
	if (r == 0 && *end == '/' && end[1] && end[1] != '?')
		r = parse_number(end + 1, strcspn(end + 1, "?"), DATABASE_MAX, &address->database);
	if (r < 0)
		return r;
	end = strchr(end, '?');
	return end ? parse_query(end + 1, address) : 0;
}

int cache_url_parse(const char *url, struct cache_address *ret_address)
{
	struct cache_address address = {.port = REDIS_PORT};
	int r = parse(url, &address);

	if (r < 0) {
		cache_address_release(&address);
		return r;
	}
	*ret_address = address;
	return 0;
}
