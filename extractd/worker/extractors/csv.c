/* Delimited text as a dataset: one streaming pass gives the text, the letters and the profile of every column. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/charset.h"
#include "extractd/worker/formats/csv_reader.h"
#include "extractd/worker/formats/dataset.h"
#include "shared/base/cleanup.h"
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum { SAMPLE_BYTES = 64 << 10, SUMMARY_MAX_BYTES = FRAME_PAYLOAD_MAX };

struct csv_job {
	struct sink *sink;
	struct charset charset;
	struct charset_stream stream;
	struct csv_dialect dialect;
	double dialect_confidence;
	bool text_is_full;
	int stopped; /* why reading was ended early */
	struct dataset dataset;
	bool has_header, header_is_data;
};

/* What the reader takes in also goes to the sink. */
static ssize_t read_and_pass_on(void *context, char *buffer, size_t size)
{
	struct csv_job *job = context;
	ssize_t n = charset_stream_read(&job->stream, buffer, size);

	if (n > 0 && !job->text_is_full) {
		int r = sink_text(job->sink, buffer, (size_t)n);

		job->text_is_full = r != 0;
		if (r < 0)
			job->stopped = r;
	}
	if (job->stopped == 0 && sink_should_stop(job->sink))
		job->stopped = -ETIME;
	return job->stopped < 0 ? job->stopped : n;
}

/* The beginning of the file as text, for guessing. */
static int guess_dialect(struct extract_input *in, struct csv_job *job)
{
	autofree struct charset_stream *stream = malloc(sizeof(*stream));
	autofree char *sample = malloc(SAMPLE_BYTES);
	size_t length = 0;
	ssize_t n = 1;

	if (!stream || !sample)
		return -ENOMEM;
	charset_stream_init(stream, in, &job->charset);
	while (n > 0 && length + 8 <= SAMPLE_BYTES) {
		n = charset_stream_read(stream, sample + length, SAMPLE_BYTES - length);
		length += n > 0 ? (size_t)n : 0;
	}
	charset_stream_release(stream);
	if (n < 0)
		return (int)n;
	if (strcmp(in->media_type, "text/tab-separated-values") == 0) {
		job->dialect = (struct csv_dialect){'\t', '"'};
		job->dialect_confidence = 1;
	} else {
		job->dialect_confidence = csv_dialect_guess(sample, length, n == 0, &job->dialect);
	}
	return 0;
}

/* Column names are rarely numbers, dates or nothing at all. */
static bool looks_like_data(const struct csv_batch *batch)
{
	size_t count = batch->row_starts[1];

	for (size_t i = 0; i < count; i++) {
		struct csv_field field = csv_cell(&batch->cells, i);
		struct value value;

		value_classify(field.text, field.length, &value);
		if (value.kind == VALUE_TEXT || value.kind == VALUE_NULL)
			return false;
	}
	return count > 0;
}

static int take_batch(struct csv_job *job, const struct csv_batch *batch)
{
	size_t first = 0;

	if (!job->has_header) {
		int r = dataset_set_header_row(&job->dataset, batch);

		if (r < 0)
			return r;
		job->has_header = true;
		job->header_is_data = looks_like_data(batch);
		first = 1;
	}
	return dataset_observe(&job->dataset, batch, first);
}

static int read_rows(struct csv_job *job, struct csv_reader *reader)
{
	struct csv_batch batch;
	int r;

	while ((r = csv_reader_next(reader, &batch)) > 0) {
		r = take_batch(job, &batch);
		if (r < 0)
			return r;
	}
	if (r == -E2BIG) {
		sink_warning(job->sink, "a row is longer than %d MiB, what follows was not read as rows",
			     CSV_ROW_BYTES_MAX >> 20);
		return 0;
	}
	return r;
}

static void warn(struct csv_job *job, const struct csv_reader *reader)
{
	struct sink *sink = job->sink;

	if (job->charset.confidence < 1000)
		sink_confidence(sink, job->charset.confidence, "the character set was guessed");
	if (job->stream.has_errors)
		sink_warning(sink, "some bytes are no characters of %s", job->charset.name);
	if (job->dataset.count == 0)
		sink_warning(sink, "there are no columns");
	if (reader->has_open_quote)
		sink_warning(sink, "the file ends inside a quoted field");
	if (reader->has_lost_fields)
		sink_warning(sink, "a row has more than %d fields, the rest of it is left out", CSV_FIELDS_MAX);
	if (job->dataset.ragged_rows > 0) {
		sink_warning(sink, "%" PRIu64 " rows have more or fewer fields than there are columns",
			     job->dataset.ragged_rows);
		sink_confidence(sink, 900, "rows of different length");
	}
	if (job->header_is_data)
		sink_confidence(sink, 800, "the first row, taken for the header, looks like data");
}

static void put_text_member(struct buf *json, const char *key, const char *text, size_t length)
{
	json_put_key(json, key);
	json_put_string(json, text, length);
}

static void tell(struct csv_job *job, const struct csv_reader *reader)
{
	autobuf struct buf json = BUF_INIT(FRAME_PAYLOAD_MAX - 64), summary = BUF_INIT(SUMMARY_MAX_BYTES);

	buf_putc(&json, '{');
	put_text_member(&json, "delimiter", &job->dialect.delimiter, 1);
	put_text_member(&json, "quote", &job->dialect.quote, 1);
	buf_printf(&json, ",\"quoting\":\"%s\",\"header\":%s", reader->has_quoted_fields ? "minimal" : "none",
		   job->has_header ? "true" : "false");
	put_text_member(&json, "encoding", job->charset.name, strlen(job->charset.name));
	dataset_tell(&job->dataset, &json, &summary);
	buf_putc(&json, '}');
	if (buf_error(&json) == 0)
		sink_data_member(job->sink, "dataset", json.data, json.length);
	else
		sink_warning(job->sink, "the profile of the columns is too long and is left out");
	if (job->dataset.count > 0)
		sink_summary(job->sink, summary.data, summary.length);
	sink_metadata_text(job->sink, "Content-Encoding", job->charset.name);
}

static int extract_job(struct extract_input *in, struct csv_job *job)
{
	struct csv_reader reader;
	int r = charset_detect(in, &job->charset);

	if (r == 0)
		r = guess_dialect(in, job);
	if (r == 0)
		r = csv_reader_init(&reader, job->dialect, CSV_CHUNK_BYTES, read_and_pass_on, job);
	if (r < 0)
		return r;
	charset_stream_init(&job->stream, in, &job->charset);
	dataset_init(&job->dataset);
	r = read_rows(job, &reader);
	if (r == 0 || r == -ETIME) {
		warn(job, &reader);
		tell(job, &reader);
		sink_letters(job->sink, job->stream.letters);
	}
	dataset_release(&job->dataset);
	charset_stream_release(&job->stream);
	csv_reader_release(&reader);
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	autofree struct csv_job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->sink = sink;
	return extract_job(in, job);
}

static const char *const media_types[] = {"text/csv", "text/tab-separated-values", "application/csv", NULL};

const struct extractor extractor_csv = {.name = "csv", .version = 1, .media_types = media_types, .extract = extract};
