/*
 * Spreadsheets on their way out, row by row: each sheet as a Markdown table in the text and as a dataset in the data,
 * typed as pandas' read_excel types it (the first row is the header). For XLSX, ODS and .xls. Bounded by what Excel
 * itself bounds; what lies outside is dropped with a warning, and empty cells cost nothing, however many a sheet
 * claims.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/worker/formats/dataset.h"
#include "extractd/worker/sink.h"

enum { SHEET_ROWS_MAX = 1 << 20, SHEET_COLUMNS_MAX = 1 << 14, SHEETS_MAX = 1000, SHEET_ROW_BYTES_MAX = 4 << 20 };

enum sheet_cell_kind { SHEET_NUMBER, SHEET_TEXT, SHEET_BOOL, SHEET_DATE, SHEET_TIME, SHEET_ERROR };

struct sheet_cell {
	uint32_t column, offset, length; /* of the text, in row_text */
	enum sheet_cell_kind kind;
};

struct sheets {
	struct sink *sink;
	struct dataset dataset; /* of the current sheet */
	char *name;
	bool is_hidden, has_header, is_out_of_bounds;
	uint64_t first_row, row; /* the header's; the current one, from 0 */
	bool has_row;
	uint64_t last_printed_row;
	bool has_printed;
	struct sheet_cell *cells; /* of the current row, in order */
	size_t cell_count, cell_capacity;
	struct buf row_text;
	struct buf json, summary; /* of all sheets */
	unsigned count, datasets;
	int status; /* what the sink said; sticks */
};

void sheets_init(struct sheets *sheets, struct sink *sink);
void sheets_release(struct sheets *sheets);
/* -ENOMEM, or what the sink said (negative), here and below. */
int sheets_begin(struct sheets *sheets, const char *name, bool is_hidden);
/*
 * A cell that is not empty; rows (from 0) may only grow, as may columns in a row. Numbers are as C writes them, dates
 * ISO 8601, booleans "1" or "0". A text goes in as it is.
 */
int sheets_cell(struct sheets *sheets, uint64_t row, uint32_t column, enum sheet_cell_kind kind, const char *text,
		size_t length);
int sheets_end(struct sheets *sheets);
/* Gives data and summary to the sink. */
int sheets_finish(struct sheets *sheets);

/* A number as a spreadsheet means it: whole ones without a point. text has SHEET_NUMBER_SIZE bytes. Returns its length.
 */
enum { SHEET_NUMBER_SIZE = 32 };
size_t sheet_number(double number, char *text);
/* A day number (1900 system: 1 is 1900-01-01) as a date, or as a time when it is below 1. Returns the kind. */
enum sheet_cell_kind sheet_date(double day, bool is_1904, char *text, size_t *ret_length);
/* Whether a number format shows a date or a time: d, m, y, h, s outside of quotes and brackets. */
bool sheet_format_is_date(const char *format);
