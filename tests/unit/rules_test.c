/* shared/validate: settings of a tenant, and what a name or a size decides. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/text.h"
#include "shared/config/config.h"
#include "shared/validate/validate.h"

static struct rules *parse(const char *json)
{
	struct rules *rules;
	char error[256] = "untouched";

	assert_int_equal(rules_parse(json, strlen(json), NULL, &rules, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	return rules;
}

static int judge_name(const struct rules *rules, const char *name)
{
	struct verdict verdict;

	validate_name(rules, name, strlen(name), &verdict);
	if (verdict.error)
		assert_string_equal(verdict.rule, "extension");
	else
		assert_string_equal(verdict.reason, "");
	return verdict.error;
}

static void a_new_tenant_has_the_defaults(void **state)
{
	struct rules *rules = parse("{}");

	(void)state;
	assert_int_equal(rules_max_file_size(rules), 100 << 20);
	assert_int_equal(rules_retention_days(rules), 0);
	assert_int_equal(judge_name(rules, "report.pdf"), 0);
	assert_int_equal(judge_name(rules, "REPORT.PDF"), 0);
	assert_int_equal(judge_name(rules, "backup.tar.gz"), 0);
	assert_int_equal(judge_name(rules, "setup.exe"), -EPERM);
	assert_int_equal(judge_name(rules, "Makefile"), -EPERM);
	rules_unref(rules);
}

static void every_extension_of_the_older_services_is_a_default(void **state)
{
	static const char *const names[] = {"a.txt",  "a.pdf", "a.doc",	 "a.docx", "a.xls",  "a.xlsx", "a.zip",
					    "a.json", "a.csv", "a.xml",	 "a.tsv",  "a.html", "a.pptx", "a.odt",
					    "a.ods",  "a.odp", "a.rtf",	 "a.epub", "a.eml",  "a.png",  "a.jpg",
					    "a.jpeg", "a.tif", "a.webp", "a.gif",  "a.7z",   "a.tar",  "a.gz",
					    "a.md",   "a.log", "a.jsonl"};
	struct rules *rules = parse("");

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(judge_name(rules, names[i]), 0);
	rules_unref(rules);
}

static void the_instances_settings_are_the_defaults(void **state)
{
	struct config *config = config_new();
	struct rules *rules;
	char error[256];

	(void)state;
	assert_int_equal(config_set(config, "ALLOWED_EXTENSIONS", ".txt, .dat", "test", error, sizeof(error)), 0);
	assert_int_equal(config_set(config, "MAX_FILE_SIZE", "1M", "test", error, sizeof(error)), 0);
	assert_int_equal(config_set(config, "FILE_RETENTION_DAYS", "30", "test", error, sizeof(error)), 0);
	assert_int_equal(rules_parse("{}", 2, config, &rules, error, sizeof(error)), 0);
	assert_int_equal(rules_max_file_size(rules), 1 << 20);
	assert_int_equal(rules_retention_days(rules), 30);
	assert_int_equal(judge_name(rules, "a.dat"), 0);
	assert_int_equal(judge_name(rules, "a.pdf"), -EPERM);
	rules_unref(rules);
	config_free(config);
}

static void a_list_of_ones_own_replaces_the_default(void **state)
{
	struct rules *rules = parse("{\"allowed_extensions\": [\".PDF\", \"*.csv\", \"tar.gz\"]}");

	(void)state;
	assert_int_equal(judge_name(rules, "a.pdf"), 0);
	assert_int_equal(judge_name(rules, "a.csv"), 0);
	assert_int_equal(judge_name(rules, "a.tar.gz"), 0);
	assert_int_equal(judge_name(rules, "a.gz"), -EPERM);
	assert_int_equal(judge_name(rules, "a.txt"), -EPERM);
	assert_int_equal(judge_name(rules, "pdf"), -EPERM);
	rules_unref(rules);
}

static void lists_may_be_written_as_text(void **state)
{
	struct rules *rules = parse("{\"allowed_extensions\": \".pdf, .txt\", \"denied_extensions\": \"txt\"}");

	(void)state;
	assert_int_equal(judge_name(rules, "a.pdf"), 0);
	assert_int_equal(judge_name(rules, "a.txt"), -EPERM);
	rules_unref(rules);
}

static void denied_wins_over_allowed(void **state)
{
	struct rules *rules = parse("{\"allowed_extensions\": [\"*\"], \"denied_extensions\": [\"exe\", \"\"]}");

	(void)state;
	assert_int_equal(judge_name(rules, "a.anything"), 0);
	assert_int_equal(judge_name(rules, "a.EXE"), -EPERM);
	assert_int_equal(judge_name(rules, "noextension"), -EPERM);
	rules_unref(rules);
}

static void an_empty_list_and_null_are_the_default(void **state)
{
	struct rules *rules = parse("{\"allowed_extensions\": [], \"denied_extensions\": null, \"max_file_size\": null,"
				    " \"allowed_media_types\": []}");

	(void)state;
	assert_int_equal(judge_name(rules, "a.pdf"), 0);
	assert_int_equal(judge_name(rules, "a.exe"), -EPERM);
	assert_int_equal(rules_max_file_size(rules), 100 << 20);
	rules_unref(rules);
}

static void a_star_takes_names_without_an_extension_too(void **state)
{
	struct rules *rules = parse("{\"allowed_extensions\": \"*\"}");

	(void)state;
	assert_int_equal(judge_name(rules, "Makefile"), 0);
	assert_int_equal(judge_name(rules, "a.b c"), 0);
	rules_unref(rules);
	rules = parse("{\"allowed_extensions\": [\"\", \"pdf\"]}");
	assert_int_equal(judge_name(rules, "Makefile"), 0);
	assert_int_equal(judge_name(rules, "a.exe"), -EPERM);
	rules_unref(rules);
}

static void a_working_name_waits_for_its_rename(void **state)
{
	struct rules *rules = parse("{}");

	(void)state;
	assert_int_equal(judge_name(rules, ".report.exe.Xy12z"), 0);
	assert_int_equal(judge_name(rules, ".exe"), 0);
	assert_true(name_is_working(".x", 2));
	assert_false(name_is_working("x.", 2));
	assert_false(name_is_working("", 0));
	rules_unref(rules);
}

static void unrestricted_lifts_what_is_not_set_beside_it(void **state)
{
	struct rules *rules = parse("{\"unrestricted\": true}");

	(void)state;
	assert_int_equal(judge_name(rules, "anything at all"), 0);
	assert_true(rules_max_file_size(rules) == INT64_MAX);
	rules_unref(rules);
	rules = parse("{\"max_file_size\": \"5k\", \"unrestricted\": true}");
	assert_int_equal(judge_name(rules, "anything.exe"), 0);
	assert_int_equal(rules_max_file_size(rules), 5 << 10);
	rules_unref(rules);
}

static void sizes_have_units(void **state)
{
	static const struct {
		const char *json;
		int64_t bytes;
	} sizes[] = {
		{"{\"max_file_size\": 1000}", 1000},
		{"{\"max_file_size\": \"1000\"}", 1000},
		{"{\"max_file_size\": \"100M\"}", 100 << 20},
		{"{\"max_file_size\": \"10GiB\"}", 10LL << 30},
		{"{\"max_file_size\": 0}", INT64_MAX},
		{"{\"max_file_size\": \"none\"}", INT64_MAX},
		{"{\"max_file_size\": 9223372036854775807}", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rules *rules = parse(sizes[i].json);

		assert_true(rules_max_file_size(rules) == sizes[i].bytes);
		rules_unref(rules);
	}
}

static const struct {
	const char *json, *in_error;
} mistakes[] = {
	{"[]", "object"},
	{"{", "object"},
	{"{} x", "object"},
	{"{\"max_size\": 1}", "max_size"},
	{"{\"max_file_size\": -1}", "max_file_size"},
	{"{\"max_file_size\": \"much\"}", "max_file_size"},
	{"{\"max_file_size\": 1.5}", "max_file_size"},
	{"{\"max_zip_depth\": 33}", "max_zip_depth"},
	{"{\"max_zip_depth\": \"deep\"}", "max_zip_depth"},
	{"{\"retention_days\": -5}", "retention_days"},
	{"{\"allowed_extensions\": 5}", "allowed_extensions"},
	{"{\"allowed_extensions\": [5]}", "allowed_extensions"},
	{"{\"allowed_extensions\": [\"p/df\"]}", "p/df"},
	{"{\"denied_extensions\": [\"a..b\"]}", "a..b"},
	{"{\"allowed_media_types\": [\"pdf\"]}", "pdf"},
	{"{\"allowed_media_types\": [\"image/p*\"]}", "image/p*"},
	{"{\"denied_media_types\": [\"a/b/c\"]}", "a/b/c"},
	{"{\"unrestricted\": \"yes\"}", "unrestricted"},
	{"{\"max_zip_depth\": 1, \"max_zip_depth\": 2}", "object"},
};

static void a_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct rules *rules = NULL;
		char error[256] = "";

		assert_int_equal(
			rules_parse(mistakes[i].json, strlen(mistakes[i].json), NULL, &rules, error, sizeof(error)),
			-EINVAL);
		assert_null(rules);
		assert_non_null(strstr(error, mistakes[i].in_error));
	}
}

static void a_mount_goes_on_with_the_default_of_what_is_wrong(void **state)
{
	static const char json[] = "{\"max_zip_depth\": 99, \"max_file_size\": \"5k\", \"new_setting\": 1}";
	struct rules *rules;
	char error[256] = "";

	(void)state;
	assert_int_equal(rules_parse_tolerant(json, strlen(json), NULL, &rules, error, sizeof(error)), 0);
	assert_non_null(strstr(error, "max_zip_depth"));
	assert_int_equal(rules_max_file_size(rules), 5 << 10);
	rules_unref(rules);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		assert_int_equal(rules_parse_tolerant(mistakes[i].json, strlen(mistakes[i].json), NULL, &rules, error,
						      sizeof(error)),
				 0);
		assert_string_not_equal(error, "");
		assert_int_equal(judge_name(rules, "a.pdf"), 0);
		rules_unref(rules);
	}
}

static void a_file_one_byte_too_large_is_refused(void **state)
{
	struct rules *rules = parse("{\"max_file_size\": 1000}");
	struct verdict verdict;

	(void)state;
	validate_size(rules, 1000, &verdict);
	assert_int_equal(verdict.error, 0);
	validate_size(rules, 1001, &verdict);
	assert_int_equal(verdict.error, -EFBIG);
	assert_string_equal(verdict.rule, "size");
	assert_string_equal(verdict.reason, "The file would have 1001 bytes; 1000 bytes are allowed here.");
	rules_unref(rules);
}

static void the_extension_is_lower_case_letters_and_digits_or_none(void **state)
{
	static const struct {
		const char *name, *extension;
	} names[] = {
		{"a.PDF", "pdf"},
		{"a.tar.gz", "gz"},
		{"a", ""},
		{"a.", ""},
		{".profile", ""},
		{".a.b", "b"},
		{"a.b c", ""},
		{"a.pdf ", ""},
		{"a.\xc3\xa9", ""},
		{"a.7z", "7z"},
		{"a.abcdefghijklmnop", "abcdefghijklmnop"},
		{"a.abcdefghijklmnopq", ""},
		{"a.b.", ""},
		{"..", ""},
		{"...x", "x"},
		{"a.p\ndf", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char extension[17];

		name_extension(names[i].name, strlen(names[i].name), extension);
		assert_string_equal(extension, names[i].extension);
	}
}

static void a_reason_is_one_line_of_utf8_whatever_the_name(void **state)
{
	struct rules *rules = parse("{}");
	struct verdict verdict;
	char name[255];

	(void)state;
	validate_name(rules, "a\n\xff\x1b[31m.exe", 12, &verdict);
	assert_string_equal(verdict.reason, "a\\x0A\\xFF\\x1B[31m.exe has the extension exe, which is not among those "
					    "allowed here.");
	for (int byte = 1; byte < 256; byte++) {
		memset(name, byte, sizeof(name));
		memcpy(name + sizeof(name) - 4, ".exe", 4);
		validate_name(rules, name, sizeof(name), &verdict);
		if (byte == '.')
			continue;
		assert_int_equal(verdict.error, -EPERM);
		assert_true(utf8_is_valid(verdict.reason, strlen(verdict.reason)));
		assert_non_null(strstr(verdict.reason, ".exe has the extension exe"));
		assert_null(strpbrk(verdict.reason, "\n\r\x1b"));
	}
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i + 3 <= sizeof(name); i += 3)
		memcpy(name + i, "€", 3);
	validate_name(rules, name, sizeof(name), &verdict);
	assert_true(utf8_is_valid(verdict.reason, strlen(verdict.reason)));
	rules_unref(rules);
}

static void rules_are_shared_by_reference(void **state)
{
	struct rules *rules = parse("{}");

	(void)state;
	assert_ptr_equal(rules_ref(rules), rules);
	rules_unref(rules);
	assert_int_equal(judge_name(rules, "a.pdf"), 0);
	rules_unref(rules);
	rules_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_tenant_has_the_defaults),
		cmocka_unit_test(every_extension_of_the_older_services_is_a_default),
		cmocka_unit_test(the_instances_settings_are_the_defaults),
		cmocka_unit_test(a_list_of_ones_own_replaces_the_default),
		cmocka_unit_test(lists_may_be_written_as_text),
		cmocka_unit_test(denied_wins_over_allowed),
		cmocka_unit_test(an_empty_list_and_null_are_the_default),
		cmocka_unit_test(a_star_takes_names_without_an_extension_too),
		cmocka_unit_test(a_working_name_waits_for_its_rename),
		cmocka_unit_test(unrestricted_lifts_what_is_not_set_beside_it),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(a_mistake_is_named),
		cmocka_unit_test(a_mount_goes_on_with_the_default_of_what_is_wrong),
		cmocka_unit_test(a_file_one_byte_too_large_is_refused),
		cmocka_unit_test(the_extension_is_lower_case_letters_and_digits_or_none),
		cmocka_unit_test(a_reason_is_one_line_of_utf8_whatever_the_name),
		cmocka_unit_test(rules_are_shared_by_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
