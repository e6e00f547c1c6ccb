#include "extractd/worker/formats/csv_reader.h"

#include <string.h>

enum { ROWS_LOOKED_AT = 200, WIDTHS_MAX = 64 };

struct sample {
	const char *bytes;
	size_t left;
};

static ssize_t read_sample(void *context, char *buffer, size_t size)
{
	struct sample *sample = context;
	size_t n = size < sample->left ? size : sample->left;

	memcpy(buffer, sample->bytes, n);
	sample->bytes += n;
	sample->left -= n;
	return (ssize_t)n;
}

/* How the widths of rows are spread: the most frequent one, and its share of the rows. */
struct widths {
	size_t width[WIDTHS_MAX], rows[WIDTHS_MAX];
	size_t count, total;
};

static void count_width(struct widths *widths, size_t width)
{
	size_t i = 0;

	widths->total++;
	while (i < widths->count && widths->width[i] != width)
		i++;
	if (i == WIDTHS_MAX)
		return;
	if (i == widths->count) {
		widths->width[i] = width;
		widths->rows[i] = 0;
		widths->count++;
	}
	widths->rows[i]++;
}

static double most_frequent(const struct widths *widths, size_t *ret_width)
{
	size_t best = 0;

	*ret_width = 0;
	if (widths->count == 0)
		return 0;
	for (size_t i = 1; i < widths->count; i++)
		if (widths->rows[i] > widths->rows[best])
			best = i;
	*ret_width = widths->width[best];
	return (double)widths->rows[best] / (double)widths->total;
}

/* Reads the sample with one dialect. is_whole: its last row is complete too. */
static void measure(const char *bytes, size_t length, bool is_whole, struct csv_dialect dialect, struct widths *widths)
{
	struct sample sample = {bytes, length};
	struct csv_reader reader;
	struct csv_batch batch;

	*widths = (struct widths){0};
	if (csv_reader_init(&reader, dialect, length + 1, read_sample, &sample) < 0)
		return;
	while (widths->total < ROWS_LOOKED_AT && csv_reader_next(&reader, &batch) > 0) {
		size_t rows = batch.rows;

		/* The row at the end of a sample was cut. */
		if (!is_whole && reader.consumed == reader.filled && reader.at_end && rows > 1)
			rows--;
		for (size_t i = 0; i < rows && widths->total < ROWS_LOOKED_AT; i++)
			count_width(widths, batch.row_starts[i + 1] - batch.row_starts[i]);
	}
	csv_reader_release(&reader);
}

double csv_dialect_guess(const char *sample, size_t length, bool is_whole, struct csv_dialect *ret_dialect)
{
	static const char delimiters[] = ",;\t|^~";
	double best = 0;
	size_t best_width = 1;

	*ret_dialect = (struct csv_dialect){',', '"'};
	for (const char *delimiter = delimiters; *delimiter; delimiter++) {
		struct csv_dialect dialect = {*delimiter, '"'};
		struct widths widths;
		double share;
		size_t width;

		if (!memchr(sample, *delimiter, length))
			continue;
		measure(sample, length, is_whole, dialect, &widths);
		share = most_frequent(&widths, &width);
		if (width < 2 || share < 0.5 || share < best || (share <= best && width <= best_width))
			continue;
		best = share;
		best_width = width;
		*ret_dialect = dialect;
	}
	return best;
}
