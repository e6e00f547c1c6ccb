/* What begins with digits or signs: dates, amounts of money, telephone numbers. */
#include <string.h>
#include "extractd/worker/formats/entity.h"

enum { MONEY_DIGITS_MAX = 15, MONEY_GROUPS_MAX = 5 };

/* --- dates --- */

static unsigned number_at(const struct entity_text *text, size_t at, size_t digits)
{
	unsigned number = 0;

	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (unsigned)(entity_at(text, at + i) - '0');
	return number;
}

static bool is_day(unsigned number)
{
	return number >= 1 && number <= 31;
}

static bool is_month(unsigned number)
{
	return number >= 1 && number <= 12;
}

static bool is_year(unsigned number)
{
	return number >= 1000 && number <= 2999;
}

static bool ends_word(const struct entity_text *text, size_t at)
{
	return !entity_is_word(entity_at(text, at));
}

/* 2024-11-03 and 2024/11/03, with a time behind T or a space. */
static size_t date_year_first(const struct entity_text *text, size_t at)
{
	unsigned char separator = entity_at(text, at + 4);
	size_t end = at + 10;

	if ((separator != '-' && separator != '/') || entity_at(text, at + 7) != separator ||
	    entity_digits(text, at + 5) != 2 || entity_digits(text, at + 8) != 2)
		return 0;
	if (!is_year(number_at(text, at, 4)) || !is_month(number_at(text, at + 5, 2)) ||
	    !is_day(number_at(text, at + 8, 2)))
		return 0;
	if (entity_at(text, end) == 'T' && entity_digits(text, end + 1) == 2 && entity_at(text, end + 3) == ':') {
		end += 6;
		while (entity_is_digit(entity_at(text, end)) || entity_at(text, end) == ':' ||
		       entity_at(text, end) == '.')
			end++;
		end += entity_at(text, end) == 'Z';
	}
	return ends_word(text, end) ? end - at : 0;
}

/* 03.11.2024, 3/11/24, 11-03-2024: day and month in either order. */
static size_t date_year_last(const struct entity_text *text, size_t at, size_t first)
{
	unsigned char separator = entity_at(text, at + first);
	size_t second = entity_digits(text, at + first + 1), year_at = at + first + second + 2, year;
	unsigned a, b;

	if ((separator != '.' && separator != '/' && separator != '-') || second < 1 || second > 2 ||
	    entity_at(text, year_at - 1) != separator)
		return 0;
	year = entity_digits(text, year_at);
	a = number_at(text, at, first);
	b = number_at(text, at + first + 1, second);
	if (year != 4 && !(year == 2 && separator != '-' && second == 2))
		return 0;
	if ((year == 4 && !is_year(number_at(text, year_at, 4))) ||
	    !((is_day(a) && is_month(b)) || (is_month(a) && is_day(b))))
		return 0;
	/* 1.2.3.4 is something else */
	if (!ends_word(text, year_at + year) ||
	    (entity_at(text, year_at + year) == separator && entity_is_digit(entity_at(text, year_at + year + 1))))
		return 0;
	return year_at + year - at;
}

/* The length of a month's name or its abbreviation (English, German, French, Spanish, Italian, Dutch). */
static size_t month_name(const struct entity_text *text, size_t at)
{
	static const char *const names[] = {
		"january",
		"february",
		"march",
		"april",
		"may",
		"june",
		"july",
		"august",
		"september",
		"october",
		"november",
		"december",
		"januar",
		"februar",
		"m\xC3\xA4rz",
		"mai",
		"juni",
		"juli",
		"oktober",
		"dezember",
		"janvier",
		"f\xC3\xA9vrier",
		"mars",
		"avril",
		"juin",
		"juillet",
		"ao\xC3\xBBt",
		"septembre",
		"octobre",
		"novembre",
		"d\xC3\xA9"
		"cembre",
		"enero",
		"febrero",
		"marzo",
		"abril",
		"mayo",
		"junio",
		"julio",
		"agosto",
		"septiembre",
		"octubre",
		"noviembre",
		"diciembre",
		"gennaio",
		"febbraio",
		"aprile",
		"maggio",
		"giugno",
		"luglio",
		"settembre",
		"ottobre",
		"dicembre",
		"januari",
		"februari",
		"maart",
		"mei",
		"augustus",
		"jan",
		"feb",
		"mar",
		"apr",
		"jun",
		"jul",
		"aug",
		"sept",
		"sep",
		"oct",
		"okt",
		"nov",
		"dec",
		"dez",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (entity_has_word(text, at, names[i]) && ends_word(text, at + length))
			return length + (length <= 4 && entity_at(text, at + length) == '.');
	}
	return 0;
}

static size_t skip_blank(const struct entity_text *text, size_t at)
{
	return entity_at(text, at) == ' ' && entity_at(text, at + 1) != ' ';
}

/* Behind a month's name: the year. The length with what stands before it. */
static size_t year_behind(const struct entity_text *text, size_t at)
{
	size_t gap = entity_at(text, at) == ',';

	gap += skip_blank(text, at + gap);
	if (gap == 0 || entity_digits(text, at + gap) != 4 || !is_year(number_at(text, at + gap, 4)) ||
	    !ends_word(text, at + gap + 4))
		return 0;
	return gap + 4;
}

/* 3 November 2024, 3. November 2024, 3rd of November 2024 */
static size_t date_day_first(const struct entity_text *text, size_t at, size_t digits)
{
	static const char *const suffixes[] = {".", "st", "nd", "rd", "th"};
	size_t end = at + digits, month, year;

	if (!is_day(number_at(text, at, digits)))
		return 0;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (entity_has_word(text, end, suffixes[i])) {
			end += strlen(suffixes[i]);
			break;
		}
	}
	if (!skip_blank(text, end))
		return 0;
	end++;
	if (entity_has_word(text, end, "of "))
		end += 3;
	else if (entity_has_word(text, end, "de "))
		end += 3;
	month = month_name(text, end);
	if (month == 0)
		return 0;
	end += month;
	if (entity_has_word(text, end, " de "))
		end += 3;
	year = year_behind(text, end);
	return year > 0 ? end + year - at : 0;
}

/* November 3, 2024; November 2024 */
static size_t date_month_first(const struct entity_text *text, size_t at)
{
	size_t month = month_name(text, at), end = at + month, digits, year;

	if (month == 0)
		return 0;
	if (!skip_blank(text, end))
		return 0;
	digits = entity_digits(text, end + 1);
	if (digits == 4)
		return (year = year_behind(text, end)) > 0 ? end + year - at : 0;
	if (digits < 1 || digits > 2 || !is_day(number_at(text, end + 1, digits)))
		return 0;
	end += 1 + digits;
	if (entity_has_word(text, end, "st") || entity_has_word(text, end, "nd") || entity_has_word(text, end, "rd") ||
	    entity_has_word(text, end, "th"))
		end += 2;
	year = year_behind(text, end);
	return year > 0 ? end + year - at : 0;
}

size_t entity_date(const struct entity_text *text, size_t at)
{
	size_t digits = entity_digits(text, at), length = 0;

	if (digits == 0)
		return date_month_first(text, at);
	if (digits == 4)
		return date_year_first(text, at);
	if (digits > 2)
		return 0;
	length = date_year_last(text, at, digits);
	return length > 0 ? length : date_day_first(text, at, digits);
}

/* --- amounts --- */

static size_t currency_sign(const struct entity_text *text, size_t at)
{
	static const char *const signs[] = {"\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9",
					    "\xE2\x82\xBD", "US$",	"$"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t length = strlen(signs[i]);

		if (at + length <= text->length && memcmp(text->bytes + at, signs[i], length) == 0)
			return length;
	}
	return 0;
}

static size_t currency_code(const struct entity_text *text, size_t at)
{
	static const char codes[] =
		"EUR USD GBP CHF JPY CNY AUD CAD SEK NOK DKK PLN CZK HUF INR BRL MXN ZAR TRY RUB RON BGN NZD "
		"SGD HKD KRW ILS AED";

	if (!entity_is_upper(entity_at(text, at)) || at + 3 > text->length || !ends_word(text, at + 3))
		return 0;
	for (const char *code = codes; code < codes + sizeof(codes); code += 4)
		if (memcmp(text->bytes + at, code, 3) == 0)
			return 3;
	return 0;
}

static size_t currency(const struct entity_text *text, size_t at)
{
	size_t length = currency_sign(text, at);

	return length > 0 ? length : currency_code(text, at);
}

/* 1,234.56 or 1.234,56 or 1 234,56 or 1234.5: groups of three digits, then up to two behind a point or comma. */
static size_t money_number(const struct entity_text *text, size_t at)
{
	size_t digits = entity_digits(text, at), end = at + digits;
	unsigned char separator;

	if (digits == 0 || digits > MONEY_DIGITS_MAX)
		return 0;
	for (unsigned groups = 0; digits <= 3 && groups < MONEY_GROUPS_MAX; groups++) {
		separator = entity_at(text, end);
		if (separator == 0 || !strchr(".,' ", separator) || entity_digits(text, end + 1) != 3)
			break;
		end += 4;
	}
	separator = entity_at(text, end);
	digits = entity_digits(text, end + 1);
	if ((separator == '.' || separator == ',') && (digits == 1 || digits == 2))
		end += 1 + digits;
	return end - at;
}

size_t entity_amount(const struct entity_text *text, size_t at)
{
	size_t sign = currency(text, at), gap, number;

	if (sign > 0) {
		gap = entity_at(text, at + sign) == ' ';
		gap += entity_at(text, at + sign + gap) == '-';
		number = money_number(text, at + sign + gap);
		return number > 0 && ends_word(text, at + sign + gap + number) ? sign + gap + number : 0;
	}
	number = money_number(text, at);
	if (number == 0)
		return 0;
	gap = entity_at(text, at + number) == ' ';
	if (entity_at(text, at + number) == 0xC2 && entity_at(text, at + number + 1) == 0xA0) /* no-break space */
		gap = 2;
	sign = currency(text, at + number + gap);
	return sign > 0 && !entity_is_digit(entity_at(text, at + number + gap + sign)) ? number + gap + sign : 0;
}

/* --- telephone numbers --- */

static bool is_phone_separator(unsigned char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

struct phone {
	size_t length; /* up to the last digit */
	unsigned digits, groups;
	unsigned group[8];  /* digits of each */
	bool is_lone_point; /* every separator is a point, as in an IP address */
};

static void read_phone(const struct entity_text *text, size_t at, struct phone *phone)
{
	size_t end = at + (entity_at(text, at) == '+'), separators = 0;
	bool has_other = false;

	*phone = (struct phone){0};
	while (phone->digits < 20) {
		unsigned char c = entity_at(text, end);
		size_t digits = entity_digits(text, end);

		if (digits > 0) {
			if (phone->groups < 8)
				phone->group[phone->groups++] = (unsigned)digits;
			phone->digits += (unsigned)digits;
			end += digits;
			phone->length = end - at;
			separators = 0;
		} else if (is_phone_separator(c) && ++separators <= 2) {
			has_other |= c != '.';
			end++;
		} else {
			break;
		}
	}
	phone->is_lone_point = !has_other;
}

/* In the middle of a longer row of figures, a card or account number perhaps. */
static bool continues_figures(const struct entity_text *text, size_t at)
{
	return at >= 2 && (is_phone_separator(entity_at(text, at - 1)) && entity_is_digit(entity_at(text, at - 2)));
}

size_t entity_phone(const struct entity_text *text, size_t at)
{
	unsigned char first = entity_at(text, at);
	struct phone phone;
	bool is_american;

	read_phone(text, at, &phone);
	if (phone.length == 0 || !ends_word(text, at + phone.length))
		return 0;
	if (first == '+')
		return phone.digits >= 8 && phone.digits <= 15 ? phone.length : 0;
	if (continues_figures(text, at))
		return 0;
	is_american = phone.groups == 3 && phone.group[0] == 3 && phone.group[1] == 3 && phone.group[2] == 4;
	if (is_american)
		return phone.length;
	/* A national number: begins with 0 or (0, and is parted. */
	if (first != '0' && !(first == '(' && entity_at(text, at + 1) == '0'))
		return 0;
	if (phone.digits < 7 || phone.digits > 15 || phone.is_lone_point || phone.groups < 2 || phone.group[0] < 2)
		return 0;
	return phone.length;
}
