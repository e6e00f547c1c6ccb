/* The lists of a tenant's rules: extensions with the end of a name, patterns with a media type. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shared/validate/rules_state.h"

static bool is_extension_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ".PDF", "*.pdf" and "pdf" are the same; "tar.gz" is taken, "a..b" and "p f" are not. */
static bool normalise_extension(const char *word, char ret_extension[EXTENSION_SIZE])
{
	size_t length;

	word += word[0] == '*' && word[1] == '.';
	word += word[0] == '.';
	length = strnlen(word, EXTENSION_SIZE);
	if (length >= EXTENSION_SIZE)
		return false;
	for (size_t i = 0; i <= length; i++) {
		char c = lower(word[i]);

		if (c == '.' && (i == 0 || word[i - 1] == '.' || i + 1 == length))
			return false;
		if (c != '\0' && c != '.' && !is_extension_byte(c))
			return false;
		ret_extension[i] = c;
	}
	return true;
}

static void *grow(void *items, unsigned count, size_t size)
{
	if (count >= LIST_ENTRIES_MAX)
		return NULL;
	return (count & (count - 1)) == 0 ? realloc(items, (count ? 2 * (size_t)count : 1) * size) : items;
}

bool extension_list_add(struct extension_list *list, const char *word)
{
	char extension[EXTENSION_SIZE];
	void *items;

	if (strcmp(word, "*") == 0 || strcmp(word, "*.*") == 0) {
		list->is_any = true;
		return true;
	}
	if (!normalise_extension(word, extension))
		return false;
	if (extension[0] == '\0') {
		list->holds_none = true;
		return true;
	}
	items = grow(list->items, list->count, EXTENSION_SIZE);
	if (!items)
		return false;
	list->items = items;
	memcpy(list->items[list->count++], extension, EXTENSION_SIZE);
	return true;
}

bool pattern_list_add(struct pattern_list *list, const char *word)
{
	size_t length = strnlen(word, MEDIA_PATTERN_SIZE);
	const char *slash = strchr(word, '/');
	void *items;

	if (length == 0 || length >= MEDIA_PATTERN_SIZE)
		return false;
	if (strcmp(word, "*") != 0 && strcmp(word, "*/*") != 0) {
		if (!slash || slash == word || slash[1] == '\0' || strchr(slash + 1, '/') || strpbrk(word, " ;,\t\""))
			return false;
		/* A star stands for a whole sub-type or nothing: "image/p*" would look as if it meant something. */
		if (strchr(word, '*') && strcmp(slash, "/*") != 0)
			return false;
	}
	items = grow(list->items, list->count, MEDIA_PATTERN_SIZE);
	if (!items)
		return false;
	list->items = items;
	for (size_t i = 0; i <= length; i++)
		list->items[list->count][i] = lower(word[i]);
	list->count++;
	return true;
}

void extension_list_release(struct extension_list *list)
{
	free(list->items);
	*list = (struct extension_list){0};
}

void pattern_list_release(struct pattern_list *list)
{
	free(list->items);
	*list = (struct pattern_list){0};
}

/* name ends in ".extension", and something stands before the dot. */
static bool name_ends_in(const char *name, size_t length, const char *extension)
{
	size_t extension_length = strlen(extension);

	return length > extension_length + 1 && name[length - extension_length - 1] == '.' &&
	       strncasecmp(name + length - extension_length, extension, extension_length) == 0;
}

bool extension_list_has(const struct extension_list *list, const char *name, size_t length)
{
	char extension[17];

	if (list->is_any)
		return true;
	name_extension(name, length, extension);
	if (extension[0] == '\0' && list->holds_none)
		return true;
	for (unsigned i = 0; i < list->count; i++) {
		if (name_ends_in(name, length, list->items[i]))
			return true;
	}
	return false;
}

bool pattern_list_has(const struct pattern_list *list, const char *media_type)
{
	for (unsigned i = 0; i < list->count; i++) {
		const char *pattern = list->items[i];
		size_t length = strlen(pattern);

		if (strcmp(pattern, "*") == 0 || strcmp(pattern, "*/*") == 0 || strcasecmp(pattern, media_type) == 0)
			return true;
		if (pattern[length - 1] == '*' && strncasecmp(pattern, media_type, length - 1) == 0)
			return true;
	}
	return false;
}
