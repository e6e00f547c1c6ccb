/* shared/model: records round trip, and bytes that are no record are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/model/change.h"
#include "tests/unit/support/samples.h"

static struct bytes text(const char *string)
{
	return (struct bytes){string, strlen(string)};
}

static void assert_bytes_equal(struct bytes a, struct bytes b)
{
	assert_int_equal(a.data == NULL, b.data == NULL);
	assert_int_equal(a.length, b.length);
	if (a.data && a.length > 0)
		assert_memory_equal(a.data, b.data, a.length);
}

static struct node_row full_node(void)
{
	struct node_row node = {.inode = INT64_MAX, .kind = 'f', .mode = 07777, .nlink = 65000, .uid = UINT32_MAX};

	node.gid = 7;
	node.rdev = -1;
	node.size_bytes = INT64_MAX;
	node.atime_ns = INT64_MIN;
	node.mtime_ns = -1;
	node.ctime_ns = INT64_MAX;
	node.btime_ns = 0;
	node.link_target = text("../x");
	sample_file_id(node.file_id, 1);
	node.object_id = 5;
	node.status = 'e';
	node.validation = 'f';
	node.uploaded_at_ns = 6;
	node.uploaded_by = text("ad\xc3\xa9le");
	node.original_name = text("\xff\xfe");
	node.visibility = 'u';
	node.tags = text("");
	node.metadata = text("{}");
	return node;
}

static void a_node_round_trips_with_every_field(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct change change = {.kind = CHANGE_NODE_PUT}, got;
	struct node_row node = full_node();
	size_t cursor = 0;

	(void)state;
	change.node = node;
	record_put(&record, &change);
	assert_int_equal(buf_error(&record), 0);
	assert_int_equal(record_next(record.data, record.length, &cursor, &got), 1);
	assert_int_equal(got.node.inode, node.inode);
	assert_int_equal(got.node.mode, node.mode);
	assert_int_equal(got.node.nlink, node.nlink);
	assert_int_equal(got.node.uid, node.uid);
	assert_int_equal(got.node.rdev, -1);
	assert_int_equal(got.node.size_bytes, INT64_MAX);
	assert_true(got.node.atime_ns == INT64_MIN && got.node.mtime_ns == -1 && got.node.ctime_ns == INT64_MAX);
	assert_string_equal(got.node.file_id, node.file_id);
	assert_true(got.node.status == 'e' && got.node.validation == 'f' && got.node.visibility == 'u');
	assert_bytes_equal(got.node.link_target, node.link_target);
	assert_bytes_equal(got.node.uploaded_by, node.uploaded_by);
	assert_bytes_equal(got.node.original_name, node.original_name);
	assert_bytes_equal(got.node.tags, node.tags);
	assert_bytes_equal(got.node.description, (struct bytes){0});
	assert_bytes_equal(got.node.metadata, node.metadata);
	assert_int_equal(record_next(record.data, record.length, &cursor, &got), 0);
	buf_release(&record);
}

/* Written again from what was read, the bytes are the same: nothing is lost or invented. */
static void random_records_read_and_written_again_are_the_same_bytes(void **state)
{
	struct sample_space space = {.random = {42}, .next_sequence = 1, .next_object = 1};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct buf record = BUF_INIT(RECORD_MAX_BYTES), again = BUF_INIT(RECORD_MAX_BYTES);
		struct change change;
		size_t cursor = 0;

		sample_record(&space, &record);
		sample_file(&record, 1000 + i, 100, "n", i + 1);
		assert_int_equal(buf_error(&record), 0);
		while (record_next(record.data, record.length, &cursor, &change) == 1)
			record_put(&again, &change);
		assert_int_equal(cursor, record.length);
		assert_int_equal(buf_error(&again), 0);
		assert_int_equal(again.length, record.length);
		assert_memory_equal(again.data, record.data, record.length);
		buf_release(&record);
		buf_release(&again);
	}
}

static int read_all(const void *bytes, size_t length)
{
	struct change change;
	size_t cursor = 0;
	int r;

	while ((r = record_next(bytes, length, &cursor, &change)) == 1)
		;
	return r;
}

static void a_record_cut_anywhere_is_refused_or_ends_between_changes(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	int ends = 0;

	(void)state;
	sample_file(&record, 1000, 100, "a.pdf", 1);
	for (size_t length = 0; length < record.length; length++) {
		/* A copy of its own size, so that a sanitizer sees a read behind it. */
		char *copy = malloc(length + (length == 0));
		int r;

		memcpy(copy, record.data, length);
		r = read_all(copy, length);
		assert_true(r == 0 || r == -EBADMSG);
		ends += r == 0;
		free(copy);
	}
	assert_int_equal(ends, 7);
	buf_release(&record);
}

static void random_bytes_never_make_an_invalid_change(void **state)
{
	struct sample_random random = {7};

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t length = sample_below(&random, 64);
		char *bytes = malloc(length + 1);

		for (size_t j = 0; j < length; j++)
			bytes[j] = (char)sample_next(&random);
		if (length > 0)
			bytes[0] = (char)sample_below(&random, CHANGE_KIND_COUNT + 1);
		read_all(bytes, length);
		free(bytes);
	}
}

static void a_damaged_record_is_refused_or_still_valid_in_every_field(void **state)
{
	struct sample_random random = {8};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES), again = BUF_INIT(RECORD_MAX_BYTES);

	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct change change;
		size_t cursor = 0;

		buf_reset(&record);
		sample_file(&record, 1000, 100, "a.pdf", 1);
		record.data[sample_below(&random, record.length)] ^= (char)(1 + sample_below(&random, 255));
		while (record_next(record.data, record.length, &cursor, &change) == 1) {
			buf_reset(&again);
			record_put(&again, &change);
			assert_int_equal(buf_error(&again), 0);
		}
	}
	buf_release(&record);
	buf_release(&again);
}

static int put_error(const struct change *change)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	int error;

	record_put(&record, change);
	error = buf_error(&record);
	buf_release(&record);
	return error;
}

static void what_a_text_column_cannot_hold_is_refused_before_it_is_journaled(void **state)
{
	struct change change = {.kind = CHANGE_NODE_PUT};

	(void)state;
	change.node = full_node();
	assert_int_equal(put_error(&change), 0);
	change.node.tags = text("\xff");
	assert_int_equal(put_error(&change), -EINVAL);
	change.node.tags = (struct bytes){"a\0b", 3};
	assert_int_equal(put_error(&change), -EINVAL);
	change.node.tags = text("\xed\xa0\x80");
	assert_int_equal(put_error(&change), -EINVAL);
}

static void names_with_a_slash_a_nul_or_no_length_are_refused(void **state)
{
	static const struct bytes bad[] = {{"a/b", 3}, {"a\0b", 3}, {"", 0}, {NULL, 0}};
	char name[NAME_MAX_BYTES + 1];
	struct change change = {.kind = CHANGE_ENTRY_PUT};

	(void)state;
	memset(name, 'n', sizeof(name));
	change.entry = (struct entry_row){.parent_inode = 1, .inode = 2, .kind = 'f', .name = {name, NAME_MAX_BYTES}};
	assert_int_equal(put_error(&change), 0);
	change.entry.name.length++;
	assert_int_equal(put_error(&change), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		change.entry.name = bad[i];
		assert_int_equal(put_error(&change), -EINVAL);
	}
}

static void paths_that_leave_the_tenants_folder_are_refused(void **state)
{
	static const char *const bad[] = {"",	"/etc/passwd",	"../x",	       "a/../b",     "a//b",
					  "a/", "2026-11/.git", "2026-11/a b", "2026-11/\n", "."};
	struct change change = {.kind = CHANGE_OBJECT_DELETE};

	(void)state;
	change.object.object_id = 1;
	memcpy(change.object.path, "2026-11/fs_x.4294967295.ext", 28);
	assert_int_equal(put_error(&change), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(change.object.path, 0, sizeof(change.object.path));
		memcpy(change.object.path, bad[i], strlen(bad[i]));
		assert_int_equal(put_error(&change), -EINVAL);
	}
	memset(change.object.path, 'a', sizeof(change.object.path));
	assert_int_equal(put_error(&change), -EINVAL);
}

static void a_mistake_sticks_until_the_record_is_begun_anew(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct change change = {.kind = CHANGE_NODE_DELETE};

	(void)state;
	record_put(&record, &change);
	change.node.inode = 1;
	record_put(&record, &change);
	assert_int_equal(buf_error(&record), -EINVAL);
	assert_int_equal(record.length, 0);
	buf_reset(&record);
	record_put(&record, &change);
	assert_int_equal(buf_error(&record), 0);
	buf_release(&record);
}

static void a_record_has_a_largest_size(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	char *value = calloc(1, 65536);
	struct change change = {.kind = CHANGE_ATTRIBUTE_PUT};

	(void)state;
	change.attribute = (struct attribute_row){.inode = 1, .name = {"user.x", 6}, .value = {value, 65536}};
	for (int i = 0; i < 15; i++)
		record_put(&record, &change);
	assert_int_equal(buf_error(&record), 0);
	record_put(&record, &change);
	assert_int_equal(buf_error(&record), -EOVERFLOW);
	buf_reset(&record);
	change.attribute.value.length = 65537;
	record_put(&record, &change);
	assert_int_equal(buf_error(&record), -EINVAL);
	buf_release(&record);
	free(value);
}

static void tenant_codes_are_plain_and_never_a_month_or_reserved(void **state)
{
	static const char *const good[] = {"a", "0", "acme", "A-b_c", "2026-1", "2026-111", "x2026-11", "currently"};
	static const char *const bad[] = {"",	     "-a",  "_a",  ".id",      "current", "Current",  "2026-11",
					  "2026-13", "a b", "a/b", "\xc3\xa4", "a.b",	  ".extract", ".stats"};
	char longest[65];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tenant_code_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tenant_code_is_valid(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[63] = '\0';
	assert_true(tenant_code_is_valid(longest));
	longest[63] = 'a';
	longest[64] = '\0';
	assert_false(tenant_code_is_valid(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_round_trips_with_every_field),
		cmocka_unit_test(random_records_read_and_written_again_are_the_same_bytes),
		cmocka_unit_test(a_record_cut_anywhere_is_refused_or_ends_between_changes),
		cmocka_unit_test(random_bytes_never_make_an_invalid_change),
		cmocka_unit_test(a_damaged_record_is_refused_or_still_valid_in_every_field),
		cmocka_unit_test(what_a_text_column_cannot_hold_is_refused_before_it_is_journaled),
		cmocka_unit_test(names_with_a_slash_a_nul_or_no_length_are_refused),
		cmocka_unit_test(paths_that_leave_the_tenants_folder_are_refused),
		cmocka_unit_test(a_mistake_sticks_until_the_record_is_begun_anew),
		cmocka_unit_test(a_record_has_a_largest_size),
		cmocka_unit_test(tenant_codes_are_plain_and_never_a_month_or_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
