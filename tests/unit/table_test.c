#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/table.h"

struct member {
	struct table_link link;
	int key;
	int visits;
};

static struct member *find(const struct table *table, int key, uint64_t hash)
{
	struct table_link *link = table_find(table, hash);

	while (link && container_of(link, struct member, link)->key != key)
		link = table_next(link);
	return link ? container_of(link, struct member, link) : NULL;
}

static uint64_t hash_of(int key)
{
	return table_hash_u64((uint64_t)key);
}

static void members_are_found_while_it_grows_and_shrinks(void **state)
{
	enum { COUNT = 20000 };
	struct member *members = calloc(COUNT, sizeof(*members));
	struct table table;

	(void)state;
	assert_int_equal(table_init(&table, 0), 0);
	for (int i = 0; i < COUNT; i++) {
		members[i].key = i;
		assert_int_equal(table_add(&table, &members[i].link, hash_of(i)), 0);
	}
	assert_int_equal(table.count, COUNT);
	assert_true(table.bucket_count >= COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(find(&table, i, hash_of(i)), &members[i]);
	assert_null(find(&table, COUNT, hash_of(COUNT)));
	for (int i = 0; i < COUNT; i += 2)
		table_remove(&table, &members[i].link);
	assert_int_equal(table.count, COUNT / 2);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(find(&table, i, hash_of(i)), i % 2 ? &members[i] : NULL);
	table_release(&table);
	free(members);
}

static void members_of_one_hash_are_told_apart_by_the_caller(void **state)
{
	struct member members[100];
	struct table table;

	(void)state;
	memset(members, 0, sizeof(members));
	assert_int_equal(table_init(&table, 4), 0);
	for (int i = 0; i < 100; i++) {
		members[i].key = i;
		table_add(&table, &members[i].link, 42);
	}
	for (int i = 0; i < 100; i++)
		assert_ptr_equal(find(&table, i, 42), &members[i]);
	table_remove(&table, &members[50].link);
	assert_null(find(&table, 50, 42));
	assert_ptr_equal(find(&table, 51, 42), &members[51]);
	table_release(&table);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
	struct member in = {0}, out = {.link = {.hash = 1}};
	struct table table;

	(void)state;
	assert_int_equal(table_init(&table, 0), 0);
	table_add(&table, &in.link, 1);
	table_remove(&table, &out.link);
	assert_int_equal(table.count, 1);
	assert_ptr_equal(table_find(&table, 1), &in.link);
	table_release(&table);
}

static void visit(struct table_link *link, void *context)
{
	struct member *member = container_of(link, struct member, link);

	member->visits++;
	if (member->key % 3 == 0)
		table_remove(context, link);
}

static void a_visitor_sees_each_once_and_may_remove_it(void **state)
{
	struct member members[1000];
	struct table table;

	(void)state;
	memset(members, 0, sizeof(members));
	assert_int_equal(table_init(&table, 0), 0);
	for (int i = 0; i < 1000; i++) {
		members[i].key = i;
		table_add(&table, &members[i].link, hash_of(i));
	}
	table_each(&table, visit, &table);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(members[i].visits, 1);
	assert_int_equal(table.count, 1000 - 334);
	table_release(&table);
}

static void poor_hashes_do_not_pile_up_in_one_bucket(void **state)
{
	enum { COUNT = 4096 };
	struct member *members = calloc(COUNT, sizeof(*members));
	struct table table;
	size_t longest = 0;

	(void)state;
	assert_int_equal(table_init(&table, COUNT), 0);
	/* Inode numbers: blocks of 65536, only the first of each. */
	for (int i = 0; i < COUNT; i++)
		table_add(&table, &members[i].link, (uint64_t)i << 16);
	for (size_t i = 0; i < table.bucket_count; i++) {
		size_t length = 0;

		for (struct table_link *link = table.buckets[i]; link; link = link->next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_true(longest <= 16);
	table_release(&table);
	free(members);
}

static void hashes_of_bytes_depend_on_every_byte_and_the_seed(void **state)
{
	(void)state;
	assert_int_not_equal(table_hash_bytes("name", 4, 1), table_hash_bytes("name", 4, 2));
	assert_int_not_equal(table_hash_bytes("name", 4, 1), table_hash_bytes("namf", 4, 1));
	assert_int_not_equal(table_hash_bytes("name", 4, 1), table_hash_bytes("name", 3, 1));
	assert_true(table_hash_bytes("name", 4, 1) == table_hash_bytes("name", 4, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_while_it_grows_and_shrinks),
		cmocka_unit_test(members_of_one_hash_are_told_apart_by_the_caller),
		cmocka_unit_test(removing_what_is_not_there_changes_nothing),
		cmocka_unit_test(a_visitor_sees_each_once_and_may_remove_it),
		cmocka_unit_test(poor_hashes_do_not_pile_up_in_one_bucket),
		cmocka_unit_test(hashes_of_bytes_depend_on_every_byte_and_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
