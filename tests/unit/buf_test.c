#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/buf.h"

static void an_empty_buffer_is_text_already(void **state)
{
	struct buf buf = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf.data, "");
	buf_release(&buf);
}

static void what_is_appended_stands_in_order(void **state)
{
	autobuf struct buf buf = BUF_INIT(1000);

	(void)state;
	assert_int_equal(buf_puts(&buf, "one "), 0);
	assert_int_equal(buf_printf(&buf, "%d %s", 2, "two"), 0);
	assert_int_equal(buf_putc(&buf, '!'), 0);
	assert_string_equal(buf.data, "one 2 two!");
	assert_int_equal(buf.length, 10);
}

static void it_holds_its_maximum_and_not_a_byte_more(void **state)
{
	autobuf struct buf buf = BUF_INIT(4);

	(void)state;
	assert_int_equal(buf_puts(&buf, "1234"), 0);
	assert_int_equal(buf_putc(&buf, '5'), -EOVERFLOW);
	assert_string_equal(buf.data, "1234");
}

static void an_error_stays_until_the_buffer_is_reset(void **state)
{
	autobuf struct buf buf = BUF_INIT(4);

	(void)state;
	assert_int_equal(buf_puts(&buf, "12345"), -EOVERFLOW);
	assert_int_equal(buf_putc(&buf, '1'), -EOVERFLOW);
	assert_int_equal(buf_error(&buf), -EOVERFLOW);
	assert_null(buf_take(&buf, NULL));
	buf_reset(&buf);
	assert_int_equal(buf_putc(&buf, '1'), 0);
	assert_string_equal(buf.data, "1");
}

static void taken_bytes_are_the_takers_and_the_buffer_starts_anew(void **state)
{
	struct buf buf = BUF_INIT(100);
	size_t length;
	char *taken;

	(void)state;
	buf_append(&buf, "a\0b", 3);
	taken = buf_take(&buf, &length);
	assert_int_equal(length, 3);
	assert_memory_equal(taken, "a\0b", 4);
	assert_int_equal(buf.length, 0);
	free(taken);
	taken = buf_take(&buf, &length);
	assert_non_null(taken);
	assert_string_equal(taken, "");
	free(taken);
}

static void growth_keeps_what_was_there(void **state)
{
	autobuf struct buf buf = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_putc(&buf, (char)('a' + i % 26)), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	assert_int_equal(buf.data[100000], 0);
}

static void a_reserve_beyond_the_address_space_is_refused(void **state)
{
	autobuf struct buf buf = BUF_INIT(SIZE_MAX);

	(void)state;
	buf_putc(&buf, 'x');
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_text_already),
		cmocka_unit_test(what_is_appended_stands_in_order),
		cmocka_unit_test(it_holds_its_maximum_and_not_a_byte_more),
		cmocka_unit_test(an_error_stays_until_the_buffer_is_reset),
		cmocka_unit_test(taken_bytes_are_the_takers_and_the_buffer_starts_anew),
		cmocka_unit_test(growth_keeps_what_was_there),
		cmocka_unit_test(a_reserve_beyond_the_address_space_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
