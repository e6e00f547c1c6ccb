#include "fusefs/user_attributes.h"

#include <stdlib.h>
#include <string.h>

struct user_attributes *user_attributes_new(void)
{
	return calloc(1, sizeof(struct user_attributes));
}

void user_attributes_free(struct user_attributes *attributes)
{
	if (!attributes)
		return;
	while (attributes->first) {
		struct user_attribute *next = attributes->first->next;

		free(attributes->first);
		attributes->first = next;
	}
	free(attributes);
}

const struct user_attribute *user_attribute_find(const struct user_attributes *attributes, const char *name)
{
	const struct user_attribute *attribute = attributes ? attributes->first : NULL;

	while (attribute && strcmp(attribute->name, name) != 0)
		attribute = attribute->next;
	return attribute;
}

struct user_attribute *user_attribute_new(const char *name, size_t name_length, const void *value, size_t length)
{
	struct user_attribute *attribute = calloc(1, sizeof(*attribute) + name_length + 1 + length);

	if (!attribute)
		return NULL;
	memcpy(attribute->name, name, name_length);
	if (length > 0)
		memcpy(attribute->name + name_length + 1, value, length);
	attribute->name_length = name_length;
	attribute->length = length;
	attribute->value = attribute->name + name_length + 1;
	return attribute;
}

void user_attribute_remove(struct user_attributes *attributes, const char *name)
{
	for (struct user_attribute **at = &attributes->first; *at; at = &(*at)->next) {
		struct user_attribute *found = *at;

		if (strcmp(found->name, name) != 0)
			continue;
		*at = found->next;
		attributes->names_bytes -= found->name_length + 1;
		free(found);
		return;
	}
}

void user_attribute_put(struct user_attributes *attributes, struct user_attribute *attribute)
{
	user_attribute_remove(attributes, attribute->name);
	attribute->next = attributes->first;
	attributes->first = attribute;
	attributes->names_bytes += attribute->name_length + 1;
}
