/* The numbers people write in settings and on command lines (text.h). */
#include "shared/base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name; /* compared without regard to case */
	int64_t factor;
};

enum { FRACTION_DIGITS_MAX = 12 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits before and behind the point as one integer, and 10 to the number of digits behind it. */
static int read_decimal(const char **text, __int128 *ret_digits, __int128 *ret_scale)
{
	__int128 digits = 0, scale = 1;
	const char *at = *text;
	int fraction_digits = 0;

	if (!is_digit(*at))
		return -EINVAL;
	for (; is_digit(*at); at++) {
		digits = digits * 10 + (*at - '0');
		if (digits > INT64_MAX)
			return -ERANGE;
	}
	if (*at == '.' && is_digit(at[1])) {
		for (at++; is_digit(*at); at++) {
			if (++fraction_digits > FRACTION_DIGITS_MAX)
				return -EINVAL;
			digits = digits * 10 + (*at - '0');
			scale *= 10;
		}
	}
	*text = at;
	*ret_digits = digits;
	*ret_scale = scale;
	return 0;
}

/* bare: what a number without a unit is multiplied by; 0: only 0 itself may go without. */
static int parse_with_unit(const char *text, const struct unit *units, int64_t bare, int64_t *ret_value)
{
	__int128 digits, scale, value;
	int64_t factor = bare;
	int r = read_decimal(&text, &digits, &scale);

	if (r < 0)
		return r;
	text += strspn(text, " ");
	if (*text) {
		const struct unit *unit = units;

		while (unit->name && strcasecmp(unit->name, text) != 0)
			unit++;
		if (!unit->name)
			return -EINVAL;
		factor = unit->factor;
	} else if (bare == 0 && digits != 0) {
		return -EINVAL;
	}
	value = digits * factor;
	if (value % scale != 0)
		return -EINVAL;
	value /= scale;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret_value = (int64_t)value;
	return 0;
}

int size_parse(const char *text, int64_t *ret_bytes)
{
	static const struct unit units[] = {
		{"b", 1},	    {"k", 1LL << 10},	{"kb", 1LL << 10},  {"kib", 1LL << 10}, {"m", 1LL << 20},
		{"mb", 1LL << 20},  {"mib", 1LL << 20}, {"g", 1LL << 30},   {"gb", 1LL << 30},	{"gib", 1LL << 30},
		{"t", 1LL << 40},   {"tb", 1LL << 40},	{"tib", 1LL << 40}, {"p", 1LL << 50},	{"pb", 1LL << 50},
		{"pib", 1LL << 50}, {"e", 1LL << 60},	{"eb", 1LL << 60},  {"eib", 1LL << 60}, {NULL, 0},
	};

	return parse_with_unit(text, units, 1, ret_bytes);
}

int count_parse(const char *text, int64_t *ret_count)
{
	static const struct unit units[] = {
		{"k", 1000LL}, {"m", 1000000LL}, {"g", 1000000000LL}, {"t", 1000000000000LL}, {NULL, 0},
	};

	return parse_with_unit(text, units, 1, ret_count);
}

int duration_parse(const char *text, int64_t *ret_ms)
{
	static const struct unit units[] = {
		{"ms", 1},	{"s", 1000},	 {"sec", 1000},	   {"m", 60000}, {"min", 60000},
		{"h", 3600000}, {"d", 86400000}, {"w", 604800000}, {NULL, 0},
	};

	return parse_with_unit(text, units, 0, ret_ms);
}

int int64_parse(const char *text, int64_t *ret_value)
{
	bool is_negative = *text == '-';
	__int128 value = 0;

	text += is_negative;
	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > (__int128)INT64_MAX + 1)
			return -ERANGE;
	}
	if (*text)
		return -EINVAL;
	value = is_negative ? -value : value;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret_value = (int64_t)value;
	return 0;
}
