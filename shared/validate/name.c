/* What a name alone, or a size, decides. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "shared/validate/verdict.h"

enum { EXTENSION_LENGTH_MAX = 16 };

void name_extension(const char *name, size_t length, char ret_extension[17])
{
	size_t begin = length;

	ret_extension[0] = '\0';
	while (begin > 0 && name[begin - 1] != '.')
		begin--;
	if (begin < 2 || length - begin > EXTENSION_LENGTH_MAX) /* no dot, or nothing before it */
		return;
	for (size_t i = begin; i < length; i++) {
		char c = name[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
			ret_extension[0] = '\0';
			return;
		}
		ret_extension[i - begin] = c;
	}
	ret_extension[length - begin] = '\0';
}

bool name_is_working(const char *name, size_t length)
{
	return length > 0 && name[0] == '.';
}

void validate_name(const struct rules *rules, const char *name, size_t length, struct verdict *ret_verdict)
{
	char extension[EXTENSION_LENGTH_MAX + 1];

	*ret_verdict = (struct verdict){0};
	if (name_is_working(name, length))
		return;
	name_extension(name, length, extension);
	if (extension_list_has(&rules->denied_extensions, name, length))
		verdict_refuse(ret_verdict, -EPERM, "extension", name, length,
			       "has an extension that is denied here: %s", extension[0] ? extension : "none");
	else if (extension_list_has(&rules->allowed_extensions, name, length))
		return;
	else if (extension[0] == '\0')
		verdict_refuse(ret_verdict, -EPERM, "extension", name, length,
			       "has no extension, so it cannot be told whether it is allowed here");
	else
		verdict_refuse(ret_verdict, -EPERM, "extension", name, length,
			       "has the extension %s, which is not among those allowed here", extension);
}

/* "104857600 bytes (100.0 MiB)" */
static void format_size(int64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && units[unit + 1] != '\0') {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, size, "%" PRId64 " bytes", bytes);
	else
		snprintf(text, size, "%" PRId64 " bytes (%.1f %ciB)", bytes, value, units[unit]);
}

void validate_size(const struct rules *rules, int64_t size_bytes, struct verdict *ret_verdict)
{
	char size[64], max[64];

	*ret_verdict = (struct verdict){0};
	if (size_bytes <= rules->max_file_size)
		return;
	format_size(size_bytes, size, sizeof(size));
	format_size(rules->max_file_size, max, sizeof(max));
	verdict_refuse(ret_verdict, -EFBIG, "size", NULL, 0, "The file would have %s; %s are allowed here", size, max);
}
