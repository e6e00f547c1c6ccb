#include "shared/config/config_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shared/base/text.h"

/* clang-format off: the table is not indented */
const struct setting settings[SETTING_COUNT] = {
#define SETTING(id, type, programs, fallback, minimum, maximum, aliases, sentence)                                     \
	[SETTING_##id] = {#id, TYPE_##type, programs, fallback, minimum, maximum, aliases, sentence},
#include "shared/config/settings.h"
#undef SETTING
};
/* clang-format on */

const char *const setting_type_names[] = {
	[TYPE_STRING] = "text", [TYPE_SECRET] = "secret", [TYPE_PATH] = "path",		[TYPE_SIZE] = "size",
	[TYPE_COUNT] = "count", [TYPE_INT] = "number",	  [TYPE_DURATION] = "duration", [TYPE_SECONDS] = "seconds",
	[TYPE_BOOL] = "on|off", [TYPE_LIST] = "list",	  [TYPE_ENUM] = "word",
};

/* --- names --- */

/* True when length bytes of known are name, in any case, with - for _. */
static bool is_name(const char *known, size_t length, const char *name)
{
	if (strlen(name) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i] == '-' ? '_' : name[i];

		if (toupper((unsigned char)c) != known[i])
			return false;
	}
	return true;
}

static bool find_alias(const char *aliases, const char *name, int64_t *ret_factor)
{
	while (*aliases) {
		size_t length = strcspn(aliases, ",*");
		const char *end = aliases + strcspn(aliases, ",");

		if (is_name(aliases, length, name)) {
			*ret_factor = aliases[length] == '*' ? strtoll(aliases + length + 1, NULL, 10) : 1;
			return true;
		}
		aliases = end + (*end == ',');
	}
	return false;
}

int setting_find(const char *name, enum setting_id *ret_id, int64_t *ret_factor)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		*ret_factor = 1;
		if (is_name(settings[i].name, strlen(settings[i].name), name) ||
		    find_alias(settings[i].aliases, name, ret_factor)) {
			*ret_id = (enum setting_id)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* --- values --- */

static int refuse(char *ret_reason, size_t size, const char *text, const char *what)
{
	struct buf shown = BUF_INIT(256);

	json_put_string(&shown, text, utf8_cut(text, strlen(text), 40));
	snprintf(ret_reason, size, "%s %s", shown.length > 0 ? shown.data : "the value", what);
	buf_release(&shown);
	return -EINVAL;
}

static int parse_number(const struct setting *setting, const char *text, int64_t *ret_number)
{
	switch (setting->type) {
	case TYPE_SIZE:
		return size_parse(text, ret_number);
	case TYPE_COUNT:
		return count_parse(text, ret_number);
	case TYPE_DURATION:
		return duration_parse(text, ret_number);
	case TYPE_SECONDS:
		if (int64_parse(text, ret_number) < 0)
			return duration_parse(text, ret_number);
		return __builtin_mul_overflow(*ret_number, 1000, ret_number) ? -ERANGE : 0;
	default:
		return int64_parse(text, ret_number);
	}
}

static const char *what_is_wanted(enum setting_type type)
{
	switch (type) {
	case TYPE_SIZE:
		return "is no size: bytes, or 10k, 100M, 2G";
	case TYPE_COUNT:
		return "is no count: a number, or 10k, 1M";
	case TYPE_DURATION:
		return "is no duration: a number with ms, s, m, h or d";
	case TYPE_SECONDS:
		return "is no duration: seconds, or a number with ms, s, m, h or d";
	default:
		return "is no whole number";
	}
}

/* A bound as people write it. */
static void format_bound(enum setting_type type, int64_t value, char ret[32])
{
	if (type == TYPE_DURATION || type == TYPE_SECONDS)
		snprintf(ret, 32, value % 1000 == 0 ? "%llds" : "%lldms",
			 (long long)(value % 1000 == 0 ? value / 1000 : value));
	else
		snprintf(ret, 32, "%lld", (long long)value);
}

static int take_number(const struct setting *setting, const char *text, int64_t factor, int64_t *ret_number,
		       char *ret_reason, size_t size)
{
	char low[32], high[32], bounds[96];
	int64_t bare, number;
	int r;

	/* A unit in the name (…_MB) counts only for a number without one of its own. */
	if (factor != 1 && int64_parse(text, &bare) == 0)
		r = __builtin_mul_overflow(bare, factor, &number) ? -ERANGE : 0;
	else
		r = parse_number(setting, text, &number);
	if (r == -EINVAL)
		return refuse(ret_reason, size, text, what_is_wanted(setting->type));
	if (r < 0 || number < setting->minimum || number > setting->maximum) {
		format_bound(setting->type, setting->minimum, low);
		format_bound(setting->type, setting->maximum, high);
		snprintf(bounds, sizeof(bounds), "is out of bounds: %s to %s", low, high);
		return refuse(ret_reason, size, text, bounds);
	}
	*ret_number = number;
	return 0;
}

static int take_bool(const char *text, int64_t *ret_number, char *ret_reason, size_t size)
{
	static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};

	for (int i = 0; i < 8; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret_number = i % 2;
			return 0;
		}
	}
	return refuse(ret_reason, size, text, "is neither on nor off");
}

/* The words of an ENUM are "one, two: …" in its sentence. */
static int take_word(const struct setting *setting, const char *text, char **ret_text, char *ret_reason, size_t size)
{
	size_t words_length = strcspn(setting->sentence, ":");
	const char *word = setting->sentence, *end = word + words_length;
	char what[160];

	while (word < end) {
		size_t length = strcspn(word, ",:");

		if (strlen(text) == length && strncasecmp(word, text, length) == 0) {
			*ret_text = strndup(word, length);
			return *ret_text ? 0 : -ENOMEM;
		}
		word += length + 1;
		word += strspn(word, " ");
	}
	snprintf(what, sizeof(what), "is none of: %.*s", (int)words_length, setting->sentence);
	return refuse(ret_reason, size, text, what);
}

static int take_path(const char *text, char **ret_text, char *ret_reason, size_t size)
{
	size_t length = strlen(text);

	if (*text != '/')
		return refuse(ret_reason, size, text, "is no absolute path");
	while (length > 1 && text[length - 1] == '/')
		length--;
	*ret_text = strndup(text, length);
	return *ret_text ? 0 : -ENOMEM;
}

int setting_parse(const struct setting *setting, const char *text, int64_t factor, char **ret_text, int64_t *ret_number,
		  char *ret_reason, size_t reason_size)
{
	int r = 0;

	switch (setting->type) {
	case TYPE_SIZE:
	case TYPE_COUNT:
	case TYPE_INT:
	case TYPE_DURATION:
	case TYPE_SECONDS:
		r = take_number(setting, text, factor, ret_number, ret_reason, reason_size);
		break;
	case TYPE_BOOL:
		r = take_bool(text, ret_number, ret_reason, reason_size);
		break;
	case TYPE_ENUM:
		return take_word(setting, text, ret_text, ret_reason, reason_size);
	case TYPE_PATH:
		return take_path(text, ret_text, ret_reason, reason_size);
	case TYPE_STRING:
	case TYPE_SECRET:
	case TYPE_LIST:
		break;
	}
	if (r < 0)
		return r;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

int setting_check_secret(const struct setting *setting, const char *text, char *ret_reason, size_t reason_size)
{
	int64_t length = (int64_t)strlen(text);

	if (setting->type != TYPE_SECRET || setting->maximum == 0)
		return 0;
	if (length < setting->minimum)
		snprintf(ret_reason, reason_size, "too short: %lld bytes at least", (long long)setting->minimum);
	else if (length > setting->maximum)
		snprintf(ret_reason, reason_size, "too long: %lld bytes at most", (long long)setting->maximum);
	else
		return 0;
	return -EINVAL;
}
