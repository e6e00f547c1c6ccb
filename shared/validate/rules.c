/*
 * A tenant's configuration over the instance's defaults. A key that is null or missing has the default, so has an empty
 * list of allowed ones. Values come as numbers or, from people, as text: 104857600 and "100M" are the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"
#include "shared/config/config.h"
#include "shared/validate/file_types.h"
#include "shared/validate/rules_state.h"

#define FRESH_MAX_FILE_SIZE (100LL << 20)

enum { FRESH_ZIP_DEPTH = 3 };

struct parse {
	struct rules *rules;
	bool has_failed, is_out_of_memory;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static void complain(struct parse *parse, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!parse->has_failed && parse->error_size > 0)
		vsnprintf(parse->error, parse->error_size, format, arguments);
	va_end(arguments);
	parse->has_failed = true;
}

/* --- lists ----------------------------------------------------------------------------------------------------------
 */

typedef bool add_fn(void *list, const char *word);

static bool add_extension(void *list, const char *word)
{
	return extension_list_add(list, word);
}

static bool add_pattern(void *list, const char *word)
{
	return pattern_list_add(list, word);
}

/* The words of ".pdf, .csv"; ret_wrong gets the first that cannot be one. */
static bool add_words(const char *words, add_fn *add, void *list, char *ret_wrong, size_t wrong_size)
{
	while (*words != '\0') {
		size_t length = strcspn(words, ", \t\n");
		char word[MEDIA_PATTERN_SIZE];

		if (length > 0) {
			snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : sizeof(word)),
				 words);
			if (length >= sizeof(word) || !add(list, word)) {
				snprintf(ret_wrong, wrong_size, "%s", word);
				return false;
			}
		}
		words += length;
		words += strspn(words, ", \t\n");
	}
	return true;
}

static void parse_list(struct parse *parse, const char *key, const json_t *value, add_fn *add, void *list)
{
	char wrong[MEDIA_PATTERN_SIZE] = "";
	const json_t *item;
	size_t i;

	if (json_is_string(value)) {
		if (!add_words(json_string_value(value), add, list, wrong, sizeof(wrong)))
			complain(parse, "%s: \"%s\" is not one", key, wrong);
		return;
	}
	if (!json_is_array(value)) {
		complain(parse, "%s must be a list of texts", key);
		return;
	}
	json_array_foreach(value, i, item)
	{
		const char *word = json_string_value(item);

		if (!word)
			complain(parse, "%s must be a list of texts", key);
		else if (!add(list, word))
			complain(parse,
				 i >= LIST_ENTRIES_MAX ? "%s: too many, from \"%.100s\" on"
						       : "%s: \"%.100s\" is not one",
				 key, word);
	}
}

/* --- numbers --------------------------------------------------------------------------------------------------------
 */

/* 0 and "none" lift the limit. */
static bool size_of(const json_t *value, int64_t *ret_bytes)
{
	const char *text = json_string_value(value);
	int64_t bytes = -1;

	if (json_is_integer(value))
		bytes = json_integer_value(value);
	else if (text && (strcmp(text, "none") == 0 || strcmp(text, "unlimited") == 0))
		bytes = 0;
	else if (!text || size_parse(text, &bytes) < 0)
		return false;
	if (bytes < 0)
		return false;
	*ret_bytes = bytes == 0 ? INT64_MAX : bytes;
	return true;
}

static bool whole_number_of(const json_t *value, int64_t max, int64_t *ret_number)
{
	const char *text = json_string_value(value);
	int64_t number = -1;

	if (json_is_integer(value))
		number = json_integer_value(value);
	else if (!text || int64_parse(text, &number) < 0)
		return false;
	if (number < 0 || number > max)
		return false;
	*ret_number = number;
	return true;
}

/* --- the keys -------------------------------------------------------------------------------------------------------
 */

static void parse_allowed_extensions(struct parse *parse, const char *key, const json_t *value)
{
	struct extension_list list = {0};

	parse_list(parse, key, value, add_extension, &list);
	if (list.count == 0 && !list.is_any && !list.holds_none) /* none was named: the default stays */
		return;
	extension_list_release(&parse->rules->allowed_extensions);
	parse->rules->allowed_extensions = list;
}

static void parse_denied_extensions(struct parse *parse, const char *key, const json_t *value)
{
	parse_list(parse, key, value, add_extension, &parse->rules->denied_extensions);
}

static void parse_allowed_media_types(struct parse *parse, const char *key, const json_t *value)
{
	parse_list(parse, key, value, add_pattern, &parse->rules->allowed_media_types);
}

static void parse_denied_media_types(struct parse *parse, const char *key, const json_t *value)
{
	parse_list(parse, key, value, add_pattern, &parse->rules->denied_media_types);
}

static void parse_max_file_size(struct parse *parse, const char *key, const json_t *value)
{
	if (!size_of(value, &parse->rules->max_file_size))
		complain(parse, "%s must be bytes or a text such as \"100M\"", key);
}

static void parse_max_zip_depth(struct parse *parse, const char *key, const json_t *value)
{
	int64_t depth;

	if (!whole_number_of(value, ZIP_DEPTH_MAX, &depth)) {
		complain(parse, "%s must be a number from 0 to %d", key, ZIP_DEPTH_MAX);
		return;
	}
	parse->rules->max_zip_depth = (int)depth;
	parse->rules->judges_archives = true;
}

static void parse_retention_days(struct parse *parse, const char *key, const json_t *value)
{
	if (!whole_number_of(value, RETENTION_DAYS_MAX, &parse->rules->retention_days))
		complain(parse, "%s must be a number of days from 0 to %d", key, RETENTION_DAYS_MAX);
}

/* Read before the others, which it is the default of. */
static void parse_unrestricted(struct parse *parse, const char *key, const json_t *value)
{
	if (!json_is_boolean(value))
		complain(parse, "%s must be true or false", key);
}

static const struct {
	const char *key;
	void (*read)(struct parse *parse, const char *key, const json_t *value);
} keys[] = {
	{"allowed_extensions", parse_allowed_extensions},
	{"denied_extensions", parse_denied_extensions},
	{"allowed_media_types", parse_allowed_media_types},
	{"denied_media_types", parse_denied_media_types},
	{"max_file_size", parse_max_file_size},
	{"max_zip_depth", parse_max_zip_depth},
	{"retention_days", parse_retention_days},
	{"unrestricted", parse_unrestricted},
};

static void parse_key(struct parse *parse, const char *key, const json_t *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		if (!json_is_null(value))
			keys[i].read(parse, key, value);
		return;
	}
	complain(parse, "%.100s is not a setting of a tenant", key);
}

/* --- defaults -------------------------------------------------------------------------------------------------------
 */

static void set_unrestricted(struct rules *rules)
{
	rules->allowed_extensions.is_any = true;
	rules->max_file_size = INT64_MAX;
	rules->max_zip_depth = ZIP_DEPTH_MAX;
	rules->judges_contradiction = rules->judges_archives = false;
}

/* The formats that are read, and what the older services took. */
static bool add_default_extensions(struct extension_list *list)
{
	const struct extension_type *type;

	for (unsigned i = 0; (type = extension_type_at(i)) != NULL; i++) {
		if (type->is_default && !extension_list_add(list, type->extension))
			return false;
	}
	return true;
}

/* config NULL: what a fresh installation has. */
static void set_defaults(struct parse *parse, const struct config *config)
{
	struct rules *rules = parse->rules;
	const char *extensions = config ? config_string(config, SETTING_ALLOWED_EXTENSIONS) : NULL;
	char wrong[MEDIA_PATTERN_SIZE];
	int64_t size = config ? config_int(config, SETTING_MAX_FILE_SIZE) : FRESH_MAX_FILE_SIZE;

	if (!extensions || extensions[0] == '\0')
		parse->is_out_of_memory = !add_default_extensions(&rules->allowed_extensions);
	else if (!add_words(extensions, add_extension, &rules->allowed_extensions, wrong, sizeof(wrong)))
		complain(parse, "ALLOWED_EXTENSIONS: \"%s\" is not one", wrong);
	rules->max_file_size = size == 0 ? INT64_MAX : size;
	rules->max_zip_depth = config ? (int)config_int(config, SETTING_MAX_ZIP_DEPTH) : FRESH_ZIP_DEPTH;
	rules->judges_contradiction = rules->judges_archives = true;
}

static void parse_object(struct parse *parse, json_t *object, const struct config *config)
{
	const char *key;
	json_t *value;

	parse->rules->retention_days = config ? config_int(config, SETTING_FILE_RETENTION_DAYS) : 0;
	if (json_is_true(json_object_get(object, "unrestricted")))
		set_unrestricted(parse->rules);
	else
		set_defaults(parse, config);
	json_object_foreach(object, key, value)
	{
		parse_key(parse, key, value);
	}
}

static int parse_configuration(const char *configuration, size_t length, const struct config *config, bool is_tolerant,
			       struct rules **ret_rules, char *ret_error, size_t error_size)
{
	struct parse parse = {.error = ret_error, .error_size = error_size};
	json_error_t where;
	json_t *object;

	if (error_size > 0)
		ret_error[0] = '\0';
	parse.rules = calloc(1, sizeof(*parse.rules));
	if (!parse.rules)
		return -ENOMEM;
	atomic_init(&parse.rules->references, 1);
	object = length > 0 ? json_loadb(configuration, length, JSON_REJECT_DUPLICATES, &where) : json_object();
	if (!json_is_object(object))
		complain(&parse, "the configuration is not a JSON object");
	parse_object(&parse, object, config);
	json_decref(object);
	if (parse.is_out_of_memory || (parse.has_failed && !is_tolerant)) {
		rules_unref(parse.rules);
		return parse.is_out_of_memory ? -ENOMEM : -EINVAL;
	}
	*ret_rules = parse.rules;
	return 0;
}

int rules_parse(const char *configuration, size_t length, const struct config *config, struct rules **ret_rules,
		char *ret_error, size_t error_size)
{
	return parse_configuration(configuration, length, config, false, ret_rules, ret_error, error_size);
}

int rules_parse_tolerant(const char *configuration, size_t length, const struct config *config,
			 struct rules **ret_rules, char *ret_error, size_t error_size)
{
	return parse_configuration(configuration, length, config, true, ret_rules, ret_error, error_size);
}

struct rules *rules_ref(struct rules *rules)
{
	atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
	return rules;
}

void rules_unref(struct rules *rules)
{
	if (!rules || atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) > 1)
		return;
	extension_list_release(&rules->allowed_extensions);
	extension_list_release(&rules->denied_extensions);
	pattern_list_release(&rules->allowed_media_types);
	pattern_list_release(&rules->denied_media_types);
	free(rules);
}

int64_t rules_max_file_size(const struct rules *rules)
{
	return rules->max_file_size;
}

int64_t rules_retention_days(const struct rules *rules)
{
	return rules->retention_days;
}
