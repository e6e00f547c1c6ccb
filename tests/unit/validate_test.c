/* shared/validate/validate.c: content against the tenant's lists, its name and the archive rules; see the table in
 * docs/rules.md. */
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
#include "shared/validate/validate.h"
#include "tests/unit/support/archives.h"

#define DOCX_TYPE "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

static const char executable[64] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2";
static const char png[32] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
static const char pdf[] = "%PDF-1.7\n";

static struct detector *detector;
static struct verdict verdict;

static int load(void **state)
{
	(void)state;
	return detector_new(&detector);
}

static int unload(void **state)
{
	(void)state;
	detector_free(detector);
	return 0;
}

static struct rules *parse(const char *json)
{
	struct rules *rules;
	char error[256];

	assert_int_equal(rules_parse(json, strlen(json), NULL, &rules, error, sizeof(error)), 0);
	return rules;
}

/* The verdict's rule, "" when it passed. */
static const char *judge(const char *json, const char *name, const void *bytes, size_t length)
{
	struct rules *rules = parse(json);
	autoclose int fd = descriptor_of(bytes, length);

	validate_content(rules, detector, name, strlen(name), fd, length, &verdict);
	rules_unref(rules);
	if (!verdict.error) {
		assert_string_equal(verdict.reason, "");
		return "";
	}
	assert_int_equal(verdict.error, -EPERM);
	assert_true(strlen(verdict.reason) > strlen(name));
	assert_memory_equal(verdict.reason, name, strlen(name));
	return verdict.rule;
}

static const char *judge_head(const char *json, const char *name, const void *bytes, size_t length)
{
	struct rules *rules = parse(json);

	validate_head(rules, detector, name, strlen(name), bytes, length, &verdict);
	rules_unref(rules);
	return verdict.error ? verdict.rule : "";
}

#define JUDGE(json, name, bytes) judge(json, name, bytes, sizeof(bytes) - 1)

/* --- contradictions -------------------------------------------------------------------------------------------------
 */

static void an_executable_called_pdf_is_refused_in_words(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{}", "report.pdf", executable), "media_type");
	assert_string_equal(verdict.reason,
			    "report.pdf is an executable (application/x-executable), not a PDF document.");
	assert_string_equal(verdict.media_type, "application/x-executable");
	assert_string_equal(judge_head("{}", "report.pdf", executable, sizeof(executable)), "media_type");
}

static void families_contradict_and_members_of_one_do_not(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{}", "a.txt", executable), "media_type");
	assert_string_equal(JUDGE("{}", "a.jpg", executable), "media_type");
	assert_string_equal(JUDGE("{}", "a.zip", executable), "media_type");
	assert_string_equal(JUDGE("{}", "a.pdf", png), "media_type");
	assert_string_equal(JUDGE("{}", "a.csv", png), "media_type");
	assert_string_equal(JUDGE("{}", "a.png", pdf), "media_type");
	assert_string_equal(JUDGE("{}", "a.jpg", png), "");
	assert_string_equal(JUDGE("{}", "a.docx", pdf), "");
	assert_string_equal(JUDGE("{}", "a.pdf", pdf), "");
}

static void text_and_unknown_content_contradict_nothing(void **state)
{
	static const char text[] = "just text\n", unknown[] = "\1\2\3\4\5\6";

	(void)state;
	assert_string_equal(JUDGE("{}", "a.pdf", text), "");
	assert_string_equal(JUDGE("{}", "a.docx", text), "");
	assert_string_equal(JUDGE("{}", "a.png", text), "");
	assert_string_equal(JUDGE("{}", "a.pdf", unknown), "");
	assert_string_equal(verdict.media_type, "application/octet-stream");
}

static void an_extension_nobody_knows_promises_nothing(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{}", "a.xyz", executable), "");
	assert_string_equal(JUDGE("{}", "noextension", executable), "");
}

static void a_working_name_promises_nothing_until_it_is_renamed(void **state)
{
	struct rules *rules = parse("{}");

	(void)state;
	assert_string_equal(JUDGE("{}", ".report.pdf", executable), "");
	assert_string_equal(judge_head("{}", ".report.pdf", executable, sizeof(executable)), "");
	validate_rename(rules, detector, "report.pdf", 10, "application/x-executable", -1, sizeof(executable),
			&verdict);
	assert_int_equal(verdict.error, -EPERM);
	assert_string_equal(verdict.rule, "media_type");
	validate_rename(rules, detector, "tool.bin", 8, "application/x-executable", -1, sizeof(executable), &verdict);
	assert_int_equal(verdict.error, 0);
	rules_unref(rules);
}

static void an_unrestricted_tenant_may_call_anything_anything(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{\"unrestricted\": true}", "report.pdf", executable), "");
	assert_string_equal(verdict.media_type, "application/x-executable");
	assert_string_equal(JUDGE("{\"unrestricted\": true}", "a.zip", "no archive"), "");
	assert_string_equal(judge_head("{\"unrestricted\": true}", "report.pdf", executable, sizeof(executable)), "");
}

static void an_empty_file_passes_every_content_rule(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{\"allowed_media_types\": [\"application/pdf\"]}", "a.zip", ""), "");
	assert_string_equal(verdict.media_type, "");
}

/* --- lists of media types -------------------------------------------------------------------------------------------
 */

static void only_allowed_media_types_pass(void **state)
{
	static const char json[] = "{\"allowed_media_types\": [\"application/pdf\", \"image/*\"]}";

	(void)state;
	assert_string_equal(JUDGE(json, "a.pdf", pdf), "");
	assert_string_equal(JUDGE(json, "a.png", png), "");
	assert_string_equal(JUDGE(json, "a.txt", "text"), "media_type");
	assert_non_null(strstr(verdict.reason, "text/plain"));
	assert_string_equal(JUDGE(json, ".working", executable), "media_type");
	assert_string_equal(judge_head(json, ".working", executable, sizeof(executable)), "media_type");
	assert_string_equal(judge_head(json, "a.txt", "text", 4), ""); /* at close */
}

static void denied_media_types_win(void **state)
{
	static const char json[] = "{\"allowed_media_types\": \"*/*\", \"denied_media_types\": \"image/*, TEXT/HTML\"}";

	(void)state;
	assert_string_equal(JUDGE(json, "a.png", png), "media_type");
	assert_string_equal(JUDGE(json, "a.html", "<html>"), "media_type");
	assert_string_equal(JUDGE(json, "a.txt", "<html>"), "media_type");
	assert_string_equal(JUDGE(json, "a.pdf", pdf), "");
}

static void plain_text_is_what_its_name_says(void **state)
{
	(void)state;
	assert_string_equal(JUDGE("{}", "README.md", "# Title\n"), "");
	assert_string_equal(verdict.media_type, "text/markdown");
	assert_string_equal(JUDGE("{}", "data.csv", "a\n1\n"), "");
	assert_string_equal(verdict.media_type, "text/csv");
	assert_string_equal(JUDGE("{}", "data.csv", "{\"a\": 1}"), "");
	assert_string_equal(verdict.media_type, "application/json");
	assert_string_equal(JUDGE("{}", "data.txt", "a,b\n1,2\n3,4\n"), "");
	assert_string_equal(verdict.media_type, "text/plain");
}

/* --- containers -----------------------------------------------------------------------------------------------------
 */

static void a_document_is_judged_at_close_and_named_precisely(void **state)
{
	struct made made = make_docx();

	(void)state;
	assert_string_equal(judge_head("{}", "a.docx", made.bytes, made.length), "");
	assert_string_equal(judge_head("{}", "a.pdf", made.bytes, made.length), "");
	assert_string_equal(judge("{}", "a.docx", made.bytes, made.length), "");
	assert_string_equal(verdict.media_type, DOCX_TYPE);
	assert_string_equal(judge("{}", "a.png", made.bytes, made.length), "media_type");
	assert_string_equal(judge("{\"denied_media_types\": [\"" DOCX_TYPE "\"]}", "a.docx", made.bytes, made.length),
			    "media_type");
	/* It is a ZIP, so it may be called one. */
	assert_string_equal(judge("{\"max_zip_depth\": 0}", "a.zip", made.bytes, made.length), "");
	free(made.bytes);
}

static void a_zip_called_docx_is_refused(void **state)
{
	struct made made = make_one(MADE_ZIP, "a.txt", "x", 1);

	(void)state;
	assert_string_equal(judge("{}", "a.docx", made.bytes, made.length), "media_type");
	assert_string_equal(verdict.reason, "a.docx is an archive (application/zip), not a Word document.");
	free(made.bytes);
}

static void a_document_cut_short_passes_and_fails_when_it_is_read(void **state)
{
	struct made made = make_docx();

	(void)state;
	assert_string_equal(judge("{}", "a.docx", made.bytes, made.length - 20), "");
	assert_string_equal(judge("{}", "a.zip", made.bytes, made.length - 20), "archive_corrupt");
	free(made.bytes);
}

/* --- archives -------------------------------------------------------------------------------------------------------
 */

static void depth_zero_means_no_archive_in_an_archive(void **state)
{
	struct made flat = make_one(MADE_ZIP, "a.txt", "x", 1),
		    deep = nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 1);

	(void)state;
	assert_string_equal(judge("{\"max_zip_depth\": 0}", "a.zip", flat.bytes, flat.length), "");
	assert_string_equal(judge("{\"max_zip_depth\": 0}", "a.zip", deep.bytes, deep.length), "archive_depth");
	assert_string_equal(verdict.reason,
			    "a.zip holds an archive, and archives within archives are not allowed here: inner.");
	assert_string_equal(judge("{\"max_zip_depth\": 1}", "a.zip", deep.bytes, deep.length), "");
	/* Whatever it is called. */
	assert_string_equal(judge("{\"max_zip_depth\": 0}", "a.bin", deep.bytes, deep.length), "archive_depth");
	assert_string_equal(judge("{\"max_zip_depth\": 0}", ".a.zip.tmp", deep.bytes, deep.length), "archive_depth");
	free(flat.bytes);
	free(deep.bytes);
}

static void the_default_depth_is_three(void **state)
{
	struct made three = nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 3);
	struct made four = nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 4);

	(void)state;
	assert_string_equal(judge("{}", "a.zip", three.bytes, three.length), "");
	assert_string_equal(judge("{}", "a.zip", four.bytes, four.length), "archive_depth");
	free(three.bytes);
	free(four.bytes);
}

static void an_unrestricted_tenants_archives_are_not_opened(void **state)
{
	struct made deep = nest(MADE_ZIP, make_one(MADE_ZIP, "a", "x", 1), 6);

	(void)state;
	assert_string_equal(judge("{\"unrestricted\": true}", "a.zip", deep.bytes, deep.length), "");
	assert_string_equal(judge("{\"unrestricted\": true, \"max_zip_depth\": 2}", "a.zip", deep.bytes, deep.length),
			    "archive_depth");
	free(deep.bytes);
}

static void a_bomb_is_refused_in_words(void **state)
{
	struct archive_maker *maker = maker_new(MADE_ZIP);
	struct made made;

	(void)state;
	maker_add_zeros(maker, "zeros", 200 << 20);
	made = maker_finish(maker);
	assert_string_equal(judge("{}", "bomb.zip", made.bytes, made.length), "archive_bomb");
	assert_string_equal(verdict.reason, "bomb.zip is a decompression bomb: it unpacks to more than 128 MiB.");
	assert_string_equal(judge("{}", "bomb.bin", made.bytes, made.length), "archive_bomb");
	free(made.bytes);
}

static void what_is_no_archive_is_damaged_under_an_archives_name(void **state)
{
	struct made made = make_one(MADE_ZIP, "a.txt", "some content that is long enough", 32);

	(void)state;
	assert_string_equal(JUDGE("{}", "a.zip", "text"), "archive_corrupt");
	assert_string_equal(JUDGE("{}", "a.tar.gz", "text"), "archive_corrupt");
	assert_string_equal(JUDGE("{}", "a.7z", "\1\2\3\4"), "archive_corrupt");
	assert_string_equal(judge("{}", "a.zip", made.bytes, made.length - 5), "archive_corrupt");
	assert_string_equal(verdict.reason, "a.zip is damaged, or no archive that can be read: its end is missing.");
	free(made.bytes);
}

static void a_damaged_archive_under_another_name_is_a_file_like_any_other(void **state)
{
	struct made made = make_compressed("gzip", "some content that is long enough", 32);
	struct rules *rules = parse("{}");
	autoclose int fd = -1;

	(void)state;
	assert_string_equal(judge("{}", "a.bin", made.bytes, made.length - 5), "");
	assert_string_equal(verdict.media_type, "application/octet-stream");
	assert_string_equal(
		judge("{\"allowed_media_types\": \"application/gzip\"}", "a.bin", made.bytes, made.length - 5),
		"media_type");
	/* Under its new name it promises to be an archive, so it is read again. */
	fd = descriptor_of(made.bytes, made.length - 5);
	assert_true(validate_rename_reads(rules, "a.gz", 4, "application/octet-stream"));
	validate_rename(rules, detector, "a.gz", 4, "application/octet-stream", fd, made.length - 5, &verdict);
	assert_int_equal(verdict.error, -EPERM);
	assert_string_equal(verdict.rule, "archive_corrupt");
	rules_unref(rules);
	free(made.bytes);
}

static void a_rename_reads_only_when_it_must(void **state)
{
	struct rules *rules = parse("{}"), *free_rules = parse("{\"unrestricted\": true}");

	(void)state;
	assert_false(validate_rename_reads(rules, "b.zip", 5, "application/zip"));
	assert_false(validate_rename_reads(rules, "b.txt", 5, "text/csv"));
	assert_false(validate_rename_reads(rules, "b.docx", 6, DOCX_TYPE));
	assert_true(validate_rename_reads(rules, "b.zip", 5, DOCX_TYPE));
	assert_true(validate_rename_reads(rules, "b.zip", 5, "text/plain"));
	assert_true(validate_rename_reads(rules, "b.pdf", 5, ""));
	assert_false(validate_rename_reads(free_rules, "b.zip", 5, "text/plain"));
	validate_rename(rules, detector, "b.docx", 6, "application/zip", -1, 10, &verdict);
	assert_string_equal(verdict.rule, "media_type");
	validate_rename(rules, detector, "b.docx", 6, DOCX_TYPE, -1, 10, &verdict);
	assert_int_equal(verdict.error, 0);
	assert_string_equal(verdict.media_type, DOCX_TYPE);
	validate_rename(rules, detector, "b.zip", 5, "", -1, 0, &verdict);
	assert_int_equal(verdict.error, 0);
	rules_unref(rules);
	rules_unref(free_rules);
}

/* --- heads and descriptors ------------------------------------------------------------------------------------------
 */

static void a_head_of_any_length_refuses_only_what_is_certain(void **state)
{
	struct made made = make_docx();

	(void)state;
	for (size_t i = 0; i <= made.length && i <= DETECT_HEAD_BYTES; i++)
		assert_string_equal(judge_head("{}", "a.docx", made.bytes, i), "");
	for (size_t i = 0; i < sizeof(pdf); i++)
		assert_string_equal(judge_head("{}", "a.pdf", pdf, i), "");
	for (size_t i = 0; i < sizeof(png); i++)
		assert_string_equal(judge_head("{}", "a.png", png, i), "");
	free(made.bytes);
}

static void what_cannot_be_read_is_no_refusal(void **state)
{
	struct rules *rules = parse("{}");
	autoclose int folder = open("/tmp", O_RDONLY | O_DIRECTORY);

	(void)state;
	validate_content(rules, detector, "a.pdf", 5, -1, 10, &verdict);
	assert_int_equal(verdict.error, -EBADF);
	assert_null(verdict.rule);
	validate_content(rules, detector, "a.pdf", 5, folder, 10, &verdict);
	assert_int_equal(verdict.error, -EISDIR);
	rules_unref(rules);
}

static void the_offset_of_the_descriptor_stays(void **state)
{
	struct rules *rules = parse("{}");
	struct made made = nest(MADE_7Z, make_one(MADE_ZIP, "a", "x", 1), 1);
	autoclose int fd = descriptor_of(made.bytes, made.length);

	(void)state;
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	validate_content(rules, detector, "a.7z", 4, fd, made.length, &verdict);
	assert_int_equal(verdict.error, 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
	rules_unref(rules);
	free(made.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_executable_called_pdf_is_refused_in_words),
		cmocka_unit_test(families_contradict_and_members_of_one_do_not),
		cmocka_unit_test(text_and_unknown_content_contradict_nothing),
		cmocka_unit_test(an_extension_nobody_knows_promises_nothing),
		cmocka_unit_test(a_working_name_promises_nothing_until_it_is_renamed),
		cmocka_unit_test(an_unrestricted_tenant_may_call_anything_anything),
		cmocka_unit_test(an_empty_file_passes_every_content_rule),
		cmocka_unit_test(only_allowed_media_types_pass),
		cmocka_unit_test(denied_media_types_win),
		cmocka_unit_test(plain_text_is_what_its_name_says),
		cmocka_unit_test(a_document_is_judged_at_close_and_named_precisely),
		cmocka_unit_test(a_zip_called_docx_is_refused),
		cmocka_unit_test(a_document_cut_short_passes_and_fails_when_it_is_read),
		cmocka_unit_test(depth_zero_means_no_archive_in_an_archive),
		cmocka_unit_test(the_default_depth_is_three),
		cmocka_unit_test(an_unrestricted_tenants_archives_are_not_opened),
		cmocka_unit_test(a_bomb_is_refused_in_words),
		cmocka_unit_test(what_is_no_archive_is_damaged_under_an_archives_name),
		cmocka_unit_test(a_damaged_archive_under_another_name_is_a_file_like_any_other),
		cmocka_unit_test(a_rename_reads_only_when_it_must),
		cmocka_unit_test(a_head_of_any_length_refuses_only_what_is_certain),
		cmocka_unit_test(what_cannot_be_read_is_no_refusal),
		cmocka_unit_test(the_offset_of_the_descriptor_stays),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
