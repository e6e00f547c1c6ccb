/* shared/store/store_fault.c: the same call fails each time, and the store below stays whole. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/support/stores.h"

#define TENANT "acme"
#define FIRST  "2026-11/fs_1"
#define SECOND "2026-11/fs_2"

static int open_fault(void **state)
{
	struct store_fixture *fixture;

	if (open_local(state) < 0)
		return -1;
	fixture = *state;
	return store_fault_new(fixture->store, 0, 0, &fixture->store);
}

static struct store *store_of(void **state)
{
	return ((struct store_fixture *)*state)->store;
}

static void every_nth_call_fails(void **state)
{
	struct store *store;
	struct spool spool;

	(void)state;
	assert_int_equal(store_mem_new(&store), 0);
	assert_int_equal(store_fault_new(store, 3, -EIO, &store), 0);
	for (int round = 0; round < 4; round++) {
		assert_int_equal(spool_create(store, &spool), 0);
		assert_int_equal(spool_name(store, &spool), 0);
		assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EIO);
		spool_discard(store, &spool);
	}
	assert_int_equal(store_fault_calls(store, STORE_CALL_SPOOL_PUBLISH), 4);
	store_close(store);
}

static void a_planned_call_fails_and_the_others_do_not(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;

	store_fault_plan(store, STORE_CALL_SPOOL_PUBLISH, 2, 2, -ENOSPC);
	publish_text(store, TENANT, FIRST, "one");
	make_spool(store, &spool, "two");
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), -ENOSPC);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), -ENOSPC);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	spool_discard(store, &spool);
	assert_text(store, TENANT, SECOND, "two");
}

static void every_kind_of_call_can_fail(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat_;
	uint64_t bytes;
	int fd;

	publish_text(store, TENANT, FIRST, "x");
	make_spool(store, &spool, "");
	for (int call = 0; call < STORE_CALL_COUNT; call++)
		store_fault_plan(store, (enum store_call)call, 1, 1000, -EIO);
	assert_int_equal(spool_create(store, &(struct spool){0}), -EIO);
	assert_int_equal(spool_name(store, &spool), -EIO);
	assert_int_equal(spool_sync(store, &spool), -EIO);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, 1), -EIO);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), -EIO);
	assert_int_equal(spool_open_named(store, "x", &spool), -EIO);
	assert_int_equal(store_open(store, TENANT, FIRST, O_RDONLY, &fd), -EIO);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat_), -EIO);
	assert_int_equal(store_remove(store, TENANT, FIRST), -EIO);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), -EIO);
	assert_int_equal(store_sync(store, TENANT, FIRST), -EIO);
	assert_int_equal(store_sync_all(store), -EIO);
	assert_int_equal(store_remove_tenant(store, TENANT), -EIO);
	assert_int_equal(store_list(store, TENANT, visit_count, &fd), -EIO);
	assert_int_equal(store_list_tenants(store, visit_count, &fd), -EIO);
	assert_int_equal(store_free_space(store, &bytes, &bytes), -EIO);
	for (int call = 0; call < STORE_CALL_COUNT; call++)
		store_fault_plan(store, (enum store_call)call, 1, 0, 0);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	spool_discard(store, &spool);
	assert_text(store, TENANT, FIRST, "x");
	assert_int_equal(count_spools(store), 0);
}

static void a_plan_can_be_written_down(void **state)
{
	struct store *store;
	struct spool spool;

	(void)state;
	assert_int_equal(store_mem_new(&store), 0);
	assert_int_equal(store_fault_parse(store, "publish:2:EIO,create:3-4:EMFILE", &store), 0);
	publish_text(store, TENANT, FIRST, "one");
	make_spool(store, &spool, "two");
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), -EIO);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	spool_discard(store, &spool);
	assert_int_equal(spool_create(store, &spool), -EMFILE);
	assert_int_equal(spool_create(store, &spool), -EMFILE);
	assert_int_equal(spool_create(store, &spool), 0);
	spool_discard(store, &spool);
	store_close(store);
}

static void a_plan_that_is_none_leaves_the_store_as_it_was(void **state)
{
	static const char *const plans[] = {
		"publish",	   "publish:0:EIO",  "publish:2:EWHAT",		 "nothing:1:EIO",
		"publish:5-2:EIO", "publish:1:EIOx", "publish:1:EIO open:1:EIO", "all:0:EIO"};
	struct store *store, *result;

	(void)state;
	assert_int_equal(store_mem_new(&store), 0);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		assert_int_equal(store_fault_parse(store, plans[i], &result), -EINVAL);
	publish_text(store, TENANT, FIRST, "still usable");
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_nth_call_fails),
		cmocka_unit_test_setup_teardown(a_planned_call_fails_and_the_others_do_not, open_fault, close_fixture),
		cmocka_unit_test_setup_teardown(every_kind_of_call_can_fail, open_fault, close_fixture),
		cmocka_unit_test(a_plan_can_be_written_down),
		cmocka_unit_test(a_plan_that_is_none_leaves_the_store_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
