#include "adminctl/listing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>
#include "adminctl/command.h"
#include "adminctl/session.h"
#include "shared/base/buf.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

enum { CELL_BYTES_MAX = 64 << 20, COLUMNS_MAX = 40 };

struct cell {
	char *shown, *json;
};

struct listing {
	const struct column *columns;
	int column_count;
	struct cell *cells; /* row after row */
	size_t count, capacity;
	bool has_failed; /* out of memory: told when printing */
};

struct listing *listing_new(const struct column *columns)
{
	struct listing *listing = calloc(1, sizeof(*listing));

	if (listing == NULL)
		return NULL;
	listing->columns = columns;
	while (columns[listing->column_count].title != NULL)
		listing->column_count++;
	return listing;
}

void listing_free(struct listing *listing)
{
	if (listing == NULL)
		return;
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->cells[i].shown);
		free(listing->cells[i].json);
	}
	free(listing->cells);
	free(listing);
}

void listing_cleanup(struct listing **listing)
{
	listing_free(*listing);
}

int listing_rows(const struct listing *listing)
{
	return (int)(listing->count / (size_t)listing->column_count);
}

/* --- cells
 * ------------------------------------------------------------------------------------------------------------- */

/* Takes both texts over. */
static void add_cell(struct listing *listing, char *shown, char *json)
{
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
		struct cell *grown = reallocarray(listing->cells, capacity, sizeof(*grown));

		if (grown != NULL) {
			listing->cells = grown;
			listing->capacity = capacity;
		}
	}
	if (shown == NULL || json == NULL || listing->count == listing->capacity) {
		listing->has_failed = true;
		free(shown);
		free(json);
		return;
	}
	listing->cells[listing->count++] = (struct cell){shown, json};
}

static void add_plain(struct listing *listing, const char *shown, const char *json)
{
	add_cell(listing, strdup(shown), strdup(json));
}

/* What a terminal can be given: one character, or the escape of one byte. Returns the bytes used. */
static size_t put_visible(struct buf *out, const char *bytes, size_t length)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t used = mbrtowc(&character, bytes, length, &state);

	if (used > 0 && used <= length && iswprint((wint_t)character)) {
		buf_append(out, bytes, used);
		return used;
	}
	if (bytes[0] == '\n')
		buf_puts(out, "\\n");
	else
		buf_printf(out, "\\x%02x", (unsigned)(unsigned char)bytes[0]);
	return 1;
}

void listing_bytes(struct listing *listing, struct bytes bytes)
{
	cleanup(buf_release) struct buf shown = BUF_INIT(CELL_BYTES_MAX), json = BUF_INIT(CELL_BYTES_MAX);

	if (bytes.data == NULL) {
		listing_none(listing);
		return;
	}
	buf_puts(&shown, "");
	for (size_t i = 0; i < bytes.length;)
		i += put_visible(&shown, bytes.data + i, bytes.length - i);
	json_put_string(&json, bytes.data, bytes.length);
	add_cell(listing, buf_take(&shown, NULL), buf_take(&json, NULL));
}

void listing_text(struct listing *listing, const char *text)
{
	listing_bytes(listing, (struct bytes){.data = text, .length = text != NULL ? strlen(text) : 0});
}

void listing_none(struct listing *listing)
{
	add_plain(listing, "-", "null");
}

void listing_number(struct listing *listing, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	add_plain(listing, text, text);
}

const char *size_text(int64_t bytes, char ret_text[SIZE_TEXT_SIZE])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(ret_text, SIZE_TEXT_SIZE, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return ret_text;
}

void listing_size(struct listing *listing, int64_t bytes)
{
	char shown[SIZE_TEXT_SIZE], json[24];

	if (bytes < 0) {
		add_plain(listing, "no limit", "null");
		return;
	}
	snprintf(json, sizeof(json), "%" PRId64, bytes);
	add_plain(listing, size_text(bytes, shown), json);
}

void listing_count(struct listing *listing, int64_t count)
{
	char digits[24], shown[32];
	size_t length, out = 0;

	if (count < 0) {
		add_plain(listing, "no limit", "null");
		return;
	}
	length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, count);
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			shown[out++] = ',';
		shown[out++] = digits[i];
	}
	shown[out] = '\0';
	add_plain(listing, shown, digits);
}

void listing_time(struct listing *listing, int64_t time_ns)
{
	char text[CLOCK_RFC3339_SIZE], json[CLOCK_RFC3339_SIZE + 2];

	if (time_ns == 0) {
		listing_none(listing);
		return;
	}
	clock_format_rfc3339(time_ns, text);
	snprintf(json, sizeof(json), "\"%s\"", text);
	/* To the second is enough for people: 2026-11-03 10:22:31. */
	text[10] = ' ';
	text[19] = '\0';
	add_plain(listing, text, json);
}

void listing_bool(struct listing *listing, bool value)
{
	add_plain(listing, value ? "yes" : "no", value ? "true" : "false");
}

void listing_json(struct listing *listing, struct bytes json)
{
	if (json.data == NULL)
		listing_none(listing);
	else
		add_cell(listing, strndup(json.data, json.length), strndup(json.data, json.length));
}

/* --- printing
 * ---------------------------------------------------------------------------------------------------------- */

/* Columns on a terminal: wide characters take two, combining ones none. The text is visible (put_visible). */
static int shown_width(const char *text)
{
	mbstate_t state = {0};
	size_t left = strlen(text), used;
	wchar_t character;
	int width = 0, columns;

	for (; left > 0; text += used, left -= used) {
		used = mbrtowc(&character, text, left, &state);
		if (used == 0 || used > left)
			return width + (int)left;
		columns = wcwidth(character);
		width += columns > 0 ? columns : 0;
	}
	return width;
}

static const struct cell *cell_at(const struct listing *listing, int row, int column)
{
	return &listing->cells[row * listing->column_count + column];
}

static void print_padded(const char *text, int width, unsigned flags, bool is_last, FILE *out)
{
	int padding = width - shown_width(text);

	if (flags & COLUMN_RIGHT)
		fprintf(out, "%*s%s", padding, "", text);
	else
		fprintf(out, "%s%*s", text, is_last ? 0 : padding, "");
	fputs(is_last ? "\n" : "  ", out);
}

static void print_table(const struct listing *listing, FILE *out)
{
	int rows = listing_rows(listing), last = 0, widths[COLUMNS_MAX];

	for (int c = 0; c < listing->column_count; c++) {
		widths[c] = shown_width(listing->columns[c].title);
		for (int row = 0; row < rows; row++) {
			int width = shown_width(cell_at(listing, row, c)->shown);

			widths[c] = width > widths[c] ? width : widths[c];
		}
		last = listing->columns[c].flags & COLUMN_JSON_ONLY ? last : c;
	}
	for (int row = -1; row < rows; row++)
		for (int c = 0; c < listing->column_count; c++) {
			const struct column *column = &listing->columns[c];
			const char *text = row < 0 ? column->title : cell_at(listing, row, c)->shown;

			if (!(column->flags & COLUMN_JSON_ONLY))
				print_padded(text, widths[c], column->flags, c == last, out);
		}
}

static void print_object(const struct listing *listing, int row, const char *separator, FILE *out)
{
	fputc('{', out);
	for (int c = 0; c < listing->column_count; c++)
		fprintf(out, "%s\"%s\": %s", c > 0 ? separator : "", listing->columns[c].key,
			cell_at(listing, row, c)->json);
	fputc('}', out);
}

static int check_memory(const struct listing *listing)
{
	return listing->has_failed ? complain(EXIT_UNAVAILABLE, NULL, "out of memory") : EXIT_DONE;
}

int listing_print(const struct listing *listing, bool json, const char *empty_words, FILE *out)
{
	int rows = listing_rows(listing);

	if (listing->has_failed)
		return check_memory(listing);
	if (!json && rows == 0) {
		fprintf(out, "%s\n", empty_words);
	} else if (!json) {
		print_table(listing, out);
	} else {
		fputc('[', out);
		for (int row = 0; row < rows; row++) {
			fputs(row > 0 ? ",\n " : "", out);
			print_object(listing, row, ", ", out);
		}
		fputs("]\n", out);
	}
	return EXIT_DONE;
}

int listing_print_one(const struct listing *listing, bool json, FILE *out)
{
	int width = 0;

	if (listing->has_failed)
		return check_memory(listing);
	if (json) {
		print_object(listing, 0, ",\n ", out);
		fputc('\n', out);
		return EXIT_DONE;
	}
	for (int c = 0; c < listing->column_count; c++)
		width = shown_width(listing->columns[c].title) > width ? shown_width(listing->columns[c].title) : width;
	for (int c = 0; c < listing->column_count; c++) {
		print_padded(listing->columns[c].title, width, 0, false, out);
		fprintf(out, "%s\n", cell_at(listing, 0, c)->shown);
	}
	return EXIT_DONE;
}
