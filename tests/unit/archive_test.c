/* shared/validate/archive.c: depth as people count it, and what no archive may do to us. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/validate/archive.h"
#include "tests/unit/support/archives.h"

#define MIB (1ULL << 20)

static struct archive_report report;

static enum archive_finding examine_within(const struct archive_limits *limits, const struct made *made, size_t length)
{
	autoclose int fd = descriptor_of(made->bytes, length);
	const char *media_type;

	archive_examine(fd, length, archive_kind_of(made->bytes, length, &media_type), limits, &report);
	return report.finding;
}

static enum archive_finding examine(const struct made *made, int depth_max)
{
	struct archive_limits limits;

	archive_limits_set(&limits, made->length, depth_max);
	return examine_within(&limits, made, made->length);
}

/* The deepest level there is, when everything is allowed. Frees made. */
static int depth_of(struct made made)
{
	assert_int_equal(examine(&made, 32), ARCHIVE_FINE);
	free(made.bytes);
	return report.depth;
}

static struct made text_in(int format)
{
	return make_one(format, "a.txt", "some text", 9);
}

static struct made compressed(const char *filter, struct made inner)
{
	struct made outer = make_compressed(filter, inner.bytes, inner.length);

	free(inner.bytes);
	return outer;
}

static void levels_are_counted_as_people_do(void **state)
{
	(void)state;
	assert_int_equal(depth_of(text_in(MADE_ZIP)), 0);
	assert_int_equal(depth_of(text_in(MADE_TAR)), 0);
	assert_int_equal(depth_of(text_in(MADE_7Z)), 0);
	assert_int_equal(depth_of(make_compressed("gzip", "text", 4)), 0);
	assert_int_equal(depth_of(nest(MADE_ZIP, text_in(MADE_ZIP), 5)), 5);
	assert_int_equal(depth_of(nest(MADE_TAR, text_in(MADE_ZIP), 1)), 1);
	assert_int_equal(depth_of(nest(MADE_7Z, text_in(MADE_7Z), 3)), 3);
	assert_int_equal(depth_of(nest(MADE_ZIP, nest(MADE_7Z, text_in(MADE_TAR), 1), 1)), 2);
}

static void a_compressed_tar_is_one_archive(void **state)
{
	static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd", "lz4", "lzma", "compress"};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		assert_int_equal(depth_of(compressed(filters[i], text_in(MADE_TAR))), 0);
		assert_int_equal(depth_of(nest(MADE_ZIP, compressed(filters[i], text_in(MADE_TAR)), 1)), 1);
	}
	assert_int_equal(depth_of(compressed("gzip", text_in(MADE_ZIP))), 1);
	assert_int_equal(depth_of(compressed("gzip", compressed("gzip", text_in(MADE_TAR)))), 1);
	assert_int_equal(depth_of(compressed("xz", nest(MADE_TAR, compressed("gzip", text_in(MADE_TAR)), 1))), 1);
}

static void a_document_in_an_archive_is_a_file(void **state)
{
	struct made docx;

	(void)state;
	docx = make_docx();
	assert_int_equal(depth_of(make_one(MADE_ZIP, "a.docx", docx.bytes, docx.length)), 0);
	free(docx.bytes);
}

/* Whoever begins every ZIP like a document hides one level, not all of them. */
static void forged_documents_do_not_hide_depth(void **state)
{
	struct made made = make_one(MADE_ZIP, "mimetype", "x", 1);

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct made outer = make_one(MADE_ZIP, "mimetype", made.bytes, made.length);

		free(made.bytes);
		made = outer;
	}
	assert_int_equal(examine(&made, 3), ARCHIVE_TOO_DEEP);
	free(made.bytes);
}

static void too_deep_is_told_with_the_entry(void **state)
{
	struct made made = nest(MADE_ZIP, text_in(MADE_ZIP), 4);

	(void)state;
	assert_int_equal(examine(&made, 4), ARCHIVE_FINE);
	assert_int_equal(examine(&made, 3), ARCHIVE_TOO_DEEP);
	assert_string_equal(report.words, "inner");
	free(made.bytes);
}

static void archives_that_are_not_opened_count_as_well(void **state)
{
	struct made made = make_one(MADE_ZIP, "x.rar", "Rar!\x1a\x07\0", 7);

	(void)state;
	assert_int_equal(examine(&made, 0), ARCHIVE_TOO_DEEP);
	assert_int_equal(examine(&made, 1), ARCHIVE_FINE);
	free(made.bytes);
}

static void hundreds_of_levels_end_soon(void **state)
{
	struct made made = nest(MADE_TAR, text_in(MADE_TAR), 200);

	(void)state;
	assert_int_equal(examine(&made, 32), ARCHIVE_TOO_DEEP);
	assert_true(report.depth <= 33);
	free(made.bytes);
}

static struct made zeros_in(int format, uint64_t count)
{
	struct archive_maker *maker = maker_new(format);

	maker_add_zeros(maker, "zeros", count);
	return maker_finish(maker);
}

static void what_comes_out_is_counted(void **state)
{
	struct archive_limits limits;
	struct made made = zeros_in(MADE_ZIP, 10 * MIB);

	(void)state;
	archive_limits_set(&limits, made.length, 0);
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_FINE);
	assert_int_equal(report.inflated, 10 * MIB);
	limits.inflated_max = 10 * MIB - 1;
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_BIG);
	assert_true(report.inflated <= 11 * MIB); /* and it stopped there */
	free(made.bytes);
}

static void bombs_of_every_format_are_found(void **state)
{
	static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd", "lz4"};
	enum { ZEROS = 20 };
	struct archive_limits limits;
	autofree char *zeros = calloc(ZEROS, MIB);
	struct made made;

	(void)state;
	archive_limits_set(&limits, 0, 3);
	limits.inflated_max = 5 * MIB;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		made = make_compressed(filters[i], zeros, ZEROS * MIB);
		assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_BIG);
		free(made.bytes);
	}
	made = zeros_in(MADE_7Z, ZEROS * MIB);
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_BIG);
	free(made.bytes);
	made = nest(MADE_ZIP, zeros_in(MADE_ZIP, ZEROS * MIB), 2);
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_BIG);
	free(made.bytes);
}

static void small_files_of_any_ratio_and_big_ones_of_an_honest_one_pass(void **state)
{
	struct archive_limits limits;
	struct made made = zeros_in(MADE_ZIP, 100 * MIB);

	(void)state;
	assert_int_equal(examine(&made, 0), ARCHIVE_FINE); /* a thousand times its size, but below the floor */
	free(made.bytes);
	archive_limits_set(&limits, 100 * MIB, 0);
	assert_true(limits.inflated_max == 100 * 100 * MIB);
	archive_limits_set(&limits, UINT64_MAX, 0);
	assert_true(limits.inflated_max == 64ULL << 30);
}

/* libarchive writes sizes behind an entry; in front of it they are claims that can be wrong. */
static void an_entry_that_lies_about_its_size_is_damage(void **state)
{
	struct made made = zeros_in(MADE_ZIP, MIB);
	char *local = made.bytes, *central = memmem(made.bytes, made.length, "PK\1\2", 4);

	(void)state;
	local[6] = (char)(local[6] & ~8);
	central[8] = (char)(central[8] & ~8);
	memcpy(local + 14, central + 16, 12);
	assert_int_equal(examine(&made, 0), ARCHIVE_FINE);
	local[24] = central[26] = 1; /* 64 KiB instead of 1 MiB */
	assert_int_equal(examine(&made, 0), ARCHIVE_CORRUPT);
	free(made.bytes);
}

static void too_many_entries_are_refused(void **state)
{
	struct archive_maker *maker = maker_new(MADE_TAR);
	struct archive_limits limits;
	struct made made;

	(void)state;
	for (int i = 0; i < 101; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		maker_add(maker, name, "", 0);
	}
	made = maker_finish(maker);
	archive_limits_set(&limits, made.length, 0);
	limits.entries_max = 101;
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_FINE);
	limits.entries_max = 100;
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_MANY);
	free(made.bytes);
}

static void time_is_limited(void **state)
{
	struct archive_limits limits;
	struct made made = zeros_in(MADE_ZIP, 64 * MIB);

	(void)state;
	archive_limits_set(&limits, made.length, 0);
	limits.processor_max_ns = 1000000;
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_SLOW);
	free(made.bytes);
}

static void memory_for_inner_archives_is_limited(void **state)
{
	struct archive_limits limits;
	struct made made = nest(MADE_ZIP, text_in(MADE_7Z), 1);

	(void)state;
	archive_limits_set(&limits, made.length, 3);
	limits.buffered_max = 16;
	assert_int_equal(examine_within(&limits, &made, made.length), ARCHIVE_TOO_HUNGRY);
	free(made.bytes);
}

static void encrypted_entries_are_leaves(void **state)
{
	static const char long_text[] = "more than the twelve bytes of a key's header";
	struct made made = make_one(MADE_ZIP, "a.txt", long_text, sizeof(long_text) - 1);
	char *local = made.bytes, *central = memmem(made.bytes, made.length, "PK\1\2", 4);

	(void)state;
	local[6] |= 1;
	central[8] |= 1;
	assert_int_equal(examine(&made, 0), ARCHIVE_FINE);
	free(made.bytes);
}

static void compression_that_is_not_known_is_a_leaf(void **state)
{
	struct made made = text_in(MADE_ZIP);
	char *central = memmem(made.bytes, made.length, "PK\1\2", 4);

	(void)state;
	made.bytes[8] = 9; /* Deflate64 */
	central[10] = 9;
	assert_int_equal(examine(&made, 0), ARCHIVE_FINE);
	free(made.bytes);
}

/* Every cut of every format ends in an answer; a cut through what is compressed is damage. */
static void archives_cut_short_are_damaged(void **state)
{
	static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd"};
	struct archive_limits limits;
	struct made made;

	(void)state;
	archive_limits_set(&limits, 1000, 3);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		made = compressed(filters[i], text_in(MADE_TAR));
		for (size_t length = 10; length + 1 < made.length; length++)
			assert_int_equal(examine_within(&limits, &made, length), ARCHIVE_CORRUPT);
		free(made.bytes);
	}
	made = text_in(MADE_7Z);
	for (size_t length = 6; length < made.length; length++)
		assert_int_equal(examine_within(&limits, &made, length), ARCHIVE_CORRUPT);
	free(made.bytes);
	made = text_in(MADE_TAR);
	assert_int_equal(examine_within(&limits, &made, 512 + 4), ARCHIVE_CORRUPT);
	free(made.bytes);
}

static void a_flipped_bit_never_does_more_than_damage(void **state)
{
	struct made formats[] = {text_in(MADE_ZIP), text_in(MADE_7Z), text_in(MADE_TAR),
				 compressed("gzip", text_in(MADE_TAR)), nest(MADE_ZIP, text_in(MADE_7Z), 1)};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t step = formats[i].length / 200 + 1;

		for (size_t at = 0; at < formats[i].length; at += step) {
			for (int bit = 0; bit < 8; bit += 3) {
				formats[i].bytes[at] ^= (char)(1 << bit);
				examine(&formats[i], 3);
				formats[i].bytes[at] ^= (char)(1 << bit);
			}
		}
		free(formats[i].bytes);
	}
}

static void damage_in_an_inner_archive_is_no_damage_to_the_outer(void **state)
{
	struct made inner = compressed("gzip", text_in(MADE_TAR)), made;

	(void)state;
	made = make_one(MADE_ZIP, "broken.tar.gz", inner.bytes, inner.length - 10);
	assert_int_equal(examine(&made, 3), ARCHIVE_FINE);
	free(made.bytes);
	free(inner.bytes);
}

static void a_descriptor_that_fails_is_no_finding(void **state)
{
	struct archive_limits limits;

	(void)state;
	archive_limits_set(&limits, 1000, 3);
	archive_examine(-1, 1000, ARCHIVE_ZIP, &limits, &report);
	assert_int_equal(report.finding, ARCHIVE_UNREADABLE);
	assert_int_equal(report.error, -EBADF);
}

static void what_is_declared_is_read_where_it_stands(void **state)
{
	enum { LENGTH = 100000 };
	autofree char *text = calloc(1, LENGTH);
	static const struct {
		const char *filter;
		enum archive_kind kind;
		bool is_certain;
	} filters[] = {{"gzip", ARCHIVE_GZIP, false}, {"xz", ARCHIVE_XZ, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct made made = make_compressed(filters[i].filter, text, LENGTH);
		autoclose int fd = descriptor_of(made.bytes, made.length);
		bool is_certain;

		assert_int_equal(archive_declared(fd, made.length, filters[i].kind, &is_certain), LENGTH);
		assert_int_equal(is_certain, filters[i].is_certain);
		assert_true(archive_declared(fd, 20, filters[i].kind, &is_certain) != LENGTH);
		free(made.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_counted_as_people_do),
		cmocka_unit_test(a_compressed_tar_is_one_archive),
		cmocka_unit_test(a_document_in_an_archive_is_a_file),
		cmocka_unit_test(forged_documents_do_not_hide_depth),
		cmocka_unit_test(too_deep_is_told_with_the_entry),
		cmocka_unit_test(archives_that_are_not_opened_count_as_well),
		cmocka_unit_test(hundreds_of_levels_end_soon),
		cmocka_unit_test(what_comes_out_is_counted),
		cmocka_unit_test(bombs_of_every_format_are_found),
		cmocka_unit_test(small_files_of_any_ratio_and_big_ones_of_an_honest_one_pass),
		cmocka_unit_test(an_entry_that_lies_about_its_size_is_damage),
		cmocka_unit_test(too_many_entries_are_refused),
		cmocka_unit_test(time_is_limited),
		cmocka_unit_test(memory_for_inner_archives_is_limited),
		cmocka_unit_test(encrypted_entries_are_leaves),
		cmocka_unit_test(compression_that_is_not_known_is_a_leaf),
		cmocka_unit_test(archives_cut_short_are_damaged),
		cmocka_unit_test(a_flipped_bit_never_does_more_than_damage),
		cmocka_unit_test(damage_in_an_inner_archive_is_no_damage_to_the_outer),
		cmocka_unit_test(a_descriptor_that_fails_is_no_finding),
		cmocka_unit_test(what_is_declared_is_read_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
