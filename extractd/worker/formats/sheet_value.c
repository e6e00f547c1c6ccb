/* Numbers and dates as spreadsheets keep them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "extractd/worker/formats/sheets.h"

enum { DAYS_1900_TO_1970 = 25569, DAYS_1904_TO_1970 = 24107, SECONDS_A_DAY = 86400 };

size_t sheet_number(double number, char *text)
{
	if (number == floor(number) && fabs(number) < 9007199254740992.0)
		return (size_t)snprintf(text, SHEET_NUMBER_SIZE, "%lld", (long long)number);
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, SHEET_NUMBER_SIZE, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return strlen(text);
}

/* Days since 1970 as year, month, day (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static void civil_from_days(long long days, int *year, int *month, int *day)
{
	long long shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	long long of_era = shifted - era * 146097;
	long long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	long long day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	long long shifted_month = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

enum sheet_cell_kind sheet_date(double day, bool is_1904, char *text, size_t *ret_length)
{
	long long whole = (long long)floor(day), seconds = llround((day - floor(day)) * SECONDS_A_DAY);
	int year, month, date;

	if (seconds == SECONDS_A_DAY) {
		whole++;
		seconds = 0;
	}
	if (day < 0 || day > 2958466) { /* 9999-12-31 */
		*ret_length = sheet_number(day, text);
		return SHEET_NUMBER;
	}
	if (whole == 0 && !is_1904) {
		*ret_length = (size_t)snprintf(text, SHEET_NUMBER_SIZE, "%02lld:%02lld:%02lld", seconds / 3600,
					       seconds / 60 % 60, seconds % 60);
		return SHEET_TIME;
	}
	/* Excel has a 29 February 1900 (day 60), which never was: earlier days lie one further on. */
	if (!is_1904 && whole < 60)
		whole++;
	civil_from_days(whole - (is_1904 ? DAYS_1904_TO_1970 : DAYS_1900_TO_1970), &year, &month, &date);
	*ret_length =
		(size_t)snprintf(text, SHEET_NUMBER_SIZE, "%04d-%02d-%02d", year % 10000, month % 100, date % 100);
	if (seconds > 0)
		*ret_length +=
			(size_t)snprintf(text + *ret_length, SHEET_NUMBER_SIZE - *ret_length, " %02lld:%02lld:%02lld",
					 seconds / 3600, seconds / 60 % 60, seconds % 60);
	return SHEET_DATE;
}

bool sheet_format_is_date(const char *format)
{
	for (const char *at = format; *at; at++) {
		if (*at == '"' || *at == '[') {
			const char *close = strchr(at + 1, *at == '"' ? '"' : ']');

			/* [h]:mm is a duration */
			if (*at == '[' && close == at + 2 && strchr("hHmMsS", at[1]))
				return true;
			if (!close)
				return false;
			at = close;
		} else if (*at == '\\' || *at == '_' || *at == '*') {
			if (at[1] != '\0')
				at++;
		} else if (*at == ';') {
			return false; /* the first section decides */
		} else if (strchr("dDmMyYhHsS", *at)) {
			return true;
		} else if (strncasecmp(at, "General", 7) == 0) {
			return false;
		}
	}
	return false;
}
