/* Upload-Metadata: "filename d29ybGQ=,is_confidential" (tus 1.0, creation). */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/routes/tus.h"
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

/* Standard base64 with its padding. The text is the caller's to free. */
static int decode(const char *text, size_t length, char **ret_text, size_t *ret_length)
{
	size_t padding = 0;
	int n;

	if (length % 4 != 0)
		return -EINVAL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	char *bytes autofree = malloc(length / 4 * 3 + 1);
	if (!bytes)
		return -ENOMEM;
	n = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)length);
	if (n < 0 || (size_t)n < padding)
		return -EINVAL;
	*ret_length = (size_t)n - padding;
	bytes[*ret_length] = '\0';
	if (!utf8_is_valid(bytes, *ret_length) || memchr(bytes, '\0', *ret_length))
		return -EINVAL;
	*ret_text = take_ptr(&bytes);
	return 0;
}

static int add_pair(json_t *metadata, const char *pair, size_t length)
{
	const char *space = memchr(pair, ' ', length);
	size_t key_length = space ? (size_t)(space - pair) : length, value_length = 0;
	char key[128], *value autofree = NULL;
	int r;

	if (key_length == 0 || key_length >= sizeof(key))
		return -EINVAL;
	memcpy(key, pair, key_length);
	key[key_length] = '\0';
	if (json_object_get(metadata, key) || !utf8_is_valid(key, key_length))
		return -EINVAL;
	if (!space)
		return json_object_set_new(metadata, key, json_string("")) < 0 ? -ENOMEM : 0;
	r = decode(space + 1, length - key_length - 1, &value, &value_length);
	if (r < 0)
		return r;
	return json_object_set_new(metadata, key, json_stringn(value, value_length)) < 0 ? -ENOMEM : 0;
}

int tus_metadata_parse(const char *header, json_t **ret_metadata)
{
	json_t *metadata = json_object();
	int r = metadata ? 0 : -ENOMEM;

	while (header && *header && r == 0) {
		size_t length = strcspn(header, ","), front = strspn(header, " ");
		size_t back = length;

		while (back > front && header[back - 1] == ' ')
			back--;
		/* "key " with a blank and no value is a key without one. */
		r = back > front ? add_pair(metadata, header + front, back - front) : -EINVAL;
		header += length + (header[length] == ',');
	}
	if (r < 0) {
		json_decref(metadata);
		return r;
	}
	*ret_metadata = metadata;
	return 0;
}

/* Every part of a path that a folder may be called. */
static bool is_folder(const char *path, size_t length)
{
	while (length > 0) {
		const char *slash = memchr(path, '/', length);
		size_t part = slash ? (size_t)(slash - path) : length;

		if (working_file_check_name(path, part))
			return false;
		path += part + (slash ? 1 : 0);
		length -= part + (slash ? 1 : 0);
	}
	return true;
}

const char *tus_metadata_name(const json_t *metadata, struct bytes *ret_name, struct bytes *ret_folder)
{
	const char *path = json_string_value(json_object_get(metadata, "relativePath"));
	const char *name = json_string_value(json_object_get(metadata, "filename")), *slash;

	if (!name)
		name = json_string_value(json_object_get(metadata, "name"));
	*ret_folder = (struct bytes){"", 0};
	/* A folder that was dropped: the names of its folders, then the file's. "null" is what some clients send for none. */
	slash = path && strcmp(path, "null") != 0 ? strrchr(path, '/') : NULL;
	if (slash) {
		*ret_folder = (struct bytes){path, (size_t)(slash - path)};
		name = name ? name : slash + 1;
	}
	if (!name)
		return "Upload-Metadata has no filename.";
	*ret_name = (struct bytes){name, strlen(name)};
	if (ret_folder->length > 512 || !is_folder(ret_folder->data, ret_folder->length))
		return "relativePath holds a name that a folder cannot have.";
	return working_file_check_name(name, strlen(name));
}
