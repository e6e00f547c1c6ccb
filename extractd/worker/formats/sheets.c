#include "extractd/worker/formats/sheets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum { JSON_MAX_BYTES = FRAME_PAYLOAD_MAX - 64, COLUMNS_MAX_TOLD = 256, GAP_MAX = 20 };

void sheets_init(struct sheets *sheets, struct sink *sink)
{
	*sheets = (struct sheets){
		.sink = sink,
		.row_text = BUF_INIT(SHEET_ROW_BYTES_MAX),
		.json = BUF_INIT(JSON_MAX_BYTES),
		.summary = BUF_INIT(FRAME_PAYLOAD_MAX),
	};
}

void sheets_release(struct sheets *sheets)
{
	dataset_release(&sheets->dataset);
	free(sheets->name);
	free(sheets->cells);
	buf_release(&sheets->row_text);
	buf_release(&sheets->json);
	buf_release(&sheets->summary);
}

static int remember(struct sheets *sheets, int status)
{
	if (status < 0 && sheets->status == 0)
		sheets->status = status;
	return sheets->status;
}

int sheets_begin(struct sheets *sheets, const char *name, bool is_hidden)
{
	free(sheets->name);
	sheets->name = strdup(name);
	if (!sheets->name)
		return remember(sheets, -ENOMEM);
	dataset_init(&sheets->dataset);
	sheets->dataset.bools_are_numbers = true;
	sheets->is_hidden = is_hidden;
	sheets->has_header = sheets->has_row = sheets->has_printed = sheets->is_out_of_bounds = false;
	sheets->cell_count = 0;
	buf_reset(&sheets->row_text);
	if (sheets->count++ > 0)
		remember(sheets, sink_puts(sheets->sink, "\n"));
	remember(sheets, sink_puts(sheets->sink, "## "));
	remember(sheets, sink_puts(sheets->sink, name));
	return remember(sheets, sink_puts(sheets->sink, "\n"));
}

/* --- the text: a table for each block of rows without a gap --- */

/* A cell's text on one line. */
static void put_cell(struct buf *line, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
			buf_putc(line, ' ');
		else if (text[i] == '|')
			buf_puts(line, "\\|");
		else
			buf_putc(line, text[i]);
	}
}

/* Empty cells in between are shown, unless there are too many to be worth it. */
static unsigned put_cells(const struct sheets *sheets, struct buf *line)
{
	uint32_t column = 0;
	unsigned shown = 0;

	buf_putc(line, '|');
	for (size_t i = 0; i < sheets->cell_count; i++) {
		const struct sheet_cell *cell = &sheets->cells[i];

		if (cell->column - column > GAP_MAX)
			column = cell->column - 1;
		for (; column < cell->column; column++, shown++)
			buf_puts(line, "  |");
		buf_putc(line, ' ');
		if (cell->kind == SHEET_BOOL)
			buf_puts(line, sheets->row_text.data[cell->offset] == '1' ? "TRUE" : "FALSE");
		else
			put_cell(line, sheets->row_text.data + cell->offset, cell->length);
		buf_puts(line, " |");
		column = cell->column + 1;
		shown++;
	}
	buf_putc(line, '\n');
	return shown;
}

static void print_row(struct sheets *sheets)
{
	autobuf struct buf line = BUF_INIT(2UL * SHEET_ROW_BYTES_MAX);
	bool begins_block = !sheets->has_printed || sheets->row != sheets->last_printed_row + 1;
	unsigned shown;

	if (begins_block)
		buf_putc(&line, '\n');
	shown = put_cells(sheets, &line);
	if (begins_block) {
		buf_putc(&line, '|');
		for (unsigned i = 0; i < shown; i++)
			buf_puts(&line, " - |");
		buf_putc(&line, '\n');
	}
	sheets->has_printed = true;
	sheets->last_printed_row = sheets->row;
	remember(sheets, sink_text(sheets->sink, line.data, line.length));
}

/* --- the dataset --- */

/* Columns up to this one, those without a name in the header too. */
static int make_columns(struct sheets *sheets, uint32_t count)
{
	while (sheets->dataset.count < count) {
		int r = dataset_add_column(&sheets->dataset, NULL, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

static int take_header(struct sheets *sheets)
{
	uint32_t count = sheets->cell_count > 0 ? sheets->cells[sheets->cell_count - 1].column + 1 : 0;
	struct csv_field *names = calloc(count + 1UL, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		names[i].text = "";
	for (size_t i = 0; i < sheets->cell_count; i++) {
		const struct sheet_cell *cell = &sheets->cells[i];

		names[cell->column] =
			(struct csv_field){.text = sheets->row_text.data + cell->offset, .length = cell->length};
	}
	r = dataset_set_header(&sheets->dataset, names, count);
	free(names);
	sheets->has_header = true;
	return r;
}

static void observe_cell(struct sheets *sheets, const struct sheet_cell *cell)
{
	struct column *column = &sheets->dataset.columns[cell->column].column;
	const char *text = sheets->row_text.data + cell->offset;

	switch (cell->kind) {
	case SHEET_NUMBER:
	case SHEET_TEXT:
		column_observe_text(column, text, cell->length);
		break;
	case SHEET_BOOL:
		column_observe_kind(column, VALUE_BOOL, *text == '1' ? "True" : "False", *text == '1' ? 4 : 5);
		break;
	case SHEET_DATE:
		column_observe_kind(column, cell->length == 10 ? VALUE_DATE : VALUE_DATETIME, text, cell->length);
		break;
	case SHEET_TIME:
		column_observe_kind(column, VALUE_TEXT, text, cell->length);
		break;
	case SHEET_ERROR:
		column_observe_nulls(column, 1);
		break;
	}
}

static int observe_row(struct sheets *sheets)
{
	int r;

	/* As read_excel: the first row is the header, be it empty. */
	if (!sheets->has_header && sheets->row == 0)
		return take_header(sheets);
	sheets->has_header = true;
	r = make_columns(sheets, sheets->cells[sheets->cell_count - 1].column + 1);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sheets->cell_count; i++)
		observe_cell(sheets, &sheets->cells[i]);
	sheets->dataset.rows = sheets->row;
	return 0;
}

static int end_row(struct sheets *sheets)
{
	if (sheets->has_row && sheets->cell_count > 0) {
		print_row(sheets);
		remember(sheets, observe_row(sheets));
	}
	sheets->has_row = false;
	sheets->cell_count = 0;
	buf_reset(&sheets->row_text);
	return sheets->status;
}

/* --- cells --- */

static int keep_cell(struct sheets *sheets, uint32_t column, enum sheet_cell_kind kind, const char *text, size_t length)
{
	struct sheet_cell *cells;
	size_t capacity = sheets->cell_capacity > 0 ? sheets->cell_capacity * 2 : 64;

	if (sheets->cell_count == sheets->cell_capacity) {
		cells = reallocarray(sheets->cells, capacity, sizeof(*cells));
		if (!cells)
			return -ENOMEM;
		sheets->cells = cells;
		sheets->cell_capacity = capacity;
	}
	sheets->cells[sheets->cell_count] = (struct sheet_cell){.column = column,
								.offset = (uint32_t)sheets->row_text.length,
								.length = (uint32_t)length,
								.kind = kind};
	/* A row's texts have CSV_SLACK readable bytes behind them: column.h asks for it. */
	if (buf_reserve(&sheets->row_text, length + CSV_SLACK) < 0)
		return buf_error(&sheets->row_text);
	buf_append(&sheets->row_text, text, length);
	sheets->cell_count++;
	return 0;
}

static bool is_within(struct sheets *sheets, uint64_t row, uint32_t column)
{
	if (row < SHEET_ROWS_MAX && column < SHEET_COLUMNS_MAX)
		return true;
	if (!sheets->is_out_of_bounds)
		sink_warning(sheets->sink, "sheet %s has cells beyond row %d or column %d, which are left out",
			     sheets->name, SHEET_ROWS_MAX, SHEET_COLUMNS_MAX);
	sheets->is_out_of_bounds = true;
	return false;
}

int sheets_cell(struct sheets *sheets, uint64_t row, uint32_t column, enum sheet_cell_kind kind, const char *text,
		size_t length)
{
	int r;

	if (length == 0 || !is_within(sheets, row, column))
		return sheets->status;
	if (sheets->has_row && row != sheets->row)
		end_row(sheets);
	/* Rows and columns that go back are a damaged or hostile file: what came first counts. */
	if ((sheets->has_printed && row <= sheets->last_printed_row) ||
	    (sheets->cell_count > 0 && column <= sheets->cells[sheets->cell_count - 1].column))
		return sheets->status;
	sheets->row = row;
	sheets->has_row = true;
	r = keep_cell(sheets, column, kind, text, length);
	if (r == -EOVERFLOW) {
		buf_reset(&sheets->row_text);
		sheets->cell_count = 0;
		sink_warning(sheets->sink, "a row of sheet %s is longer than %d MiB and is left out", sheets->name,
			     SHEET_ROW_BYTES_MAX >> 20);
		r = 0;
	}
	return remember(sheets, r);
}

/* --- the end --- */

static void fill_up_nulls(struct dataset *dataset)
{
	for (size_t i = 0; i < dataset->count; i++) {
		struct column *column = &dataset->columns[i].column;

		if (column->rows < dataset->rows)
			column_observe_nulls(column, dataset->rows - column->rows);
	}
}

static void tell_sheet(struct sheets *sheets)
{
	autobuf struct buf json = BUF_INIT(JSON_MAX_BYTES), summary = BUF_INIT(FRAME_PAYLOAD_MAX);

	buf_puts(&json, "{\"name\":");
	json_put_string(&json, sheets->name, strlen(sheets->name));
	if (sheets->is_hidden)
		buf_puts(&json, ",\"hidden\":true");
	if (sheets->dataset.count > 0) {
		buf_puts(&json, ",\"dataset\":{\"header\":true");
		dataset_tell(&sheets->dataset, &json, &summary);
		buf_putc(&json, '}');
	}
	buf_putc(&json, '}');
	if (buf_error(&json) < 0 || sheets->json.length + json.length + 2 > JSON_MAX_BYTES) {
		sink_warning(sheets->sink, "the profile of sheet %s is left out, there is more than fits",
			     sheets->name);
		return;
	}
	if (sheets->json.length > 0)
		buf_putc(&sheets->json, ',');
	buf_append(&sheets->json, json.data, json.length);
	if (sheets->dataset.count == 0 || buf_error(&summary) < 0)
		return;
	sheets->datasets++;
	if (sheets->summary.length + summary.length + strlen(sheets->name) + 16 > FRAME_PAYLOAD_MAX)
		return;
	buf_printf(&sheets->summary, "%s## %s\n\n%s", sheets->summary.length > 0 ? "\n\n" : "", sheets->name,
		   summary.data);
}

int sheets_end(struct sheets *sheets)
{
	end_row(sheets);
	fill_up_nulls(&sheets->dataset);
	tell_sheet(sheets);
	dataset_release(&sheets->dataset);
	return sheets->status;
}

int sheets_finish(struct sheets *sheets)
{
	autobuf struct buf array = BUF_INIT(JSON_MAX_BYTES);
	const char *summary = sheets->summary.length > 0 ? sheets->summary.data : "";

	buf_printf(&array, "[%s]", sheets->json.length > 0 ? sheets->json.data : "");
	if (buf_error(&array) == 0)
		sink_data_member(sheets->sink, "sheets", array.data, array.length);
	/* One sheet alone is summed up as any dataset is. */
	if (sheets->datasets == 1 && sheets->count == 1)
		summary = strstr(summary, "The dataset has");
	if (summary && *summary)
		sink_summary(sheets->sink, summary, strlen(summary));
	return sheets->status;
}
