/* Excel 97 to 2003 (.xls): sheets through freexl, which wants a path; properties through libgsf. */
#include <errno.h>
#include <freexl.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/ole.h"
#include "extractd/worker/formats/sheets.h"

static void put_properties(struct extract_input *in, struct sink *sink)
{
	GsfInfile *file;

	if (ole_open(in, &file) < 0)
		return;
	ole_put_properties(file, sink);
	g_object_unref(file);
}

static int put_cell(struct sheets *sheets, unsigned row, unsigned short column, const FreeXL_CellValue *value)
{
	const char *text = value->value.text_value;
	char number[SHEET_NUMBER_SIZE];
	enum sheet_cell_kind kind = SHEET_TEXT;
	size_t length;

	switch (value->type) {
	case FREEXL_CELL_INT:
		length = sheet_number(value->value.int_value, number);
		return sheets_cell(sheets, row, column, SHEET_NUMBER, number, length);
	case FREEXL_CELL_DOUBLE:
		length = sheet_number(value->value.double_value, number);
		return sheets_cell(sheets, row, column, SHEET_NUMBER, number, length);
	case FREEXL_CELL_DATE:
	case FREEXL_CELL_DATETIME:
		kind = SHEET_DATE;
		break;
	case FREEXL_CELL_TIME:
		kind = SHEET_TIME;
		break;
	case FREEXL_CELL_TEXT:
	case FREEXL_CELL_SST_TEXT:
		break;
	default:
		return 0;
	}
	if (!text)
		return 0;
	length = strlen(text);
	if (kind == SHEET_DATE && length == 19 && strcmp(text + 10, " 00:00:00") == 0)
		length = 10;
	return sheets_cell(sheets, row, column, kind, text, length);
}

static int put_cells(const void *book, struct sheets *sheets)
{
	unsigned rows = 0;
	unsigned short columns = 0;
	int r = 0;

	if (freexl_worksheet_dimensions(book, &rows, &columns) != FREEXL_OK)
		return 0;
	for (unsigned row = 0; row < rows && row < SHEET_ROWS_MAX && r == 0; row++) {
		for (unsigned short column = 0; column < columns && r == 0; column++) {
			FreeXL_CellValue value;

			if (freexl_get_cell_value(book, row, column, &value) == FREEXL_OK)
				r = put_cell(sheets, row, column, &value);
		}
		if (r == 0 && sink_should_stop(sheets->sink))
			r = -ETIME;
	}
	return r;
}

static int put_sheets(const void *book, struct sheets *sheets)
{
	unsigned count = 0;
	int r = 0;

	freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &count);
	for (unsigned i = 0; i < count && i < SHEETS_MAX && r == 0; i++) {
		const char *name = NULL;
		int ended;

		if (freexl_select_active_worksheet(book, (unsigned short)i) != FREEXL_OK)
			continue;
		freexl_get_worksheet_name(book, (unsigned short)i, &name);
		r = sheets_begin(sheets, name ? name : "", false);
		if (r == 0)
			r = put_cells(book, sheets);
		ended = sheets_end(sheets);
		r = r < 0 ? r : ended;
	}
	return r;
}

static int read_book(const void *book, struct sink *sink)
{
	struct sheets sheets;
	unsigned password = 0;
	int r, ended;

	if (freexl_get_info(book, FREEXL_BIFF_PASSWORD, &password) == FREEXL_OK && password == FREEXL_BIFF_OBFUSCATED)
		return sink_error(sink, "encrypted: the workbook needs a password");
	sheets_init(&sheets, sink);
	r = put_sheets(book, &sheets);
	if (r == 0 || r == -ETIME) {
		ended = sheets_finish(&sheets);
		r = r < 0 ? r : ended;
	}
	sheets_release(&sheets);
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	char path[INPUT_PATH_SIZE];
	const void *book = NULL;
	int r = input_path(in, path), opened;

	if (r < 0)
		return r;
	put_properties(in, sink);
	opened = freexl_open(path, &book);
	if (opened == FREEXL_INSUFFICIENT_MEMORY)
		r = -ENOMEM;
	else if (opened != FREEXL_OK)
		r = sink_error(sink, "corrupt: the workbook cannot be read (freexl: %d)", opened);
	else
		r = read_book(book, sink);
	freexl_close(book);
	return r;
}

static int preload(bool is_ocr)
{
	(void)is_ocr;
	return ole_preload();
}

static const char *const media_types[] = {"application/vnd.ms-excel", NULL};

const struct extractor extractor_xls = {
	.name = "xls", .version = 1, .media_types = media_types, .preload = preload, .extract = extract};
