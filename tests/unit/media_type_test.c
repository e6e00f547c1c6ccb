/* Types by content; the name decides between kinds of text alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/extractor.h"

static struct limits limits;

static void expect_bytes(const char *name, const void *bytes, size_t length, const char *wanted)
{
	struct extract_input in = {.name = name, .size_bytes = length, .limits = &limits, .fd = -1, .memory = bytes};
	char found[EXTRACT_MEDIA_TYPE_SIZE];

	assert_int_equal(detect_media_type(&in, found), 0);
	if (strcmp(found, wanted) != 0)
		fail_msg("%s is %s, not %s", name, found, wanted);
}

#define EXPECT(name, bytes, wanted) expect_bytes(name, bytes, sizeof(bytes) - 1, wanted)

static void empty_files_have_a_type_of_their_own(void **state)
{
	(void)state;
	EXPECT("x.pdf", "", "inode/x-empty");
}

static void known_beginnings_decide_whatever_the_name(void **state)
{
	(void)state;
	EXPECT("x.txt", "%PDF-1.4\n...", "application/pdf");
	EXPECT("x.csv", "\x89PNG\r\n\x1A\n....", "image/png");
	EXPECT("x", "{\\rtf1 hello}", "text/rtf");
	EXPECT("x.txt", "\x1F\x8B\x08\0\0\0", "application/gzip");
}

static void markup_is_told_apart(void **state)
{
	(void)state;
	EXPECT("x", "<!DOCTYPE html><html></html>", "text/html");
	EXPECT("x", "\n <!-- hi --><html><body>x", "text/html");
	EXPECT("x", "<p>Hello</p>", "text/html");
	EXPECT("x.html", "<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns=\"x\"></html>", "application/xhtml+xml");
	EXPECT("x", "<?xml version=\"1.0\"?>\n<note/>", "text/xml");
	EXPECT("x", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", "image/svg+xml");
	EXPECT("x", "<note><to>x</to></note>", "text/xml");
	EXPECT("x", "< 5 and > 3", "text/plain");
}

static void json_is_parsed_not_guessed(void **state)
{
	(void)state;
	EXPECT("x", "{\"a\": [1, 2]}", "application/json");
	EXPECT("x", "[1, 2\n]", "application/json");
	EXPECT("x", "{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson");
	EXPECT("x", "{curly} braces", "text/plain");
	EXPECT("x.json", "{broken", "application/json");
	EXPECT("x.jsonl", "{\"a\":1}", "application/x-ndjson");
	EXPECT("x.md", "[link](target)", "text/markdown");
}

static void mail_is_known_by_its_head(void **state)
{
	(void)state;
	EXPECT("x", "From: a@b.de\r\nTo: c@d.de\r\nSubject: hi\r\n\r\nbody", "message/rfc822");
	EXPECT("x", "From a@b.de Thu Jan  1 00:00:00 1970\nFrom: a@b.de\nSubject: hi\nDate: x\n\nbody",
	       "application/mbox");
	EXPECT("x", "To: the reader\nthis is a text\n", "text/plain");
	EXPECT("x.yaml", "from: a\nto: b\nkey: c\n", "text/x-yaml");
}

static void tables_are_known_by_name_or_by_every_row(void **state)
{
	(void)state;
	EXPECT("x.csv", "one column\nof text\n", "text/csv");
	EXPECT("x", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "text/csv");
	EXPECT("x", "a\tb\n1\t2\n4\t5\n7\t8\n", "text/tab-separated-values");
	EXPECT("x", "Hello, world\nthis is, as it were, text\nand more\nand more\n", "text/plain");
	EXPECT("x.c", "a,b\nc,d\ne,f\ng,h\n", "text/x-c");
}

static void what_the_name_claims_counts_only_where_the_content_says_nothing(void **state)
{
	(void)state;
	EXPECT("x.docx", "this is no zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
	EXPECT("x.pdf", "\x01\x02\x03\x04\x05\0\0\0", "application/pdf");
	EXPECT("x.docx", "{\\rtf1 x}", "text/rtf");
	EXPECT("x", "\x01\x02\x03\x04\x05\0\0\0", "application/octet-stream");
}

static void utf16_text_is_text(void **state)
{
	(void)state;
	EXPECT("x", "\xFF\xFEh\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0", "text/plain");
	EXPECT("x.csv", "\xFF\xFE" "a\0,\0b\0\n\0", "text/csv");
}

static void a_truncated_zip_is_judged_by_its_first_names(void **state)
{
	static const char head[] = "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types]."
				   "xml....PK\x03\x04\x14"
				   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x11\0\0\0word/document.xml....";

	(void)state;
	EXPECT("x", head, "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
	EXPECT("x", "PK\x03\x04", "application/zip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_files_have_a_type_of_their_own),
		cmocka_unit_test(known_beginnings_decide_whatever_the_name),
		cmocka_unit_test(markup_is_told_apart),
		cmocka_unit_test(json_is_parsed_not_guessed),
		cmocka_unit_test(mail_is_known_by_its_head),
		cmocka_unit_test(tables_are_known_by_name_or_by_every_row),
		cmocka_unit_test(what_the_name_claims_counts_only_where_the_content_says_nothing),
		cmocka_unit_test(utf16_text_is_text),
		cmocka_unit_test(a_truncated_zip_is_judged_by_its_first_names),
	};

	if (detect_preload() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
