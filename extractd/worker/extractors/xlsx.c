/* XLSX (SpreadsheetML): every sheet, streamed, as a table and as a dataset; comments and the words in charts behind
 * them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/sheets.h"
#include "extractd/worker/formats/xlsx_book.h"
#include "extractd/worker/formats/xlsx_extras.h"
#include "extractd/worker/formats/xml_walk.h"

enum { CELL_MAX_BYTES = 1 << 20, TYPE_SIZE = 12, REFERENCE_SIZE = 24 };

struct reading {
	const struct xlsx_book *book;
	struct sheets *sheets;
	struct xml_stream *stream;
	uint64_t row; /* of the current cell, from 0 */
	uint32_t column;
	uint64_t next_row;
	uint32_t next_column;
	char type[TYPE_SIZE];
	unsigned style, phonetic_depth;
	bool is_value;
	struct buf value;
};

/* "BC12": column and row. Either may be missing in files that other programs wrote. */
static void read_reference(struct reading *reading, const char *reference)
{
	uint64_t row = 0;
	uint32_t column = 0;

	while (*reference >= 'A' && *reference <= 'Z' && column < SHEET_COLUMNS_MAX * 26U)
		column = column * 26 + (uint32_t)(*reference++ - 'A') + 1;
	while (*reference >= '0' && *reference <= '9' && row < UINT32_MAX)
		row = row * 10 + (uint64_t)(*reference++ - '0');
	if (column > 0)
		reading->column = column - 1;
	if (row > 0)
		reading->row = row - 1;
}

static void begin_row(struct reading *reading, const struct xml_attributes *attributes)
{
	char number[REFERENCE_SIZE];
	uint64_t row = 0;

	if (xml_attribute(attributes, "r", number, sizeof(number)))
		row = strtoull(number, NULL, 10);
	reading->row = row > 0 ? row - 1 : reading->next_row;
	reading->next_row = reading->row + 1;
	reading->next_column = 0;
}

static void begin_cell(struct reading *reading, const struct xml_attributes *attributes)
{
	char text[REFERENCE_SIZE];

	reading->column = reading->next_column;
	if (xml_attribute(attributes, "r", text, sizeof(text)))
		read_reference(reading, text);
	reading->next_column = reading->column + 1;
	if (!xml_attribute(attributes, "t", reading->type, sizeof(reading->type)))
		reading->type[0] = '\0';
	reading->style = xml_attribute(attributes, "s", text, sizeof(text)) ? (unsigned)strtoul(text, NULL, 10) : 0;
	buf_reset(&reading->value);
}

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	(void)prefix;
	if (strcmp(name, "c") == 0)
		begin_cell(reading, attributes);
	else if (strcmp(name, "row") == 0)
		begin_row(reading, attributes);
	else if (strcmp(name, "rPh") == 0)
		reading->phonetic_depth++;
	reading->is_value = strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && reading->phonetic_depth == 0);
	return 0;
}

static int put_number(struct reading *reading)
{
	const struct xlsx_book *book = reading->book;
	double number = strtod(reading->value.data, NULL);
	char text[SHEET_NUMBER_SIZE];
	size_t length;
	enum sheet_cell_kind kind = SHEET_NUMBER;

	if (reading->style < book->style_count && book->is_date[reading->style])
		kind = sheet_date(number, book->is_1904, text, &length);
	else
		length = sheet_number(number, text);
	return sheets_cell(reading->sheets, reading->row, reading->column, kind, text, length);
}

static int put_date(struct reading *reading)
{
	char *text = reading->value.data;
	size_t length = reading->value.length;

	if (length > 10 && text[10] == 'T')
		text[10] = ' ';
	return sheets_cell(reading->sheets, reading->row, reading->column, SHEET_DATE, text, length);
}

static int end_cell(struct reading *reading)
{
	const char *text = reading->value.data;
	size_t length = reading->value.length;
	enum sheet_cell_kind kind = SHEET_TEXT;

	if (length == 0)
		return 0;
	if (strcmp(reading->type, "s") == 0)
		text = xlsx_string(reading->book, strtoull(text, NULL, 10), &length);
	else if (*reading->type == '\0' || strcmp(reading->type, "n") == 0)
		return put_number(reading);
	else if (strcmp(reading->type, "d") == 0)
		return put_date(reading);
	else if (strcmp(reading->type, "b") == 0)
		kind = SHEET_BOOL;
	else if (strcmp(reading->type, "e") == 0)
		kind = SHEET_ERROR;
	return text ? sheets_cell(reading->sheets, reading->row, reading->column, kind, text, length) : 0;
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;

	(void)prefix;
	reading->is_value = false;
	if (strcmp(name, "rPh") == 0 && reading->phonetic_depth > 0)
		reading->phonetic_depth--;
	return strcmp(name, "c") == 0 ? end_cell(reading) : 0;
}

/* A longer text than a cell can hold is cut. */
static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->is_value && reading->value.length + length <= CELL_MAX_BYTES)
		buf_append(&reading->value, bytes, length);
	return 0;
}

static int push(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	return xml_stream_push(reading->stream, bytes, length);
}

static int read_cells(struct extract_input *in, struct sink *sink, struct reading *reading, const char *path)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	int r = xml_stream_begin(&handler, reading, sink, &reading->stream), ended;

	if (r < 0)
		return r;
	r = zip_part_stream(in, sink, path, push, reading);
	ended = xml_stream_end(reading->stream);
	return r < 0 ? r : ended;
}

static int read_sheet(struct extract_input *in, struct sink *sink, const struct xlsx_book *book,
		      const struct xlsx_sheet *sheet, struct sheets *sheets)
{
	struct reading reading = {.book = book, .sheets = sheets, .value = BUF_INIT(CELL_MAX_BYTES + 16)};
	int r = sheets_begin(sheets, sheet->name, sheet->is_hidden), ended;

	if (r == 0 && *sheet->path)
		r = read_cells(in, sink, &reading, sheet->path);
	if (r == -EBADMSG || r == -E2BIG || r == -ENOENT || r == -EFBIG) {
		sink_warning(sink, "sheet %s could not be read to the end", sheet->name);
		r = 0;
	}
	ended = sheets_end(sheets);
	buf_release(&reading.value);
	return r < 0 ? r : ended;
}

static int read_book(struct extract_input *in, struct sink *sink, const struct zip_parts *parts)
{
	struct xlsx_book book;
	struct sheets sheets;
	int r = xlsx_book_read(&book, in, sink, parts), ended;

	sheets_init(&sheets, sink);
	for (unsigned i = 0; r == 0 && i < book.sheet_count; i++)
		r = read_sheet(in, sink, &book, &book.sheets[i], &sheets);
	if (r == 0)
		r = xlsx_put_extras(parts, sink);
	if (r == 0 || r == -ETIME) {
		ended = sheets_finish(&sheets);
		r = r < 0 ? r : ended;
	}
	sheets_release(&sheets);
	xlsx_book_release(&book);
	return r;
}

static bool is_wanted(const char *path)
{
	return strncmp(path, "docProps/", 9) == 0 || xlsx_book_wants(path) || xlsx_extras_want(path);
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct zip_parts parts;
	int r = zip_parts_read(in, sink, is_wanted, &parts);

	if (r < 0)
		return office_open_error(r, sink);
	office_put_properties(&parts, sink);
	r = read_book(in, sink, &parts);
	if (r == -EBADMSG)
		r = sink_error(sink, "corrupt: there is no workbook in it");
	else if (r == -EACCES)
		r = sink_error(sink, "encrypted: the workbook needs a password");
	zip_parts_release(&parts);
	return r;
}

static const char *const media_types[] = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
					  "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
					  "application/vnd.ms-excel.sheet.macroenabled.12",
					  "application/vnd.ms-excel.template.macroenabled.12", NULL};

const struct extractor extractor_xlsx = {.name = "xlsx", .version = 1, .media_types = media_types, .extract = extract};
