#include "extractd/worker/formats/csv_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1024 }; /* of a batch */

int csv_reader_init(struct csv_reader *reader, struct csv_dialect dialect, size_t chunk_bytes, csv_source source,
		    void *context)
{
	*reader = (struct csv_reader){
		.source = source,
		.context = context,
		.dialect = dialect,
		.buffer_size = chunk_bytes > 0 ? chunk_bytes : 1,
		.positions_size = chunk_bytes > 0 ? chunk_bytes : 1,
		.fields_size = CSV_BATCH_FIELDS,
	};
	reader->buffer = malloc(reader->buffer_size + CSV_SLACK + 1);
	reader->positions = malloc((reader->positions_size + CSV_SLACK) * sizeof(*reader->positions));
	reader->fields = malloc(reader->fields_size * sizeof(*reader->fields));
	reader->row_starts = malloc((ROWS_MAX + 1) * sizeof(*reader->row_starts));
	if (reader->buffer == NULL || reader->positions == NULL || reader->fields == NULL ||
	    reader->row_starts == NULL) {
		csv_reader_release(reader);
		return -ENOMEM;
	}
	return 0;
}

void csv_reader_release(struct csv_reader *reader)
{
	free(reader->buffer);
	free(reader->positions);
	free(reader->fields);
	free(reader->row_starts);
	*reader = (struct csv_reader){0};
}

/* Room for what a row needs that fills the whole buffer. */
static int grow_buffer(struct csv_reader *reader)
{
	size_t size = reader->buffer_size * 2;
	char *buffer;

	if (size > CSV_ROW_BYTES_MAX)
		return -E2BIG;
	buffer = realloc(reader->buffer, size + CSV_SLACK + 1);
	if (buffer == NULL)
		return -ENOMEM;
	reader->buffer = buffer;
	reader->buffer_size = size;
	return 0;
}

static int grow_positions(struct csv_reader *reader, size_t size)
{
	uint32_t *positions;

	if (size <= reader->positions_size)
		return 0;
	positions = realloc(reader->positions, (size + CSV_SLACK) * sizeof(*positions));
	if (positions == NULL)
		return -ENOMEM;
	reader->positions = positions;
	reader->positions_size = size;
	return 0;
}

static int index_buffer(struct csv_reader *reader)
{
	int r = grow_positions(reader, reader->filled);

	if (r < 0)
		return r;
	reader->position_count = csv_index(reader->buffer, reader->filled, reader->dialect, reader->positions);
	reader->position_next = 0;
	return 0;
}

/* Moves the incomplete row to the front and reads behind it. */
static int refill(struct csv_reader *reader)
{
	size_t left = reader->filled - reader->consumed;
	int r = 0;

	memmove(reader->buffer, reader->buffer + reader->consumed, left);
	reader->filled = left;
	reader->consumed = 0;
	if (left == reader->buffer_size)
		r = grow_buffer(reader);
	while (r == 0 && reader->filled < reader->buffer_size) {
		ssize_t n = reader->source(reader->context, reader->buffer + reader->filled,
					   reader->buffer_size - reader->filled);

		if (n < 0)
			return (int)n;
		if (n == 0) {
			reader->at_end = true;
			break;
		}
		reader->filled += (size_t)n;
	}
	memset(reader->buffer + reader->filled, 0, CSV_SLACK);
	return r < 0 ? r : index_buffer(reader);
}

static int grow_fields(struct csv_reader *reader)
{
	struct csv_field *fields;

	if (reader->fields_size >= CSV_FIELDS_MAX)
		return -EOVERFLOW;
	fields = realloc(reader->fields, reader->fields_size * 2 * sizeof(*fields));
	if (fields == NULL)
		return -ENOMEM;
	reader->fields = fields;
	reader->fields_size *= 2;
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

/* Where a batch is being cut out of the buffer. */
struct cut {
	struct csv_reader *reader;
	size_t next;	      /* in positions */
	uint32_t field_start; /* in the buffer */
	uint32_t quote_close; /* the closing quote of the current field; 0: it is not quoted */
	bool has_doubled_quote;
	size_t fields, rows;
	size_t row_first_field;
	bool row_needs_unquoting;
};

/* A quote stands at the beginning of a field: goes to the closing one. False: that is not in the buffer. */
static bool skip_quoted(struct cut *cut)
{
	const struct csv_reader *reader = cut->reader;
	const uint32_t *positions = reader->positions;
	const char *buffer = reader->buffer;
	char quote = reader->dialect.quote;

	for (size_t i = cut->next; i < reader->position_count; i++) {
		if (buffer[positions[i]] != quote)
			continue;
		if (i + 1 < reader->position_count && positions[i + 1] == positions[i] + 1 &&
		    buffer[positions[i + 1]] == quote) {
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

static void end_quoted_field(struct cut *cut, uint32_t end, struct csv_field *field)
{
	field->text = cut->reader->buffer + cut->field_start + 1;
	field->length = cut->quote_close - cut->field_start - 1;
	field->is_quoted = true;
	field->needs_unquoting = cut->has_doubled_quote || cut->quote_close + 1 != end;
	if (field->needs_unquoting) {
		/* Not now: a row that turns out to be incomplete is cut again from the same bytes. */
		field->length = end - cut->field_start - 1;
		cut->row_needs_unquoting = true;
	}
	cut->quote_close = 0;
	cut->has_doubled_quote = false;
	cut->reader->has_quoted_fields = true;
}

/* -EOVERFLOW: the row has too many, this one is lost. */
static int make_room_for_field(struct cut *cut)
{
	int r;

	if (cut->fields < cut->reader->fields_size)
		return 0;
	r = grow_fields(cut->reader);
	if (r == -EOVERFLOW) {
		cut->reader->has_lost_fields = true;
		cut->quote_close = 0;
	}
	return r;
}

static inline int end_field(struct cut *cut, uint32_t end)
{
	struct csv_reader *reader = cut->reader;
	struct csv_field *field;

	if (__builtin_expect(cut->fields == reader->fields_size, 0)) {
		int r = make_room_for_field(cut);

		if (r < 0)
			return r == -EOVERFLOW ? 0 : r;
	}
	field = &reader->fields[cut->fields++];
	if (cut->quote_close != 0) {
		end_quoted_field(cut, end, field);
		return 0;
	}
	*field = (struct csv_field){reader->buffer + cut->field_start, end - cut->field_start, false, false};
	return 0;
}

/* A row of one unquoted field that holds nothing but spaces. */
static bool is_blank_row(const struct cut *cut)
{
	const struct csv_field *field = &cut->reader->fields[cut->row_first_field];

	if (cut->fields - cut->row_first_field != 1 || field->is_quoted)
		return false;
	for (uint32_t i = 0; i < field->length; i++)
		if (field->text[i] != ' ' && field->text[i] != '\t')
			return false;
	return true;
}

static void unquote_row(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;

	for (size_t i = cut->row_first_field; i < cut->fields; i++) {
		struct csv_field *field = &reader->fields[i];

		if (!field->needs_unquoting)
			continue;
		field->length =
			unquote(reader->buffer + (field->text - reader->buffer), field->length, reader->dialect.quote);
		field->needs_unquoting = false;
	}
	cut->row_needs_unquoting = false;
}

static inline void end_row(struct cut *cut, uint32_t next_start)
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
	reader->consumed = next_start;
	reader->position_next = cut->next;
	cut->field_start = next_start;
}

/* A quoted field with no doubled quote inside and a delimiter behind it, at this position. */
static inline bool is_simple_quoted(const struct csv_reader *reader, const char *buffer, size_t at, uint32_t start)
{
	const uint32_t *positions = reader->positions + at;

	return positions[0] == start && at + 2 < reader->position_count &&
	       buffer[positions[1]] == reader->dialect.quote && positions[2] == positions[1] + 1 &&
	       buffer[positions[2]] == reader->dialect.delimiter;
}

/*
 * Cuts what needs no thought: unquoted and simply quoted fields, rows of two or more of them that end in \n. This loop
 * is what nearly all files spend their time in, so its state is in local variables.
 */
static void cut_plain(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;
	const char *buffer = reader->buffer;
	const char delimiter = reader->dialect.delimiter, quote = reader->dialect.quote;
	struct csv_field *field = reader->fields + cut->fields, *row = reader->fields + cut->row_first_field;
	struct csv_field *fields_end = reader->fields + reader->fields_size,
			 *soft_end = reader->fields + CSV_BATCH_FIELDS;
	uint32_t start = cut->field_start;
	size_t next = cut->next;

	while (next < reader->position_count && field < fields_end) {
		uint32_t position = reader->positions[next];
		char c = buffer[position];

		if (c == delimiter) {
			*field++ = (struct csv_field){buffer + start, position - start, false, false};
			start = position + 1;
			next++;
		} else if (c == '\n' && (field > row || buffer[start] > ' ') && cut->rows < ROWS_MAX &&
			   !cut->row_needs_unquoting) {
			*field++ = (struct csv_field){buffer + start, position - start, false, false};
			start = position + 1;
			next++;
			reader->row_starts[cut->rows++] = (uint32_t)(row - reader->fields);
			row = field;
			reader->consumed = start;
			reader->position_next = next;
			if (field >= soft_end)
				break;
		} else if (c == quote && is_simple_quoted(reader, buffer, next, start)) {
			*field++ = (struct csv_field){buffer + start + 1, reader->positions[next + 1] - start - 1, true,
						      false};
			start = reader->positions[next + 2] + 1;
			next += 3;
			reader->has_quoted_fields = true;
		} else {
			break;
		}
	}
	cut->next = next;
	cut->field_start = start;
	cut->fields = (size_t)(field - reader->fields);
	cut->row_first_field = (size_t)(row - reader->fields);
}

static bool is_batch_full(const struct cut *cut)
{
	return cut->rows == ROWS_MAX || (cut->rows > 0 && cut->row_first_field >= CSV_BATCH_FIELDS);
}

/* The position that cut_plain() stopped at, and those up to the end of the quoted field it may begin. */
static int cut_with_care(struct cut *cut)
{
	struct csv_reader *reader = cut->reader;
	const char *buffer = reader->buffer;
	uint32_t position = reader->positions[cut->next];
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
	while (cut->next < cut->reader->position_count) {
		int r;

		if (cut->quote_close == 0)
			cut_plain(cut);
		if (is_batch_full(cut))
			return 1;
		if (cut->next >= cut->reader->position_count)
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
	cut->next = reader->position_count;
	end_row(cut, end);
	return r;
}

/* One batch from what is in the buffer; 0 rows: more has to be read. */
static int next_from_buffer(struct csv_reader *reader, struct csv_batch *ret_batch)
{
	struct cut cut = {.reader = reader, .next = reader->position_next, .field_start = (uint32_t)reader->consumed};
	int r = cut_rows(&cut);

	if (r == 0 && reader->at_end)
		r = close_last_row(&cut);
	if (r < 0)
		return r;
	reader->row_starts[cut.rows] = (uint32_t)cut.row_first_field;
	*ret_batch = (struct csv_batch){reader->fields, reader->row_starts, cut.rows};
	return 0;
}

int csv_reader_next(struct csv_reader *reader, struct csv_batch *ret_batch)
{
	struct csv_batch batch;
	int r;

	for (;;) {
		r = next_from_buffer(reader, &batch);
		if (r < 0)
			return r;
		if (batch.rows > 0)
			break;
		if (reader->at_end)
			return 0;
		r = refill(reader);
		if (r < 0)
			return r;
	}
	*ret_batch = batch;
	return 1;
}
