#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "httpshim/multipart.h"
#include "shared/base/buf.h"

/* What was read, as one line of text: "name[file]=bytes;". */
static struct buf told;

static int begin(void *context, const struct multipart_part *part)
{
	(void)context;
	buf_puts(&told, part->name);
	if (part->has_file_name)
		buf_printf(&told, "[%s]", part->file_name);
	if (part->media_type[0])
		buf_printf(&told, "{%s}", part->media_type);
	return buf_putc(&told, '=');
}

static int data(void *context, const void *bytes, size_t length)
{
	(void)context;
	return buf_append(&told, bytes, length);
}

static int end(void *context)
{
	(void)context;
	return buf_putc(&told, ';');
}

static const struct multipart_events events = {begin, data, end};

/* Feeds text in pieces of step bytes; the first error, or that of the end. */
static int read_in_steps(const char *text, size_t length, size_t step)
{
	struct multipart *multipart;
	int r = 0;

	buf_release(&told);
	told = BUF_INIT(1 << 20);
	assert_int_equal(multipart_new("XX", &events, NULL, &multipart), 0);
	for (size_t at = 0; at < length && r == 0; at += step)
		r = multipart_feed(multipart, text + at, length - at < step ? length - at : step);
	if (r == 0)
		r = multipart_finish(multipart);
	multipart_free(multipart);
	return r;
}

/* In pieces of every size it must be the same. */
static void expect(const char *text, const char *wanted)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(read_in_steps(text, strlen(text), step), 0);
		assert_string_equal(told.data, wanted);
	}
}

static void expect_refusal(const char *text, int error)
{
	for (size_t step = 1; step <= strlen(text); step++)
		assert_int_equal(read_in_steps(text, strlen(text), step), error);
}

#define FIELD(name, value) "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static void a_form_is_read_in_pieces_of_any_size(void **state)
{
	(void)state;
	expect(FIELD("a", "1") "--XX\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n"
	       "Content-Type: text/plain\r\n\r\nline\r\nline\r\n--XX--\r\n",
	       "a=1;f[x.txt]{text/plain}=line\r\nline;");
}

static void what_looks_like_the_beginning_of_a_boundary_is_content(void **state)
{
	(void)state;
	expect(FIELD("a", "\r\n--X\r\n-\r\r\n--\r\n--Y") "--XX--", "a=\r\n--X\r\n-\r\r\n--\r\n--Y;");
}

static void an_empty_value_may_lack_its_own_line(void **state)
{
	(void)state;
	expect("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--\r\n", "a=;");
	expect("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--\r\n", "a=;");
}

static void a_preamble_padding_and_an_epilogue_are_read_over(void **state)
{
	(void)state;
	expect("hello\r\n--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--  goodbye", "a=1;");
}

static void quotes_and_backslashes_in_names_are_undone(void **state)
{
	(void)state;
	expect("--XX\r\nContent-Disposition: form-data; name=\"a%22\"; filename=\"q\\\"\\\\c:\\dir%0A%41\"\r\n\r\n1\r\n--XX--",
	       "a\"[q\"\\c:\\dir\n%41]=1;");
}

static void an_extended_file_name_wins(void **state)
{
	(void)state;
	expect("--XX\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''%e2%82%ac.txt; filename=\"x\"\r\n\r\n1\r\n--XX--",
	       "f[\xE2\x82\xAC.txt]=1;");
}

static void a_body_without_its_final_boundary_is_refused(void **state)
{
	(void)state;
	expect_refusal(FIELD("a", "1"), -EBADMSG);
	expect_refusal(FIELD("a", "1") "--XX", -EBADMSG);
	expect_refusal(FIELD("a", "1") "--XX-", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1", -EBADMSG);
	assert_int_equal(read_in_steps("", 0, 1), -EBADMSG);
}

static void a_malformed_part_is_refused(void **state)
{
	(void)state;
	expect_refusal("--XX\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--", -EBADMSG);
	expect_refusal("--XXY\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--", -EBADMSG);
	expect_refusal("--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--XX--",
		       -EBADMSG);
}

static void parts_headers_and_preambles_have_bounds(void **state)
{
	autobuf struct buf text = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
		buf_puts(&text, FIELD("a", "1"));
	buf_puts(&text, "--XX--");
	assert_int_equal(read_in_steps(text.data, text.length, 100), -E2BIG);
	buf_reset(&text);
	buf_puts(&text, "--XX\r\nX-Long: ");
	for (int i = 0; i < MULTIPART_HEADER_BYTES; i++)
		buf_putc(&text, 'x');
	assert_int_equal(read_in_steps(text.data, text.length, 100), -E2BIG);
	buf_reset(&text);
	buf_puts(&text, "--XX\r\n");
	for (int i = 0; i <= MULTIPART_HEADERS_MAX; i++)
		buf_puts(&text, "X: y\r\n");
	assert_int_equal(read_in_steps(text.data, text.length, 100), -E2BIG);
	buf_reset(&text);
	for (int i = 0; i < 2 * MULTIPART_PREAMBLE_BYTES; i++)
		buf_putc(&text, 'x');
	assert_int_equal(read_in_steps(text.data, text.length, 100), -E2BIG);
}

static void the_boundary_is_taken_from_the_content_type(void **state)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];

	(void)state;
	assert_int_equal(multipart_boundary("multipart/form-data; boundary=X; charset=utf-8", boundary), 0);
	assert_string_equal(boundary, "X");
	assert_int_equal(multipart_boundary("Multipart/Form-Data;BOUNDARY=\"a b\"", boundary), 0);
	assert_string_equal(boundary, "a b");
	assert_int_equal(multipart_boundary("multipart/form-data", boundary), -EINVAL);
	assert_int_equal(multipart_boundary("multipart/form-data; boundary=", boundary), -EINVAL);
	assert_int_equal(multipart_boundary("multipart/form-data; boundary=a; boundary=b", boundary), -EINVAL);
	assert_int_equal(multipart_boundary("multipart/mixed; boundary=a", boundary), -EINVAL);
	assert_int_equal(multipart_boundary("multipart/form-data; boundary=\"a\r\nb\"", boundary), -EINVAL);
	assert_int_equal(multipart_boundary("multipart/form-data; boundary="
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					    boundary),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_read_in_pieces_of_any_size),
		cmocka_unit_test(what_looks_like_the_beginning_of_a_boundary_is_content),
		cmocka_unit_test(an_empty_value_may_lack_its_own_line),
		cmocka_unit_test(a_preamble_padding_and_an_epilogue_are_read_over),
		cmocka_unit_test(quotes_and_backslashes_in_names_are_undone),
		cmocka_unit_test(an_extended_file_name_wins),
		cmocka_unit_test(a_body_without_its_final_boundary_is_refused),
		cmocka_unit_test(a_malformed_part_is_refused),
		cmocka_unit_test(parts_headers_and_preambles_have_bounds),
		cmocka_unit_test(the_boundary_is_taken_from_the_content_type),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_release(&told);
	return failed;
}
