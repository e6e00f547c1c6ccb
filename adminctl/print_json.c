/* Figures that come as JSON, for people. */
#include <jansson.h>
#include <string.h>
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"

enum { INDENT = 2, KEY_WIDTH = 40, DEPTH_MAX = 8 };

static void print_value(const char *key, const json_t *value, int depth)
{
	int width = KEY_WIDTH - depth * INDENT;

	printf("%*s%-*s ", depth * INDENT, "", width, key);
	if (json_is_string(value))
		printf("%s\n", json_string_value(value));
	else if (json_is_integer(value))
		printf("%12lld\n", (long long)json_integer_value(value));
	else if (json_is_real(value))
		printf("%12.1f\n", json_real_value(value));
	else
		printf("%12s\n", json_is_null(value) ? "-" : json_is_true(value) ? "yes" : "no");
}

static void print_members(json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (!json_is_object(value)) {
			print_value(key, value, depth);
		} else if (depth < DEPTH_MAX && json_object_size(value) > 0) {
			printf("%*s%s\n", depth * INDENT, "", key);
			print_members(value, depth + 1);
		}
	}
}

int print_json(const char *json, size_t length)
{
	json_t *object = json_loadb(json, length, 0, NULL);

	if (object == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	print_members(object, 0);
	json_decref(object);
	return EXIT_DONE;
}
