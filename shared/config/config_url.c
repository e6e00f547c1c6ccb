/* The connection strings, composed of what was set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shared/config/config_table.h"

enum { URL_BYTES_MAX = 8192 };

static int replace(char **target, struct buf *text)
{
	char *taken = buf_take(text, NULL);

	buf_release(text);
	if (!taken)
		return -ENOMEM;
	if (*target)
		explicit_bzero(*target, strlen(*target));
	free(*target);
	*target = taken;
	return 0;
}

/* key='value' for libpq, with \ before ' and \. */
static void put_pair(struct buf *text, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(text, "%s%s='", text->length > 0 ? " " : "", key);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(text, '\\');
		buf_putc(text, *value);
	}
	buf_putc(text, '\'');
}

/* Query parameters: asyncpg's ssl=require is libpq's sslmode=require. */
static void put_query(struct buf *text, const char *query)
{
	while (*query) {
		size_t length = strcspn(query, "&");

		if (strncmp(query, "ssl=", 4) == 0) {
			bool is_word = strncmp(query + 4, "true", 4) == 0 || strncmp(query + 4, "1", 1) == 0;

			buf_puts(text, "sslmode=");
			if (is_word)
				buf_puts(text, "require");
			else
				buf_append(text, query + 4, length - 4);
		} else {
			buf_append(text, query, length);
		}
		query += length;
		if (*query == '&')
			buf_putc(text, *query++);
	}
}

/* postgresql+asyncpg://… loses its driver. Key=value pairs pass as they are. */
static int put_database_url(struct buf *text, const char *url)
{
	const char *separator = strstr(url, "://"), *query = strchr(url, '?');
	size_t scheme = strcspn(url, "+:");

	/* "://" may also stand in a quoted value of the pairs: a scheme has neither blank nor = before it. */
	if (!separator || strcspn(url, " ='") < (size_t)(separator - url)) {
		buf_puts(text, url);
		return strchr(url, '=') ? 0 : -EINVAL;
	}
	if (!(scheme == 10 && strncasecmp(url, "postgresql", 10) == 0) &&
	    !(scheme == 8 && strncasecmp(url, "postgres", 8) == 0))
		return -EINVAL;
	buf_puts(text, "postgresql");
	if (!query || query < separator) {
		buf_puts(text, separator);
		return 0;
	}
	buf_append(text, separator, (size_t)(query + 1 - separator));
	put_query(text, query + 1);
	return 0;
}

static int compose_database(struct config *config, char *ret_error, size_t error_size)
{
	const char *url = config_string(config, SETTING_DATABASE_URL);
	struct buf text = BUF_INIT(URL_BYTES_MAX);

	if (url) {
		if (put_database_url(&text, url) < 0) {
			buf_release(&text);
			snprintf(ret_error, error_size, "%.160s: DATABASE_URL is not PostgreSQL's (postgresql://…)",
				 config->values[SETTING_DATABASE_URL].source);
			return -EINVAL;
		}
		return replace(&config->database_url, &text);
	}
	put_pair(&text, "host", config_string(config, SETTING_DB_HOST));
	put_pair(&text, "port", config_string(config, SETTING_DB_PORT));
	put_pair(&text, "dbname", config_string(config, SETTING_DB_NAME));
	put_pair(&text, "user", config_string(config, SETTING_DB_USER));
	put_pair(&text, "password", config_string(config, SETTING_DB_PASSWORD));
	return replace(&config->database_url, &text);
}

static int compose_redis(struct config *config)
{
	const char *url = config_string(config, SETTING_REDIS_URL), *host = config_string(config, SETTING_REDIS_HOST);
	struct buf text = BUF_INIT(URL_BYTES_MAX);

	if (url)
		buf_puts(&text, url);
	else if (host)
		buf_printf(&text, strchr(host, ':') ? "redis://[%s]:%s" : "redis://%s:%s", host,
			   config_string(config, SETTING_REDIS_PORT));
	return replace(&config->redis_url, &text);
}

/* Without a host: this machine alone. */
static void put_address(struct buf *text, const char *host, const char *port)
{
	if (strcmp(port, "0") == 0)
		return;
	host = host ? host : "127.0.0.1";
	buf_printf(text, strchr(host, ':') ? "%s[%s]:%s" : "%s%s:%s", text->length > 0 ? "," : "", host, port);
}

static int compose_listen(struct config *config)
{
	struct buf text = BUF_INIT(URL_BYTES_MAX);

	buf_puts(&text, config_string(config, SETTING_LISTEN));
	put_address(&text, config_string(config, SETTING_FILE_SERVICE_HOST),
		    config_string(config, SETTING_FILE_SERVICE_PORT));
	put_address(&text, config_string(config, SETTING_EXTRACTION_SERVICE_HOST),
		    config_string(config, SETTING_EXTRACTION_SERVICE_PORT));
	return replace(&config->listen, &text);
}

int config_compose(struct config *config, char *ret_error, size_t error_size)
{
	int r = compose_database(config, ret_error, error_size);

	if (r == 0)
		r = compose_redis(config);
	if (r == 0)
		r = compose_listen(config);
	if (r == -ENOMEM)
		snprintf(ret_error, error_size, "no memory");
	return r;
}
