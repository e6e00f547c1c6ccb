#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/query.h"
#include "httpshim/route.h"

const struct route *const route_groups[] = {
	health_routes, page_routes, document_routes, tenant_routes, download_routes, file_routes,
	dataset_routes, extraction_routes, chunked_routes, tus_routes, cleanup_routes, NULL,
};

static const struct {
	const char *name;
	unsigned bit;
} methods[] = {
	{"GET", ROUTE_GET},   {"HEAD", ROUTE_HEAD},	{"POST", ROUTE_POST},	   {"PUT", ROUTE_PUT},
	{"PATCH", ROUTE_PATCH}, {"DELETE", ROUTE_DELETE}, {"OPTIONS", ROUTE_OPTIONS},
};

unsigned route_method_bit(const char *method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, method) == 0)
			return methods[i].bit;
	}
	return 0;
}

void route_put_allowed(unsigned allowed, char *ret_text, size_t size)
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		int n;

		if (!(allowed & methods[i].bit) || used >= size)
			continue;
		n = snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "", methods[i].name);
		used += n > 0 ? (size_t)n : 0;
	}
}

struct segments {
	const char *at[ROUTE_SEGMENTS_MAX];
	size_t length[ROUTE_SEGMENTS_MAX];
	int count;
};

/* False: more segments than any route has. Empty segments are kept: "//" is no "/". */
static bool split(const char *path, size_t length, struct segments *segments)
{
	const char *end = path + length;

	segments->count = 0;
	if (length > 0 && path[0] == '/')
		path++;
	if (end - path > 1 && end[-1] == '/')
		end--;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const char *stop = slash ? slash : end;

		if (segments->count == ROUTE_SEGMENTS_MAX)
			return false;
		segments->at[segments->count] = path;
		segments->length[segments->count++] = (size_t)(stop - path);
		path = slash ? slash + 1 : end;
		if (slash && path == end)
			return false;
	}
	return true;
}

/* Whether a pattern fits, segment by segment, without decoding: no fixed segment holds a character that needs escaping. */
static bool fits(const char *pattern, const struct segments *segments)
{
	int count = 0;

	while (*pattern == '/' && pattern[1] != '\0') {
		size_t length = strcspn(++pattern, "/");

		if (count == segments->count)
			return false;
		if (*pattern == '{' ? segments->length[count] == 0
				    : segments->length[count] != length || memcmp(segments->at[count], pattern, length) != 0)
			return false;
		count++;
		pattern += length;
	}
	return count == segments->count;
}

static int take_params(const char *pattern, const struct segments *segments, struct route_match *match)
{
	int count = 0, params = 0;

	while (*pattern == '/' && pattern[1] != '\0') {
		size_t length = strcspn(++pattern, "/");

		if (*pattern == '{') {
			int r = query_decode_segment(segments->at[count], segments->length[count], match->params[params++],
						     ROUTE_SEGMENT_SIZE);
			if (r < 0)
				return r;
		}
		count++;
		pattern += length;
	}
	return 0;
}

int route_find(const char *method, const char *path, size_t length, struct route_match *ret_match)
{
	unsigned bit = route_method_bit(method);
	const struct route *found = NULL;
	struct segments segments;
	int number = -1;

	ret_match->route = NULL;
	ret_match->allowed = 0;
	if (length == 0 || path[0] != '/' || !split(path, length, &segments))
		return -ENOENT;
	for (const struct route *const *group = route_groups; *group; group++) {
		for (const struct route *route = *group; route->method; route++) {
			unsigned route_bit = route_method_bit(route->method);

			number++;
			if (route_bit == ROUTE_GET)
				route_bit |= ROUTE_HEAD;
			if ((ret_match->allowed & route_bit) == route_bit || !fits(route->path, &segments))
				continue;
			/* The first that fits wins, so fixed paths stand before those with parameters. */
			if (!found && (route_bit & bit)) {
				found = route;
				ret_match->number = number;
			}
			ret_match->allowed |= route_bit;
		}
	}
	if (!found)
		return ret_match->allowed ? -ENOTSUP : -ENOENT;
	ret_match->route = found;
	return take_params(found->path, &segments, ret_match);
}

int route_count(void)
{
	int count = 0;

	for (const struct route *const *group = route_groups; *group; group++) {
		for (const struct route *at = *group; at->method; at++)
			count++;
	}
	return count;
}

const struct route *route_at(int number)
{
	for (const struct route *const *group = route_groups; *group; group++) {
		for (const struct route *at = *group; at->method; at++) {
			if (number-- == 0)
				return at;
		}
	}
	return NULL;
}

const char *route_param(const struct route_match *match, const char *name)
{
	size_t length = strlen(name);
	int param = 0;

	for (const char *at = match->route->path; (at = strchr(at, '{')); param++) {
		at++;
		if (strncmp(at, name, length) == 0 && at[length] == '}')
			return match->params[param];
	}
	return NULL;
}
