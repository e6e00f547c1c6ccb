#include "extractd/worker/formats/csv_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/csv_inside.h"

/* Two arrays of size + CSV_SLACK places, and one place before the first. */
static int make_index(struct csv_reader *reader, size_t size)
{
	size_t places = size + CSV_SLACK;
	uint32_t *memory = reallocarray(reader->index_memory, 2 * places + 1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	reader->index_memory = memory;
	reader->index.positions = memory + 1;
	reader->index.newlines = memory + 1 + places;
	reader->index_size = size;
	return 0;
}

int csv_reader_init(struct csv_reader *reader, struct csv_dialect dialect, size_t chunk_bytes, csv_source source,
		    void *context)
{
	int r;

	*reader = (struct csv_reader){
		.source = source,
		.context = context,
		.dialect = dialect,
		.buffer_size = chunk_bytes > 0 ? chunk_bytes : 1,
		.fields_size = 2UL * CSV_BATCH_FIELDS,
	};
	r = make_index(reader, reader->buffer_size);
	reader->buffer = malloc(reader->buffer_size + CSV_SLACK + 1);
	reader->begins = malloc(reader->fields_size * sizeof(*reader->begins));
	reader->ends = malloc(reader->fields_size * sizeof(*reader->ends));
	reader->row_starts = malloc((CSV_ROWS_MAX + 1) * sizeof(*reader->row_starts));
	if (r < 0 || !reader->buffer || !reader->begins || !reader->ends || !reader->row_starts) {
		csv_reader_release(reader);
		return -ENOMEM;
	}
	return 0;
}

void csv_reader_release(struct csv_reader *reader)
{
	free(reader->buffer);
	free(reader->index_memory);
	free(reader->begins);
	free(reader->ends);
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
	if (!buffer)
		return -ENOMEM;
	reader->buffer = buffer;
	reader->buffer_size = size;
	return 0;
}

static int index_buffer(struct csv_reader *reader)
{
	if (reader->filled > reader->index_size && make_index(reader, reader->buffer_size) < 0)
		return -ENOMEM;
	csv_index_build(reader->buffer, reader->filled, reader->dialect, &reader->index);
	reader->position_next = reader->newline_next = 0;
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

int csv_reader_next(struct csv_reader *reader, struct csv_batch *ret_batch)
{
	struct csv_batch batch;
	int r;

	for (;;) {
		r = csv_cut_batch(reader, &batch);
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
