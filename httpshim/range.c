#include "httpshim/range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* Digits alone; a number too large for uint64_t stays at its maximum, which is beyond every file. */
static bool take_number(const char **text, uint64_t *ret_value)
{
	const char *at = *text;
	uint64_t value = 0;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
	}
	*text = at;
	*ret_value = value;
	return true;
}

static void take_suffix(const char *text, uint64_t size_bytes, struct range *range)
{
	uint64_t count;

	if (!take_number(&text, &count) || *skip_blanks(text) != '\0')
		return;
	if (count == 0 || size_bytes == 0) {
		range->kind = RANGE_UNSATISFIABLE;
		return;
	}
	range->kind = RANGE_PART;
	range->length = count < size_bytes ? count : size_bytes;
	range->first = size_bytes - range->length;
}

void range_parse(const char *header, uint64_t size_bytes, struct range *ret_range)
{
	uint64_t first, last = UINT64_MAX;
	const char *at;

	*ret_range = (struct range){.kind = RANGE_WHOLE, .length = size_bytes};
	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return;
	at = skip_blanks(header + 6);
	if (*at == '-') {
		take_suffix(at + 1, size_bytes, ret_range);
		return;
	}
	if (!take_number(&at, &first) || *at++ != '-')
		return;
	if (*at >= '0' && *at <= '9' && (!take_number(&at, &last) || last < first))
		return;
	if (*skip_blanks(at) != '\0')
		return;
	if (first >= size_bytes) {
		ret_range->kind = RANGE_UNSATISFIABLE;
		return;
	}
	if (last >= size_bytes)
		last = size_bytes - 1;
	*ret_range = (struct range){.kind = RANGE_PART, .first = first, .length = last - first + 1};
}

bool etag_list_has(const char *list, const char *etag, bool is_weak)
{
	size_t etag_length = strlen(etag);
	const char *at = skip_blanks(list);

	if (at[0] == '*' && *skip_blanks(at + 1) == '\0')
		return true;
	while (*at) {
		bool tag_is_weak = strncmp(at, "W/", 2) == 0;
		const char *end;

		at += tag_is_weak ? 2 : 0;
		if (*at != '"')
			return false;
		end = strchr(at + 1, '"');
		if (!end)
			return false;
		end++;
		if ((is_weak || !tag_is_weak) && (size_t)(end - at) == etag_length && memcmp(at, etag, etag_length) == 0)
			return true;
		at = skip_blanks(end);
		if (*at == ',')
			at = skip_blanks(at + 1);
	}
	return false;
}

enum condition_answer conditions_check(const struct conditions *conditions, const char *etag, int64_t modified_s)
{
	int64_t date_s;

	if (conditions->if_match) {
		if (!etag_list_has(conditions->if_match, etag, false))
			return CONDITION_FAILED;
	} else if (conditions->if_unmodified_since) {
		if (http_date_parse(conditions->if_unmodified_since, &date_s) == 0 && modified_s > date_s)
			return CONDITION_FAILED;
	}
	if (conditions->if_none_match)
		return etag_list_has(conditions->if_none_match, etag, true) ? CONDITION_NOT_MODIFIED : CONDITION_GO_ON;
	if (conditions->if_modified_since && http_date_parse(conditions->if_modified_since, &date_s) == 0 &&
	    modified_s <= date_s)
		return CONDITION_NOT_MODIFIED;
	return CONDITION_GO_ON;
}

bool conditions_allow_range(const struct conditions *conditions, const char *etag, int64_t modified_s)
{
	const char *wanted = conditions->if_range;
	int64_t date_s;

	if (!wanted)
		return true;
	wanted = skip_blanks(wanted);
	if (*wanted == '"')
		return strcmp(wanted, etag) == 0;
	return http_date_parse(wanted, &date_s) == 0 && date_s == modified_s;
}

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void http_date_format(int64_t seconds, char ret_date[HTTP_DATE_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		gmtime_r(&(time_t){0}, &tm);
	snprintf(ret_date, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7], tm.tm_mday % 100,
		 months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

static int month_number(const char *name)
{
	for (int i = 0; i < 12; i++) {
		if (strncmp(name, months[i], 3) == 0)
			return i;
	}
	return -1;
}

int http_date_parse(const char *text, int64_t *ret_seconds)
{
	struct tm tm = {0};
	char month[4] = "", check[HTTP_DATE_SIZE];
	int64_t seconds;

	if (strlen(text) != HTTP_DATE_SIZE - 1 ||
	    sscanf(text + 3, ", %2d %3s %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec) != 6)
		return -EINVAL;
	tm.tm_mon = month_number(month);
	tm.tm_year -= 1900;
	if (tm.tm_mon < 0)
		return -EINVAL;
	seconds = timegm(&tm);
	/* Written again it must be the same: that refuses 31 February and what sscanf reads too kindly. */
	http_date_format(seconds, check);
	if (strcmp(check, text) != 0)
		return -EINVAL;
	*ret_seconds = seconds;
	return 0;
}
