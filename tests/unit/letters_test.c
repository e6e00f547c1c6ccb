#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/letters.h"

static void letters_of_either_case_are_counted_and_nothing_else(void **state)
{
	uint64_t counts[LETTER_COUNT] = {0};

	(void)state;
	letters_count("aAbZz@[`{\xC3\xA9 1", 12, counts);
	assert_int_equal(counts[0], 2);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[25], 2);
	for (int i = 2; i < 25; i++)
		assert_int_equal(counts[i], 0);
}

/* Every length around the blocks of the vector loops, every byte value. */
static void long_texts_agree_with_a_plain_loop(void **state)
{
	enum { LENGTH_MAX = 70000 };
	uint8_t *bytes = malloc(LENGTH_MAX);

	(void)state;
	srand(3);
	for (int i = 0; i < LENGTH_MAX; i++)
		bytes[i] = (uint8_t)(rand() % 256);
	for (size_t length = 0; length < LENGTH_MAX; length += length < 700 ? 1 : 4567) {
		uint64_t counts[LETTER_COUNT] = {0}, wanted[LETTER_COUNT] = {0};

		for (size_t i = 0; i < length; i++) {
			unsigned letter = (bytes[i] | 0x20U) - 'a';

			if (letter < LETTER_COUNT)
				wanted[letter]++;
		}
		letters_count(bytes, length, counts);
		assert_memory_equal(counts, wanted, sizeof(counts));
	}
	memset(bytes, 'q', LENGTH_MAX);
	for (int round = 0; round < 2; round++) {
		uint64_t counts[LETTER_COUNT] = {0};

		letters_count(bytes, LENGTH_MAX, counts);
		assert_int_equal(counts['q' - 'a'], LENGTH_MAX);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_of_either_case_are_counted_and_nothing_else),
		cmocka_unit_test(long_texts_agree_with_a_plain_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
