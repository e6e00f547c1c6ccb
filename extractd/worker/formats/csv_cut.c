/*
 * Rows out of the reader's buffer. Where no quote and no \r stands in the buffer and rows have one width, the places of
 * the delimiters are the fields already; everything else is cut with care.
 */
#include <errno.h>
#include <stdlib.h>
#include "extractd/worker/formats/csv_inside.h"

/* While a row is cut: this field has quotes to be taken out when the row is complete. Buffers are far smaller. */
#define NEEDS_UNQUOTING (1U << 31)

/* --- plain rows --- */

/* How many fields the row at the front has; 0 when its end is not in the buffer. */
static size_t first_width(const struct csv_reader *reader)
{
	const struct csv_index *index = &reader->index;
	uint32_t end;
	size_t width = reader->width;

	if (reader->newline_next == index->newline_count)
		return 0;
	end = index->newlines[reader->newline_next];
	if (width > 0 && reader->position_next + width <= index->count &&
	    index->positions[reader->position_next + width - 1] == end)
		return width;
	for (width = 1; index->positions[reader->position_next + width - 1] != end;)
		width++;
	return width;
}

/*
 * Rows of equal width, of two fields at least (a row of one may be blank): every width-th delimiter is the next
 * newline. Returns how many there are.
 */
static size_t cut_plain(struct csv_reader *reader, struct csv_batch *batch)
{
	const struct csv_index *index = &reader->index;
	const uint32_t *ends = index->positions + reader->position_next,
		       *newline = index->newlines + reader->newline_next;
	size_t width = first_width(reader), left = index->count - reader->position_next, rows = 0, rows_max;
	size_t newlines = index->newline_count - reader->newline_next;

	if (width < 2 || width > CSV_FIELDS_MAX)
		return 0;
	reader->width = width;
	rows_max = left / width < newlines ? left / width : newlines;
	if (rows_max > CSV_ROWS_MAX)
		rows_max = CSV_ROWS_MAX;
	if (rows_max > CSV_BATCH_FIELDS / width)
		rows_max = CSV_BATCH_FIELDS / width > 0 ? CSV_BATCH_FIELDS / width : 1;
	for (; rows < rows_max && ends[(rows + 1) * width - 1] == newline[rows]; rows++)
		reader->row_starts[rows] = (uint32_t)(rows * width);
	reader->row_starts[rows] = (uint32_t)(rows * width);
	/* What stands before the first field is no delimiter at the buffer's beginning; begins[0] + 1 is 0 then. */
	reader->index_memory[0] = UINT32_MAX;
	batch->cells = (struct csv_cells){.base = reader->buffer, .begins = ends - 1, .ends = ends, .skip = 1};
	batch->rows = rows;
	reader->position_next += rows * width;
	reader->newline_next += rows;
	if (rows > 0)
		reader->consumed = newline[rows - 1] + 1;
	return rows;
}

/* --- rows cut with care --- */

struct cut {
	struct csv_reader *reader;
	size_t next;	      /* in positions */
	uint32_t field_start; /* in the buffer */
	uint32_t quote_close; /* the closing quote of the current field; 0: it is not quoted */
	bool has_doubled_quote;
	bool row_has_quotes, row_needs_unquoting;
	size_t fields, rows, row_first_field;
};

/* -EOVERFLOW: the row has too many fields. */
static int grow_fields(struct csv_reader *reader)
{
	uint32_t *begins, *ends;

	if (reader->fields_size >= CSV_FIELDS_MAX)
		return -EOVERFLOW;
	begins = reallocarray(reader->begins, reader->fields_size * 2, sizeof(*begins));
	if (!begins)
		return -ENOMEM;
	reader->begins = begins;
	ends = reallocarray(reader->ends, reader->fields_size * 2, sizeof(*ends));
	if (!ends)
		return -ENOMEM;
	reader->ends = ends;
	reader->fields_size *= 2;
	return 0;
}

static int make_room(struct cut *cut)
{
	int r = grow_fields(cut->reader);

	if (r == -EOVERFLOW) {
		cut->reader->has_lost_fields = true;
		cut->quote_close = 0;
	}
	return r;
}

static void put_field(struct cut *cut, uint32_t begin, uint32_t end)
{
	cut->reader->begins[cut->fields] = begin;
	cut->reader->ends[cut->fields++] = end;
}

static void end_quoted_field(struct cut *cut, uint32_t end)
{
	if (cut->has_doubled_quote || cut->quote_close + 1 != end) {
		/* Not now: a row that turns out to be incomplete is cut again from the same bytes. */
		put_field(cut, (cut->field_start + 1) | NEEDS_UNQUOTING, end);
		cut->row_needs_unquoting = true;
	} else {
		put_field(cut, cut->field_start + 1, cut->quote_close);
	}
	cut->quote_close = 0;
	cut->has_doubled_quote = false;
	cut->row_has_quotes = true;
	cut->reader->has_quoted_fields = true;
}

static int end_field(struct cut *cut, uint32_t end)
{
	if (cut->fields == cut->reader->fields_size) {
		int r = make_room(cut);

		if (r < 0)
			return r == -EOVERFLOW ? 0 : r;
	}
	if (cut->quote_close != 0)
		end_quoted_field(cut, end);
	else
		put_field(cut, cut->field_start, end);
	return 0;
}

/* Takes the quotes out of a field in place: text begins behind the opening one. Returns the length. */
static uint32_t unquote(char *text, uint32_t length, char quote)
{
	char *out = text;
	const char *in = text, *end = text + length;
	bool is_open = true;

	while (in < end) {
		if (is_open && *in == quote) {
			in++;
			if (in < end && *in == quote) {
				*out++ = *in++;
				continue;
			}
			is_open = false;
			continue;
		}
		*out++ = *in++;
	}
	return (uint32_t)(out - text);
}

static void unquote_row(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;

	for (size_t i = cut->row_first_field; i < cut->fields; i++) {
		uint32_t begin = reader->begins[i] & ~NEEDS_UNQUOTING;

		if (begin == reader->begins[i])
			continue;
		reader->begins[i] = begin;
		reader->ends[i] =
			begin + unquote(reader->buffer + begin, reader->ends[i] - begin, reader->dialect.quote);
	}
	cut->row_needs_unquoting = false;
}

/* A row of one unquoted field that holds nothing but spaces. */
static bool is_blank_row(const struct cut *cut)
{
	const struct csv_reader *reader = cut->reader;

	if (cut->fields - cut->row_first_field != 1 || cut->row_has_quotes)
		return false;
	for (uint32_t at = reader->begins[cut->row_first_field]; at < reader->ends[cut->row_first_field]; at++)
		if (reader->buffer[at] != ' ' && reader->buffer[at] != '\t')
			return false;
	return true;
}

static void end_row(struct cut *cut, uint32_t next_start)
{
	struct csv_reader *reader = cut->reader;

	if (is_blank_row(cut)) {
		cut->fields = cut->row_first_field;
	} else {
		if (cut->row_needs_unquoting)
			unquote_row(cut);
		reader->row_starts[cut->rows++] = (uint32_t)cut->row_first_field;
		cut->row_first_field = cut->fields;
	}
	cut->row_has_quotes = false;
	reader->consumed = next_start;
	reader->position_next = cut->next;
	cut->field_start = next_start;
}

/* A quote stands at the beginning of a field: goes to the closing one. False: that is not in the buffer. */
static bool skip_quoted(struct cut *cut)
{
	const struct csv_index *index = &cut->reader->index;
	const uint32_t *positions = index->positions;
	const char *buffer = cut->reader->buffer;
	char quote = cut->reader->dialect.quote;

	for (size_t i = cut->next; i < index->count; i++) {
		if (buffer[positions[i]] != quote)
			continue;
		if (i + 1 < index->count && positions[i + 1] == positions[i] + 1 && buffer[positions[i + 1]] == quote) {
			cut->has_doubled_quote = true;
			i++;
			continue;
		}
		cut->quote_close = positions[i];
		cut->next = i + 1;
		return true;
	}
	return false;
}

/* A quoted field with no doubled quote inside and a delimiter behind it, at this position. */
static inline bool is_simple_quoted(const struct csv_reader *reader, const char *buffer, size_t at, uint32_t start)
{
	const uint32_t *positions = reader->index.positions + at;

	return positions[0] == start && at + 2 < reader->index.count && buffer[positions[1]] == reader->dialect.quote &&
	       positions[2] == positions[1] + 1 && buffer[positions[2]] == reader->dialect.delimiter;
}

/*
 * What needs little thought: unquoted and simply quoted fields, rows of them that end in \n. Its state is in local
 * variables, since files with quotes spend their time here.
 */
static void cut_simple(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;
	const uint32_t *positions = reader->index.positions;
	const char *buffer = reader->buffer;
	const char delimiter = reader->dialect.delimiter, quote = reader->dialect.quote;
	uint32_t *begins = reader->begins, *ends = reader->ends;
	size_t next = cut->next, count = reader->index.count, field = cut->fields, row = cut->row_first_field;
	uint32_t start = cut->field_start;

	while (next < count && field < reader->fields_size) {
		uint32_t position = positions[next];
		char c = buffer[position];

		if (c == delimiter) {
			begins[field] = start;
			ends[field++] = position;
			start = position + 1;
			next++;
		} else if (c == '\n' && (field > row || buffer[start] > ' ') && cut->rows < CSV_ROWS_MAX &&
			   !cut->row_needs_unquoting) {
			begins[field] = start;
			ends[field++] = position;
			start = position + 1;
			next++;
			reader->row_starts[cut->rows++] = (uint32_t)row;
			row = field;
			cut->row_has_quotes = false;
			reader->consumed = start;
			reader->position_next = next;
			if (field >= CSV_BATCH_FIELDS)
				break;
		} else if (c == quote && is_simple_quoted(reader, buffer, next, start)) {
			begins[field] = start + 1;
			ends[field++] = positions[next + 1];
			start = positions[next + 2] + 1;
			next += 3;
			reader->has_quoted_fields = true;
		} else {
			break;
		}
	}
	cut->next = next;
	cut->field_start = start;
	cut->fields = field;
	cut->row_first_field = row;
}

static bool is_batch_full(const struct cut *cut)
{
	return cut->rows == CSV_ROWS_MAX || (cut->rows > 0 && cut->row_first_field >= CSV_BATCH_FIELDS);
}

/* The position that cut_simple() stopped at, and those up to the end of the quoted field it may begin. */
static int cut_with_care(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;
	const char *buffer = reader->buffer;
	uint32_t position = reader->index.positions[cut->next];
	bool is_pair;
	char c = buffer[position];
	int r;

	if (c == reader->dialect.quote) {
		cut->next++;
		/* The closing quote, and then the end of the field: quotes in between are text. */
		if (position == cut->field_start && !skip_quoted(cut))
			return -EAGAIN;
		return 0;
	}
	if (c == '\r' && position + 1 == reader->filled && !reader->at_end)
		return -EAGAIN; /* whether a \n follows is not known yet */
	cut->next++;
	r = end_field(cut, position);
	cut->field_start = position + 1;
	if (c == reader->dialect.delimiter || r < 0)
		return r;
	is_pair = c == '\r' && buffer[position + 1] == '\n';
	cut->next += is_pair;
	end_row(cut, position + 1 + is_pair);
	return 0;
}

/* Cuts complete rows. Returns 1 when the batch is full, 0 when the buffer is used up. */
static int cut_rows(struct cut *cut)
{
	while (cut->next < cut->reader->index.count) {
		int r;

		if (cut->quote_close == 0)
			cut_simple(cut);
		if (is_batch_full(cut))
			return 1;
		if (cut->next >= cut->reader->index.count)
			break;
		r = cut_with_care(cut);
		if (r < 0)
			return r == -EAGAIN ? 0 : r;
		if (is_batch_full(cut))
			return 1;
	}
	return 0;
}

/* The end of the input closes what is open, as if a newline stood there. */
static int close_last_row(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;
	uint32_t end = (uint32_t)reader->filled;
	int r;

	if (reader->consumed == reader->filled)
		return 0;
	if (cut->field_start < end && cut->quote_close == 0 &&
	    reader->buffer[cut->field_start] == reader->dialect.quote) {
		reader->has_open_quote = true;
		cut->has_doubled_quote = true;
		cut->quote_close = end;
	}
	r = end_field(cut, end);
	cut->next = reader->index.count;
	end_row(cut, end);
	return r;
}

int csv_cut_batch(struct csv_reader *reader, struct csv_batch *ret_batch)
{
	struct cut cut = {.reader = reader, .next = reader->position_next, .field_start = (uint32_t)reader->consumed};
	int r;

	*ret_batch = (struct csv_batch){.row_starts = reader->row_starts};
	if (!reader->index.has_care && cut_plain(reader, ret_batch) > 0)
		return 0;
	r = cut_rows(&cut);
	if (r == 0 && reader->at_end)
		r = close_last_row(&cut);
	if (r < 0)
		return r;
	while (reader->newline_next < reader->index.newline_count &&
	       reader->index.newlines[reader->newline_next] < reader->consumed)
		reader->newline_next++;
	reader->row_starts[cut.rows] = (uint32_t)cut.row_first_field;
	ret_batch->cells = (struct csv_cells){.base = reader->buffer, .begins = reader->begins, .ends = reader->ends};
	ret_batch->rows = cut.rows;
	return 0;
}
