/*
 * libFuzzer: the CSV reader, the guess of its dialect and the profile of the columns.
 *
 * The first byte chooses the size of the pieces in which the rest arrives. Beyond not crashing: the rows do not depend
 * on that size, and what is told is JSON.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/dataset.h"
#include "shared/base/json_check.h"
#include "shared/base/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct source {
	const char *text;
	size_t left, piece;
};

static ssize_t read_piece(void *context, char *buffer, size_t size)
{
	struct source *source = context;
	size_t n = source->left < source->piece ? source->left : source->piece;

	n = n < size ? n : size;
	memcpy(buffer, source->text, n);
	source->text += n;
	source->left -= n;
	return (ssize_t)n;
}

/* A number that two readings of the same rows share. */
static uint64_t digest_batch(uint64_t digest, const struct csv_batch *batch)
{
	for (size_t row = 0; row < batch->rows; row++) {
		for (uint32_t i = batch->row_starts[row]; i < batch->row_starts[row + 1]; i++)
			digest = table_hash_bytes(csv_cell(&batch->cells, i).text, csv_cell(&batch->cells, i).length,
						  digest + 1);
		digest = digest * 31 + batch->row_starts[row + 1] - batch->row_starts[row];
	}
	return digest;
}

static uint64_t read_all(const char *text, size_t length, size_t piece, struct csv_dialect dialect,
			 struct dataset *dataset)
{
	struct source source = {text, length, piece};
	struct csv_reader reader;
	struct csv_batch batch;
	bool has_header = false;
	uint64_t digest = 7;

	if (csv_reader_init(&reader, dialect, 2 * piece, read_piece, &source) < 0)
		return 0;
	while (csv_reader_next(&reader, &batch) > 0) {
		digest = digest_batch(digest, &batch);
		if (!dataset)
			continue;
		if (!has_header)
			dataset_set_header_row(dataset, &batch);
		dataset_observe(dataset, &batch, !has_header);
		has_header = true;
	}
	csv_reader_release(&reader);
	return digest;
}

static void tell(struct dataset *dataset)
{
	autobuf struct buf json = BUF_INIT(4 << 20), summary = BUF_INIT(4 << 20);
	enum json_kind kind;

	buf_putc(&json, '{');
	if (dataset_tell(dataset, &json, &summary) < 0)
		return;
	buf_putc(&json, '}');
	if (json_check(json.data, json.length, 20, &kind) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dataset dataset;
	struct csv_dialect dialect;
	size_t piece;

	if (length < 1)
		return 0;
	piece = bytes[0] % 64U + 1;
	csv_dialect_guess((const char *)bytes + 1, length - 1, bytes[0] & 64, &dialect);
	dataset_init(&dataset);
	if (read_all((const char *)bytes + 1, length - 1, piece, dialect, &dataset) !=
	    read_all((const char *)bytes + 1, length - 1, 1 << 16, dialect, NULL))
		abort();
	tell(&dataset);
	dataset_release(&dataset);
	return 0;
}
