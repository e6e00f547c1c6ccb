/* ODS (OpenDocument): every sheet as a table and as a dataset, streamed; notes on cells behind the sheet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/sheets.h"
#include "extractd/worker/formats/xml_walk.h"

enum {
	CELL_MAX_BYTES = 1 << 20,
	NOTES_MAX_BYTES = 1 << 20,
	TYPE_SIZE = 16,
	VALUE_SIZE = 64,
	NAME_SIZE = 256,
	SPACES_MAX = 100
};
/* A row or cell that says it repeats is repeated, but not as often as a hostile file may say. */
enum { REPEATED_CELLS_MAX = 2 << 20 };

struct cell {
	uint32_t column, repeated;
	enum sheet_cell_kind kind;
	size_t offset, length; /* in row_text */
};

struct reading {
	struct sink *sink;
	struct sheets sheets;
	struct xml_stream *stream;
	bool is_in_sheet, is_in_cell, has_paragraph;
	unsigned note_depth, text_depth;
	uint64_t row;
	uint32_t column;
	uint64_t row_repeated;
	uint32_t cell_repeated;
	uint32_t repeats_left;
	char type[TYPE_SIZE], value[VALUE_SIZE];
	struct cell *cells; /* of the row, since it may be repeated */
	size_t cell_count, cell_capacity;
	struct buf row_text, text, notes;
};

static uint32_t read_count(const struct xml_attributes *attributes, const char *name)
{
	char number[16];
	unsigned long count = 1;

	if (xml_attribute(attributes, name, number, sizeof(number)))
		count = strtoul(number, NULL, 10);
	return count == 0 || count > UINT32_MAX ? 1 : (uint32_t)count;
}

/* --- cells and rows --- */

static void begin_cell(struct reading *reading, const struct xml_attributes *attributes)
{
	static const char *const values[] = {"value", "date-value", "time-value", "boolean-value"};

	reading->is_in_cell = true;
	reading->has_paragraph = false;
	reading->cell_repeated = read_count(attributes, "number-columns-repeated");
	buf_reset(&reading->text);
	*reading->value = '\0';
	if (!xml_attribute(attributes, "value-type", reading->type, sizeof(reading->type)))
		*reading->type = '\0';
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (xml_attribute(attributes, values[i], reading->value, sizeof(reading->value)))
			break;
}

/* PT10H30M00S as 10:30:00. */
static size_t clock_time(const char *value, char text[SHEET_NUMBER_SIZE])
{
	unsigned hours = 0, minutes = 0;
	double seconds = 0;

	if (strncmp(value, "PT", 2) != 0)
		return 0;
	for (value += 2; *value;) {
		char *end;
		double number = strtod(value, &end);

		if (end == value || number < 0 || number > 1e6)
			return 0;
		if (*end == 'H')
			hours = (unsigned)number;
		else if (*end == 'M')
			minutes = (unsigned)number;
		else
			seconds = number;
		value = *end ? end + 1 : end;
	}
	return (size_t)snprintf(text, SHEET_NUMBER_SIZE, "%02u:%02u:%02.0f", hours, minutes, seconds);
}

/* The cell's value as text and kind; what is shown is used where there is no value. */
static enum sheet_cell_kind cell_value(struct reading *reading, char scratch[VALUE_SIZE], const char **ret_text,
				       size_t *ret_length)
{
	*ret_text = scratch;
	if (strcmp(reading->type, "float") == 0 || strcmp(reading->type, "percentage") == 0 ||
	    strcmp(reading->type, "currency") == 0) {
		*ret_length = *reading->value ? sheet_number(strtod(reading->value, NULL), scratch) : 0;
		return SHEET_NUMBER;
	}
	if (strcmp(reading->type, "date") == 0) {
		*ret_length = strnlen(reading->value, 19);
		memcpy(scratch, reading->value, *ret_length);
		if (*ret_length > 10 && scratch[10] == 'T')
			scratch[10] = ' ';
		if (*ret_length == 19 && memcmp(scratch + 10, " 00:00:00", 9) == 0)
			*ret_length = 10;
		return SHEET_DATE;
	}
	if (strcmp(reading->type, "boolean") == 0) {
		scratch[0] = strcmp(reading->value, "true") == 0 ? '1' : '0';
		*ret_length = 1;
		return SHEET_BOOL;
	}
	if (strcmp(reading->type, "time") == 0 && (*ret_length = clock_time(reading->value, scratch)) > 0)
		return SHEET_TIME;
	*ret_text = reading->text.data;
	*ret_length = reading->text.length;
	return *ret_length > 0 && **ret_text == '#' && strcmp(reading->type, "string") != 0 ? SHEET_ERROR : SHEET_TEXT;
}

static int keep_cell(struct reading *reading)
{
	char scratch[VALUE_SIZE];
	size_t length, capacity = reading->cell_capacity > 0 ? reading->cell_capacity * 2 : 64;
	const char *text;
	enum sheet_cell_kind kind = cell_value(reading, scratch, &text, &length);

	if (length == 0)
		return 0;
	if (reading->cell_count == reading->cell_capacity) {
		struct cell *cells = reallocarray(reading->cells, capacity, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		reading->cells = cells;
		reading->cell_capacity = capacity;
	}
	reading->cells[reading->cell_count] = (struct cell){.column = reading->column,
							    .repeated = reading->cell_repeated,
							    .kind = kind,
							    .offset = reading->row_text.length,
							    .length = length};
	if (buf_append(&reading->row_text, text, length) == 0)
		reading->cell_count++;
	return buf_error(&reading->row_text) == -ENOMEM ? -ENOMEM : 0;
}

static int end_cell(struct reading *reading)
{
	int r = keep_cell(reading);

	reading->is_in_cell = false;
	reading->column = reading->column + reading->cell_repeated < reading->column
				  ? UINT32_MAX
				  : reading->column + reading->cell_repeated;
	return r;
}

/* -ENOSPC: cells were repeated more often than is allowed. */
static int put_row(struct reading *reading, uint64_t row)
{
	int r = 0;

	for (size_t i = 0; i < reading->cell_count && r == 0; i++) {
		const struct cell *cell = &reading->cells[i];

		for (uint32_t n = 0; n < cell->repeated && cell->column + n < SHEET_COLUMNS_MAX && r == 0; n++) {
			if (reading->repeats_left == 0)
				return -ENOSPC;
			reading->repeats_left -= row != reading->row || n > 0;
			r = sheets_cell(&reading->sheets, row, cell->column + n, cell->kind,
					reading->row_text.data + cell->offset, cell->length);
		}
	}
	return r;
}

static int end_row(struct reading *reading)
{
	int r = 0;

	for (uint64_t n = 0; reading->cell_count > 0 && n < reading->row_repeated && n < SHEET_ROWS_MAX && r == 0; n++)
		r = put_row(reading, reading->row + n);
	reading->row += reading->row_repeated;
	reading->cell_count = 0;
	buf_reset(&reading->row_text);
	if (r != -ENOSPC)
		return r;
	sink_warning(reading->sink, "more cells than %d are said to repeat, the rest is left out", REPEATED_CELLS_MAX);
	reading->repeats_left = 1;
	return 0;
}

/* --- elements --- */

static void put_spaces(struct reading *reading, uint32_t count)
{
	for (uint32_t i = 0; i < count && i < SPACES_MAX; i++)
		buf_putc(&reading->text, ' ');
}

static int begin_sheet(struct reading *reading, const struct xml_attributes *attributes)
{
	char name[NAME_SIZE] = "";

	xml_attribute(attributes, "name", name, sizeof(name));
	reading->is_in_sheet = true;
	reading->row = 0;
	buf_reset(&reading->notes);
	return sheets_begin(&reading->sheets, name, false);
}

static int begin_text(struct reading *reading, const char *name, const struct xml_attributes *attributes)
{
	struct buf *text = reading->note_depth > 0 ? &reading->notes : &reading->text;

	if (strcmp(name, "p") == 0) {
		if (reading->has_paragraph && text->length > 0)
			buf_putc(text, '\n');
		reading->has_paragraph = true;
		reading->text_depth++;
	} else if (strcmp(name, "s") == 0 && reading->note_depth == 0) {
		put_spaces(reading, read_count(attributes, "c"));
	} else if (strcmp(name, "tab") == 0 || strcmp(name, "line-break") == 0) {
		buf_putc(text, ' ');
	}
	return 0;
}

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	if (strcmp(prefix, "table") == 0 && strcmp(name, "table") == 0 && !reading->is_in_sheet)
		return begin_sheet(reading, attributes);
	if (!reading->is_in_sheet)
		return 0;
	if (strcmp(name, "table-row") == 0) {
		reading->column = 0;
		reading->row_repeated = read_count(attributes, "number-rows-repeated");
	} else if (strcmp(name, "table-cell") == 0 || strcmp(name, "covered-table-cell") == 0) {
		begin_cell(reading, attributes);
	} else if (strcmp(name, "annotation") == 0) {
		reading->note_depth++;
	} else if (reading->is_in_cell && strcmp(prefix, "text") == 0) {
		return begin_text(reading, name, attributes);
	}
	return 0;
}

static int end_sheet(struct reading *reading)
{
	int r = sheets_end(&reading->sheets);

	reading->is_in_sheet = false;
	if (r == 0 && reading->notes.length > 0) {
		r = sink_puts(reading->sink, "\n");
		r = r < 0 ? r : sink_text(reading->sink, reading->notes.data, reading->notes.length);
		r = r < 0 ? r : sink_puts(reading->sink, "\n");
	}
	return r < 0 ? r : 0;
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;

	if (!reading->is_in_sheet)
		return 0;
	if (strcmp(name, "table-cell") == 0 || strcmp(name, "covered-table-cell") == 0)
		return reading->is_in_cell ? end_cell(reading) : 0;
	if (strcmp(name, "table-row") == 0)
		return end_row(reading);
	if (strcmp(name, "annotation") == 0 && reading->note_depth > 0) {
		buf_putc(&reading->notes, '\n');
		reading->note_depth--;
		reading->has_paragraph = false;
	} else if (strcmp(name, "p") == 0 && reading->text_depth > 0) {
		reading->text_depth--;
	}
	return strcmp(prefix, "table") == 0 && strcmp(name, "table") == 0 ? end_sheet(reading) : 0;
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;
	struct buf *target = reading->note_depth > 0 ? &reading->notes : &reading->text;

	if (reading->is_in_cell && reading->text_depth > 0 && target->length + length <= CELL_MAX_BYTES)
		buf_append(target, bytes, length);
	return 0;
}

static int push(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	return xml_stream_push(reading->stream, bytes, length);
}

static int read_content(struct extract_input *in, struct sink *sink, struct reading *reading)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	int r = xml_stream_begin(&handler, reading, sink, &reading->stream), ended;

	if (r < 0)
		return r;
	r = zip_part_stream(in, sink, "content.xml", push, reading);
	ended = xml_stream_end(reading->stream);
	if (reading->is_in_sheet && (r == -EBADMSG || r == -EFBIG || ended == -EBADMSG)) {
		sink_warning(sink, "the sheets could not be read to the end");
		return end_sheet(reading);
	}
	return r < 0 ? r : ended;
}

static bool is_wanted(const char *path)
{
	return strcmp(path, "meta.xml") == 0 || strcmp(path, "META-INF/manifest.xml") == 0;
}

static void release(struct reading *reading)
{
	sheets_release(&reading->sheets);
	buf_release(&reading->row_text);
	buf_release(&reading->text);
	buf_release(&reading->notes);
	free(reading->cells);
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct reading reading = {.sink = sink,
				  .repeats_left = REPEATED_CELLS_MAX,
				  .row_text = BUF_INIT(SHEET_ROW_BYTES_MAX),
				  .text = BUF_INIT(CELL_MAX_BYTES + SPACES_MAX),
				  .notes = BUF_INIT(NOTES_MAX_BYTES + SPACES_MAX)};
	struct zip_parts parts;
	const struct zip_part *manifest;
	bool is_encrypted;
	int r = zip_parts_read(in, sink, is_wanted, &parts), ended;

	if (r < 0)
		return office_open_error(r, sink);
	office_put_properties(&parts, sink);
	manifest = zip_part_find(&parts, "META-INF/manifest.xml");
	is_encrypted = manifest && memmem(manifest->bytes, manifest->length, "encryption-data", 15) != NULL;
	zip_parts_release(&parts);
	if (is_encrypted)
		return sink_error(sink, "encrypted: the spreadsheet needs a password");
	sheets_init(&reading.sheets, sink);
	r = read_content(in, sink, &reading);
	if (r == 0 || r == -ETIME) {
		ended = sheets_finish(&reading.sheets);
		r = r < 0 ? r : ended;
	}
	release(&reading);
	if (r == -ENOENT || r == -EBADMSG || r == -E2BIG)
		return sink_error(sink, "corrupt: there are no sheets that can be read in it");
	return r;
}

static const char *const media_types[] = {"application/vnd.oasis.opendocument.spreadsheet",
					  "application/vnd.oasis.opendocument.spreadsheet-template", NULL};

const struct extractor extractor_ods = {.name = "ods", .version = 1, .media_types = media_types, .extract = extract};
