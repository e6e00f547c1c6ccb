/* The CSV reader: rows and fields out of text that comes in pieces of any size. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/csv_reader.h"
#include "shared/base/buf.h"

static const struct csv_dialect commas = {',', '"'};

struct source {
	const char *text;
	size_t left, piece;
};

static ssize_t read_piece(void *context, char *buffer, size_t size)
{
	struct source *source = context;
	size_t n = source->left < source->piece ? source->left : source->piece;

	if (n > size)
		n = size;
	memcpy(buffer, source->text, n);
	source->text += n;
	source->left -= n;
	return (ssize_t)n;
}

/* Every field in brackets, every row on a line. */
static void read_all(const char *text, size_t length, size_t piece, struct csv_reader *reader, struct buf *out)
{
	struct source source = {text, length, piece};
	struct csv_batch batch;
	int r;

	assert_int_equal(csv_reader_init(reader, commas, 4 * piece, read_piece, &source), 0);
	while ((r = csv_reader_next(reader, &batch)) > 0) {
		for (size_t row = 0; row < batch.rows; row++) {
			for (uint32_t i = batch.row_starts[row]; i < batch.row_starts[row + 1]; i++) {
				buf_putc(out, '[');
				buf_append(out, csv_cell(&batch.cells, i).text, csv_cell(&batch.cells, i).length);
				buf_putc(out, ']');
			}
			buf_putc(out, '\n');
		}
	}
	assert_int_equal(r, 0);
}

static void expect_rows(const char *text, const char *wanted)
{
	static const size_t pieces[] = {1, 2, 3, 7, 1 << 20};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		autobuf struct buf out = BUF_INIT(1 << 20);
		struct csv_reader reader;

		read_all(text, strlen(text), pieces[i], &reader, &out);
		csv_reader_release(&reader);
		assert_string_equal(out.length > 0 ? out.data : "", wanted);
	}
}

static void rows_end_in_any_kind_of_line_end(void **state)
{
	(void)state;
	expect_rows("a,b\n1,2\n", "[a][b]\n[1][2]\n");
	expect_rows("a,b\r\n1,2\r\n", "[a][b]\n[1][2]\n");
	expect_rows("a,b\r1,2\r", "[a][b]\n[1][2]\n");
	expect_rows("a,b\n1,2", "[a][b]\n[1][2]\n");
}

static void quotes_hold_delimiters_line_ends_and_doubled_quotes(void **state)
{
	(void)state;
	expect_rows("\"a,1\",\"b\n2\",\"c\"\"3\"\"\"\nx,y,z\n", "[a,1][b\n2][c\"3\"]\n[x][y][z]\n");
	expect_rows("\"\",\"\"\n", "[][]\n");
	expect_rows("\"a\"\n\"b\"", "[a]\n[b]\n");
}

static void a_quote_inside_a_field_is_text(void **state)
{
	(void)state;
	expect_rows("5\" disk,37\xC2\xB0 36'37.8\"N\nx,y\n", "[5\" disk][37\xC2\xB0 36'37.8\"N]\n[x][y]\n");
}

static void what_follows_a_closing_quote_belongs_to_the_field(void **state)
{
	(void)state;
	expect_rows("\"a\"b,\"c\" d\n", "[ab][c d]\n");
	expect_rows("\"a\"b\"c\",d\n", "[ab\"c\"][d]\n");
}

static void blank_rows_are_passed_over(void **state)
{
	(void)state;
	expect_rows("a,b\n\n  \n1,2\n\r\n", "[a][b]\n[1][2]\n");
	expect_rows("\n\n", "");
	expect_rows("", "");
	/* A quoted empty field is a row, as are two empty ones. */
	expect_rows("a\n\"\"\n,\n", "[a]\n[]\n[][]\n");
}

static void rows_of_changing_width_are_read_without_quotes_too(void **state)
{
	(void)state;
	expect_rows("a,b,c\n1,2,3\n4,5\n6,7,8,9\n\nx\ny,\n,z",
		    "[a][b][c]\n[1][2][3]\n[4][5]\n[6][7][8][9]\n[x]\n[y][]\n[][z]\n");
}

static void an_open_quote_is_closed_by_the_end_and_said(void **state)
{
	const char text[] = "a,b\n1,\"open\nmore";
	autobuf struct buf out = BUF_INIT(1024);
	struct csv_reader reader;

	(void)state;
	read_all(text, strlen(text), 5, &reader, &out);
	assert_true(reader.has_open_quote);
	csv_reader_release(&reader);
	assert_string_equal(out.data, "[a][b]\n[1][open\nmore]\n");
}

static void a_row_of_a_hundred_thousand_columns_is_read(void **state)
{
	size_t count = 100000, length = count * 2;
	char *text = malloc(length + 1);
	struct source source = {text, length, 4096};
	struct csv_reader reader;
	struct csv_batch batch;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = 'x';
		text[2 * i + 1] = i + 1 < count ? ',' : '\n';
	}
	assert_int_equal(csv_reader_init(&reader, commas, CSV_CHUNK_BYTES, read_piece, &source), 0);
	assert_int_equal(csv_reader_next(&reader, &batch), 1);
	assert_int_equal(batch.rows, 1);
	assert_int_equal(batch.row_starts[1], count);
	csv_reader_release(&reader);
	free(text);
}

static void a_row_without_end_is_refused_at_its_limit(void **state)
{
	size_t length = CSV_ROW_BYTES_MAX + 4096UL;
	char *text = malloc(length);
	struct source source = {text, length, 1 << 20};
	struct csv_reader reader;
	struct csv_batch batch;

	(void)state;
	memset(text, 'x', length);
	assert_int_equal(csv_reader_init(&reader, commas, CSV_CHUNK_BYTES, read_piece, &source), 0);
	assert_int_equal(csv_reader_next(&reader, &batch), -E2BIG);
	csv_reader_release(&reader);
	free(text);
}

static void the_vector_index_agrees_with_a_plain_loop(void **state)
{
	char text[600 + CSV_SLACK];
	uint32_t positions[600 + CSV_SLACK], newlines[600 + CSV_SLACK];
	struct csv_index index = {.positions = positions, .newlines = newlines};

	(void)state;
	srand(7);
	for (int round = 0; round < 500; round++) {
		size_t length = (size_t)rand() % 600, expected = 0, lines = 0;
		bool has_care = false;

		memset(text, 'x', sizeof(text));
		for (size_t i = 0; i < length; i++)
			text[i] = "abcdef,,\"\n\r12"[rand() % 13];
		csv_index_build(text, length, commas, &index);
		for (size_t i = 0; i < length; i++) {
			if (strchr(",\"\n\r", text[i]))
				assert_int_equal(positions[expected++], i);
			if (text[i] == '\n')
				assert_int_equal(newlines[lines++], i);
			has_care |= text[i] == '"' || text[i] == '\r';
		}
		assert_int_equal(index.count, expected);
		assert_int_equal(index.newline_count, lines);
		assert_int_equal(index.has_care, has_care);
	}
}

static void expect_dialect(const char *text, double confidence, char delimiter)
{
	struct csv_dialect dialect;

	assert_true(csv_dialect_guess(text, strlen(text), true, &dialect) == confidence);
	assert_int_equal(dialect.delimiter, delimiter);
}

static void the_delimiter_is_guessed_from_rows_of_equal_width(void **state)
{
	(void)state;
	expect_dialect("a;b;c\n1,5;2;3\n4;5,1;6\n", 1, ';');
	expect_dialect("a\tb\n1, 2\t3\n", 1, '\t');
	expect_dialect("a|b\n1|2\n", 1, '|');
	expect_dialect("\"x;y\",b\n\"p;q\",d\n", 1, ',');
	expect_dialect("one\ntwo\nthree\n", 0, ',');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_end_in_any_kind_of_line_end),
		cmocka_unit_test(quotes_hold_delimiters_line_ends_and_doubled_quotes),
		cmocka_unit_test(a_quote_inside_a_field_is_text),
		cmocka_unit_test(what_follows_a_closing_quote_belongs_to_the_field),
		cmocka_unit_test(blank_rows_are_passed_over),
		cmocka_unit_test(rows_of_changing_width_are_read_without_quotes_too),
		cmocka_unit_test(an_open_quote_is_closed_by_the_end_and_said),
		cmocka_unit_test(a_row_of_a_hundred_thousand_columns_is_read),
		cmocka_unit_test(a_row_without_end_is_refused_at_its_limit),
		cmocka_unit_test(the_vector_index_agrees_with_a_plain_loop),
		cmocka_unit_test(the_delimiter_is_guessed_from_rows_of_equal_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
