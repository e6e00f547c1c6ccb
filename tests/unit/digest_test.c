#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/base/digest.h"

static const char sha_of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char sha_of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void assert_digest(const uint8_t sha256[DIGEST_SIZE], const char *expected)
{
	char hex[DIGEST_HEX_SIZE];

	hex_encode(sha256, DIGEST_SIZE, hex);
	assert_string_equal(hex, expected);
}

static void the_known_answers_of_sha256_come_out(void **state)
{
	uint8_t sum[DIGEST_SIZE];

	(void)state;
	assert_int_equal(digest_bytes("", 0, sum), 0);
	assert_digest(sum, sha_of_nothing);
	assert_int_equal(digest_bytes("abc", 3, sum), 0);
	assert_digest(sum, sha_of_abc);
}

static void a_peek_does_not_end_the_digest(void **state)
{
	struct digest *digest = digest_new();
	uint8_t sum[DIGEST_SIZE];

	(void)state;
	assert_int_equal(digest_peek(digest, sum), 0);
	assert_digest(sum, sha_of_nothing);
	digest_update(digest, "a", 1);
	assert_int_equal(digest_peek(digest, sum), 0);
	digest_update(digest, "bc", 2);
	assert_int_equal(digest_peek(digest, sum), 0);
	assert_digest(sum, sha_of_abc);
	assert_int_equal(digest_peek(digest, sum), 0);
	assert_digest(sum, sha_of_abc);
	digest_reset(digest);
	assert_int_equal(digest_peek(digest, sum), 0);
	assert_digest(sum, sha_of_nothing);
	digest_free(digest);
}

static void a_clone_goes_its_own_way(void **state)
{
	struct digest *digest = digest_new(), *clone;
	uint8_t sum[DIGEST_SIZE];

	(void)state;
	digest_update(digest, "ab", 2);
	clone = digest_clone(digest);
	assert_non_null(clone);
	digest_update(clone, "c", 1);
	digest_update(digest, "something else", 14);
	digest_free(digest);
	assert_int_equal(digest_peek(clone, sum), 0);
	assert_digest(sum, sha_of_abc);
	digest_free(clone);
}

static void a_file_is_digested_up_to_the_size_asked_for(void **state)
{
	char path[] = "/tmp/digest_test.XXXXXX";
	autoclose int fd = mkstemp(path);
	size_t size = 700000;
	autofree char *bytes = malloc(size);
	uint8_t expected[DIGEST_SIZE], sum[DIGEST_SIZE];

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(digest_bytes(bytes, size, expected), 0);
	assert_int_equal(digest_fd(fd, size, sum), 0);
	assert_memory_equal(sum, expected, DIGEST_SIZE);
	assert_int_equal(digest_bytes(bytes, 5, expected), 0);
	assert_int_equal(digest_fd(fd, 5, sum), 0);
	assert_memory_equal(sum, expected, DIGEST_SIZE);
	assert_int_equal(digest_fd(fd, size + 1, sum), -ENODATA);
	assert_int_equal(digest_fd(-1, 1, sum), -EBADF);
}

static void hex_goes_there_and_back(void **state)
{
	uint8_t back[3] = {9, 9, 9};
	char hex[7];

	(void)state;
	hex_encode("\x00\xAB\xFF", 3, hex);
	assert_string_equal(hex, "00abff");
	assert_int_equal(hex_decode("00aBfF", 6, back, 3), 0);
	assert_memory_equal(back, "\x00\xAB\xFF", 3);
	assert_int_equal(hex_decode("00ab", 4, back, 3), -EINVAL);
	assert_int_equal(hex_decode("00abf", 5, back, 3), -EINVAL);
	assert_int_equal(hex_decode("00abfg", 6, back, 3), -EINVAL);
	assert_memory_equal(back, "\x00\xAB\xFF", 3);
}

static void file_ids_are_valid_and_differ(void **state)
{
	char first[FILE_ID_SIZE], second[FILE_ID_SIZE];

	(void)state;
	assert_int_equal(file_id_make(first), 0);
	assert_int_equal(file_id_make(second), 0);
	assert_int_equal(strlen(first), FILE_ID_SIZE - 1);
	assert_true(file_id_is_valid(first, strlen(first)));
	assert_string_not_equal(first, second);
}

static void file_ids_use_all_letters_evenly(void **state)
{
	unsigned counts[256] = {0};
	char id[FILE_ID_SIZE];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(file_id_make(id), 0);
		for (int at = 3; at < FILE_ID_SIZE - 1; at++)
			counts[(unsigned char)id[at]]++;
	}
	/* 66,000 letters over 62: 1,064 each, give or take five standard deviations. */
	for (int c = 0; c < 256; c++) {
		if (counts[c] > 0)
			assert_in_range(counts[c], 880, 1240);
	}
}

static void what_is_no_file_id_is_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "fs_",
					    "fs_0123456789abcdefghijk",
					    "fs_0123456789abcdefghijklm",
					    "fx_0123456789abcdefghijkl",
					    "fs_0123456789abcdefghij/l",
					    "fs_0123456789abcdefghij.l"};

	(void)state;
	assert_true(file_id_is_valid("fs_0123456789ABCDEFghijkl", 25));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(file_id_is_valid(wrong[i], strlen(wrong[i])));
	assert_false(file_id_is_valid("fs_0123456789abcdefghij\0l", 25));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_answers_of_sha256_come_out),
		cmocka_unit_test(a_peek_does_not_end_the_digest),
		cmocka_unit_test(a_clone_goes_its_own_way),
		cmocka_unit_test(a_file_is_digested_up_to_the_size_asked_for),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(file_ids_are_valid_and_differ),
		cmocka_unit_test(file_ids_use_all_letters_evenly),
		cmocka_unit_test(what_is_no_file_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
