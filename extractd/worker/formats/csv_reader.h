/*
 * A streaming reader for delimited text: batches of rows out of one buffer, nothing kept between batches but the row
 * that is not complete yet. Quoting is that of RFC 4180 as pandas' C parser reads it: a quote opens a quoted field only
 * at the field's beginning, a doubled quote inside stands for one, what follows the closing quote belongs to the field.
 * Rows end in \n, \r\n or \r. Blank rows are skipped.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	CSV_SLACK = 64,		  /* bytes that may be read (not used) behind any field's text */
	CSV_FIELDS_MAX = 1 << 20, /* a row with more loses the rest */
	CSV_BATCH_FIELDS = 1024,
	CSV_CHUNK_BYTES = 256 << 10,
	CSV_ROW_BYTES_MAX = 16 << 20,
};

struct csv_dialect {
	char delimiter;
	char quote;
};

struct csv_field {
	const char *text; /* in the reader's buffer, unescaped; CSV_SLACK bytes behind it are readable */
	uint32_t length;
};

/*
 * Fields by where they lie in a buffer. Field i begins at base + begins[i] + skip and ends before base + ends[i]: so
 * the places of the delimiters are, shifted by one, the fields between them, and nothing has to be written for a field.
 */
struct csv_cells {
	const char *base;
	const uint32_t *begins, *ends;
	uint32_t skip;
};

static inline struct csv_field csv_cell(const struct csv_cells *cells, size_t i)
{
	uint32_t begin = cells->begins[i] + cells->skip;

	return (struct csv_field){cells->base + begin, cells->ends[i] - begin};
}

struct csv_batch {
	struct csv_cells cells;
	const uint32_t *row_starts; /* row i has the cells row_starts[i] to row_starts[i + 1] - 1 */
	size_t rows;
};

/* Where the bytes that matter stand in a text. */
struct csv_index {
	uint32_t *positions; /* of delimiters, quotes, line ends; the entry before the first is the caller's */
	uint32_t *newlines;  /* of \n alone */
	size_t count, newline_count;
	bool has_care; /* there are quotes or \r, so positions alone do not make fields */
};

/* Fills up to size bytes. Returns the bytes read, 0 at the end, negative errno. */
typedef ssize_t (*csv_source)(void *context, char *buffer, size_t size);

struct csv_reader {
	csv_source source;
	void *context;
	struct csv_dialect dialect;
	char *buffer;
	size_t buffer_size, filled, consumed;
	struct csv_index index; /* of the whole buffer */
	uint32_t *index_memory;
	size_t index_size, position_next, newline_next;
	uint32_t *begins, *ends; /* fields that were cut with care */
	size_t fields_size;
	size_t width; /* of the last plain row */
	uint32_t *row_starts;
	bool at_end;
	bool has_open_quote;	/* the input ended inside a quoted field */
	bool has_lost_fields;	/* a row had more than CSV_FIELDS_MAX */
	bool has_quoted_fields; /* at least one field was quoted */
};

/* chunk_bytes: how much is read at once, and twice as much when a row needs it. CSV_CHUNK_BYTES suits large files.
 * -ENOMEM. */
int csv_reader_init(struct csv_reader *reader, struct csv_dialect dialect, size_t chunk_bytes, csv_source source,
		    void *context);
void csv_reader_release(struct csv_reader *reader);
/*
 * The next rows; they live until the next call. Returns 1 with at least one row, 0 at the end, -E2BIG when a row is
 * longer than CSV_ROW_BYTES_MAX, -ENOMEM, or what the source returned.
 */
int csv_reader_next(struct csv_reader *reader, struct csv_batch *ret_batch);

/*
 * Finds the delimiter, quote and line end bytes of length bytes; both arrays have room for length + CSV_SLACK entries.
 * CSV_SLACK bytes behind text + length must be readable.
 */
void csv_index_build(const char *text, size_t length, struct csv_dialect dialect, struct csv_index *index);

/*
 * Guesses the dialect from the beginning of a file. Returns the confidence, 0 to 1: 0 when no delimiter makes columns,
 * and then the dialect is one column. is_whole: the sample is the whole file.
 */
double csv_dialect_guess(const char *sample, size_t length, bool is_whole, struct csv_dialect *ret_dialect);
