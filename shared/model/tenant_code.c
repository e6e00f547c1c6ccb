/* What may be a tenant's code. It names a folder both in the mount and on disk, and sql/migrations/0001_core.sql checks
 * the same. */
#include <string.h>
#include <strings.h>
#include "shared/model/rows.h"

static bool is_letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool tenant_code_is_valid(const char *code)
{
	/* ".id", ".extract" and ".stats" cannot begin a code anyway. */
	static const char *const reserved[] = {"current"};
	size_t length = strnlen(code, TENANT_CODE_SIZE);

	if (length == 0 || length >= TENANT_CODE_SIZE || !is_letter_or_digit(code[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!is_letter_or_digit(code[i]) && code[i] != '_' && code[i] != '-')
			return false;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcasecmp(code, reserved[i]) == 0)
			return false;
	}
	/* Anything of the form of a month, as the database has it: 2026-13 as well. */
	return !(length == 7 && code[4] == '-' && strspn(code, "0123456789") == 4 &&
		 strspn(code + 5, "0123456789") == 2);
}
