#include "extractd/worker/formats/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NULL_TOKEN_MAX = 8 };

/* Bit n: a token of this length begins with this byte. So most text is passed over with one look. */
static const uint16_t null_lengths[256] = {
	['#'] = 1 << 3 | 1 << 4 | 1 << 8, ['-'] = 1 << 4 | 1 << 7 | 1 << 8, ['1'] = 1 << 6 | 1 << 7, ['<'] = 1 << 4,
	['N'] = 1 << 2 | 1 << 3 | 1 << 4, ['n'] = 1 << 3 | 1 << 4,
};

static const char *const null_tokens[] = {
	"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
	"<NA>", "N/A",	    "NA",  "NULL",    "NaN",	  "None", "n/a",  "nan",    "null",
};

bool value_is_null(const char *text, size_t length)
{
	if (length == 0)
		return true;
	if (length > NULL_TOKEN_MAX || !(null_lengths[(uint8_t)*text] >> length & 1))
		return false;
	for (size_t i = 0; i < sizeof(null_tokens) / sizeof(null_tokens[0]); i++)
		if (strlen(null_tokens[i]) == length && memcmp(null_tokens[i], text, length) == 0)
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* Two digits as a number, -1 when they are none. */
static int two_digits(const char *text)
{
	if (!is_digit(text[0]) || !is_digit(text[1]))
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static bool is_date(const char *text)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int century = two_digits(text), year = two_digits(text + 2), month = two_digits(text + 5);
	int day = two_digits(text + 8);

	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || text[4] != '-' || text[7] != '-')
		return false;
	year += century * 100;
	if (day > days[month - 1] ||
	    (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))))
		return false;
	return year >= 1678 && year <= 2261; /* the whole years of datetime64[ns] */
}

/* HH:MM[:SS[.f…]]; what follows is left in *text. */
static bool take_time(const char **text, const char *end)
{
	const char *at = *text;

	if (end - at < 5 || two_digits(at) < 0 || two_digits(at) > 23 || at[2] != ':' || two_digits(at + 3) < 0 ||
	    two_digits(at + 3) > 59)
		return false;
	at += 5;
	if (end - at >= 3 && *at == ':') {
		if (two_digits(at + 1) < 0 || two_digits(at + 1) > 59)
			return false;
		at += 3;
		if (end - at >= 2 && *at == '.' && is_digit(at[1])) {
			at++;
			while (at < end && is_digit(*at))
				at++;
		}
	}
	*text = at;
	return true;
}

static enum value_kind zone_kind(const char *text, const char *end)
{
	if (text == end)
		return VALUE_DATETIME;
	if (end - text == 1 && *text == 'Z')
		return VALUE_DATETIME_UTC;
	if ((*text != '+' && *text != '-') || (end - text != 3 && end - text != 5 && end - text != 6))
		return VALUE_TEXT;
	for (const char *at = text + 1; at < end; at++)
		if (!is_digit(*at) && !(*at == ':' && at == text + 3 && end - text == 6))
			return VALUE_TEXT;
	for (const char *at = text + 1; at < end; at++)
		if (*at != '0' && *at != ':')
			return VALUE_DATETIME_ZONE;
	return VALUE_DATETIME_UTC;
}

enum value_kind value_date_kind(const char *text, size_t length)
{
	const char *at = text + 11, *end = text + length;

	if (length < 10 || length > 35 || !is_date(text))
		return VALUE_TEXT;
	if (length == 10)
		return VALUE_DATE;
	if ((text[10] != 'T' && text[10] != ' ') || !take_time(&at, end))
		return VALUE_TEXT;
	return zone_kind(at, end);
}

/* mantissa × 10^exponent. Through long double where a double's 53 bits would round twice. */
static double scale_decimal(uint64_t mantissa, int exponent)
{
	static const double exact[] = {1e0,  1e1,  1e2,	 1e3,  1e4,  1e5,  1e6,	 1e7,  1e8,  1e9,  1e10, 1e11,
				       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

	if (exponent == 0)
		return (double)mantissa;
	if (exponent >= -22 && exponent <= 22) {
		if (mantissa < 1ULL << 53)
			return exponent < 0 ? (double)mantissa / exact[-exponent] : (double)mantissa * exact[exponent];
		return exponent < 0 ? (double)((long double)mantissa / exact[-exponent])
				    : (double)((long double)mantissa * exact[exponent]);
	}
	if (exponent < -400 || mantissa == 0)
		return 0;
	if (exponent > 400)
		return (double)INFINITY;
	return (double)((long double)mantissa * powl(10.0L, exponent));
}

/* The digits of a number, put together: at most 19 count, the rest only moves the point. */
struct decimal {
	uint64_t mantissa;
	int exponent;
	size_t digits, scale;
};

static const char *take_digits(const char *at, const char *end, bool is_fraction, struct decimal *decimal)
{
	const char *start = at;

	for (; at < end && is_digit(*at); at++) {
		if (decimal->mantissa < UINT64_MAX / 10 - 1) {
			decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*at - '0');
			decimal->exponent -= is_fraction;
		} else {
			decimal->exponent += !is_fraction;
		}
	}
	if (is_fraction)
		decimal->scale = (size_t)(at - start);
	else
		decimal->digits = (size_t)(at - start);
	return at;
}

static const char *take_exponent(const char *at, const char *end, struct decimal *decimal)
{
	const char *start = at;
	bool is_negative;
	int exponent = 0;

	if (at == end || (*at != 'e' && *at != 'E'))
		return start;
	at++;
	is_negative = at < end && *at == '-';
	at += at < end && (*at == '-' || *at == '+');
	if (at == end || !is_digit(*at))
		return start;
	for (; at < end && is_digit(*at); at++)
		exponent = exponent < 100000 ? exponent * 10 + (*at - '0') : exponent;
	decimal->exponent += is_negative ? -exponent : exponent;
	return at;
}

/* Whole numbers: which of the integer types holds it. digits has no sign. */
static void classify_integer(const char *digits, size_t length, bool is_negative, struct value *value)
{
	unsigned __int128 number = 0;

	for (size_t i = 0; i < length && number <= UINT64_MAX; i++)
		number = number * 10 + (unsigned)(digits[i] - '0');
	value->has_leading_zero = length > 1 && digits[0] == '0';
	if (number <= (uint64_t)INT64_MAX + is_negative) {
		value->kind = VALUE_INTEGER;
		value->integer = (int64_t)(is_negative ? 0 - (uint64_t)number : (uint64_t)number);
	} else if (number <= UINT64_MAX && !is_negative) {
		value->kind = VALUE_UINT64;
		value->unsigned_integer = (uint64_t)number;
	} else {
		value->kind = VALUE_HUGE_INTEGER;
	}
}

static uint8_t clamp_u8(size_t number)
{
	return number > UINT8_MAX ? UINT8_MAX : (uint8_t)number;
}

static bool classify_number(const char *at, const char *end, struct value *value)
{
	struct decimal decimal = {0};
	bool is_negative = *at == '-', has_point;
	const char *digits;

	at += *at == '-' || *at == '+';
	digits = at;
	if (is_word(at, (size_t)(end - at), "inf") || is_word(at, (size_t)(end - at), "infinity")) {
		*value = (struct value){.kind = VALUE_FLOAT,
					.has_exponent = true,
					.number = is_negative ? -(double)INFINITY : (double)INFINITY};
		return true;
	}
	at = take_digits(at, end, false, &decimal);
	if (at == end && decimal.digits > 0) {
		value->number = scale_decimal(decimal.mantissa, decimal.exponent) * (is_negative ? -1 : 1);
		classify_integer(digits, decimal.digits, is_negative, value);
		return true;
	}
	has_point = at < end && *at == '.';
	if (has_point)
		at = take_digits(at + 1, end, true, &decimal);
	if (decimal.digits + decimal.scale == 0)
		return false;
	digits = at;
	at = take_exponent(at, end, &decimal);
	if (at != end)
		return false;
	value->kind = VALUE_FLOAT;
	value->has_exponent = at != digits;
	value->scale = clamp_u8(decimal.scale);
	value->number = scale_decimal(decimal.mantissa, decimal.exponent);
	if (is_negative)
		value->number = -value->number;
	return true;
}

static bool is_bool(const char *text, size_t length, bool *ret_is_true)
{
	static const char *const words[] = {"True", "TRUE", "true", "False", "FALSE", "false"};

	for (size_t i = 0; i < 6; i++) {
		if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0) {
			*ret_is_true = i < 3;
			return true;
		}
	}
	return false;
}

void value_classify(const char *text, size_t length, struct value *ret_value)
{
	const char *end = text + length;
	bool is_true = false;

	*ret_value = (struct value){.kind = VALUE_TEXT};
	if (value_is_null(text, length)) {
		ret_value->kind = VALUE_NULL;
		return;
	}
	if ((length == 4 || length == 5) && is_bool(text, length, &is_true)) {
		ret_value->kind = VALUE_BOOL;
		ret_value->number = is_true;
		return;
	}
	ret_value->kind = value_date_kind(text, length);
	if (ret_value->kind != VALUE_TEXT)
		return;
	/* pandas takes numbers with spaces around them. */
	while (text < end && *text == ' ')
		text++;
	while (end > text && end[-1] == ' ')
		end--;
	if (text < end && !classify_number(text, end, ret_value))
		*ret_value = (struct value){.kind = VALUE_TEXT};
}
