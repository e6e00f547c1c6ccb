/* shared/validate: media types by content alone. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/validate/detect.h"
#include "tests/unit/support/archives.h"

static struct detector *detector;

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

static void expect(const void *bytes, size_t length, const char *media_type)
{
	autoclose int fd = descriptor_of(bytes, length);
	struct content content;

	assert_int_equal(detect_content(detector, fd, length, &content), 0);
	assert_string_equal(content.media_type, media_type);
}

static void expect_text(const char *text, const char *media_type)
{
	expect(text, strlen(text), media_type);
}

static void text_is_told_apart_by_how_it_begins(void **state)
{
	(void)state;
	expect_text("hello\n", "text/plain");
	expect_text("caf\xc3\xa9 \xe2\x82\xac 5\n", "text/plain");
	expect_text("caf\xe9 in Latin-1\n", "text/plain");
	expect_text("\xef\xbb\xbfwith a mark", "text/plain");
	expect("\xff\xfeh\0i\0", 6, "text/plain");
	expect_text("\x1b[1mbold\x1b[0m\n", "text/plain");
	expect_text("<!DOCTYPE html><p>x", "text/html");
	expect_text("\n <HTML><body>", "text/html");
	expect_text("<!-- a comment --><html>", "text/html");
	expect_text("<?xml version='1.0'?><a/>", "text/xml");
	expect_text("<?xml version='1.0'?><!DOCTYPE svg><svg xmlns='x'/>", "image/svg+xml");
	expect_text("<svg/>", "image/svg+xml");
	expect_text("<?xml version='1.0'?><html xmlns='x'/>", "application/xhtml+xml");
	expect_text("<3 is a heart", "text/plain");
	expect_text("<!-- never closed", "text/plain");
	expect_text("#!/bin/sh\necho", "text/x-shellscript");
	expect_text("#!/usr/bin/env python3\n", "text/x-python");
	expect_text("#!/usr/bin/awk -f\n", "text/plain");
	expect_text("{\\rtf1 x}", "text/rtf");
	expect_text("%PDF-1.7\n", "application/pdf");
	expect_text("%!PS-Adobe", "application/postscript");
	expect_text("BEGIN:VCARD\n", "text/vcard");
}

static void json_is_grammar_not_a_first_letter(void **state)
{
	(void)state;
	expect_text("{\"a\": [1, -2.5e3, true, null, \"x\\\"y\"]}", "application/json");
	expect_text(" [] \n", "application/json");
	expect_text("{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson");
	expect_text("[1]\n[2]", "application/x-ndjson");
	expect_text("[section]\nkey = value\n", "text/plain");
	expect_text("[1] Smith, J.: On things", "text/plain");
	expect_text("{not json}", "text/plain");
	expect_text("{\"a\":1", "text/plain");
	expect_text("{\"a\":1} trailing", "text/plain");
	expect_text("{\"a\" 1}", "text/plain");
	expect_text("[1,]", "text/plain");
	expect_text("]", "text/plain");
	expect_text("{]", "text/plain");
}

static void json_that_goes_on_beyond_the_beginning_is_json(void **state)
{
	enum { LENGTH = 100000 };
	autofree char *text = malloc(LENGTH);

	(void)state;
	memset(text, '[', LENGTH);
	expect(text, LENGTH, "application/json");
	memset(text, 'x', LENGTH);
	memcpy(text, "{\"long\": \"", 10);
	expect(text, LENGTH, "application/json");
}

static void tables_have_the_same_fields_in_every_line(void **state)
{
	(void)state;
	expect_text("a,b\n1,2\n3,4\n", "text/csv");
	expect_text("a;b;c\n1;2;3\n", "text/csv");
	expect_text("a\tb\n1\t2\n3\t4", "text/tab-separated-values");
	expect_text("\"a,x\",b\n1,2\n\"3,\",4\n", "text/csv");
	expect_text("Dear Sir, madam,\nwe write to you\n", "text/plain");
	expect_text("one, two\nthree, four\n", "text/plain");
}

static void mail_has_headers(void **state)
{
	(void)state;
	expect_text("From: a@b\nTo: c@d\nSubject: x\n\nbody", "message/rfc822");
	expect_text("Received: from x\n\tby y\r\nDate: now\r\nMessage-ID: <1>\r\n\r\nbody", "message/rfc822");
	expect_text("From a@b Mon Jan  1 00:00:00 2024\nFrom: a@b\nTo: c\nDate: x\n\nbody", "application/mbox");
	expect_text("Note: buy milk\nFrom: the shop\n", "text/plain");
	expect_text("From here on: nothing\n", "text/plain");
}

static void binary_formats_have_signatures(void **state)
{
	char elf[64] = "\177ELF\2\1\1";
	char pe[256] = "MZ";

	(void)state;
	expect("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "image/png");
	expect("\xff\xd8\xff\xe0\0\x10JFIF", 10, "image/jpeg");
	expect("GIF89a\1\0\1\0", 10, "image/gif");
	expect("II*\0\x08\0\0\0", 8, "image/tiff");
	expect("RIFF\0\0\0\0WEBPVP8 ", 16, "image/webp");
	elf[16] = 2;
	expect(elf, sizeof(elf), "application/x-executable");
	elf[16] = 3;
	expect(elf, sizeof(elf), "application/x-sharedlib");
	pe[0x3c] = (char)128;
	memcpy(pe + 128, "PE\0\0", 4);
	expect(pe, sizeof(pe), "application/vnd.microsoft.portable-executable");
	expect("MZ\0\0\0", 5, "application/x-dosexec");
	expect("MZ is short for Marktzahl\n", 26, "text/plain");
}

static void what_is_not_known_is_a_stream_of_octets(void **state)
{
	(void)state;
	expect("\0\1\2\3\4\5\6\7", 8, "application/octet-stream");
	expect("\0", 1, "application/octet-stream");
}

static void real_programs_are_executables(void **state)
{
	autoclose int fd = open("/bin/sh", O_RDONLY);
	struct content content;

	(void)state;
	assert_int_equal(detect_content(detector, fd, (uint64_t)lseek(fd, 0, SEEK_END), &content), 0);
	assert_true(strcmp(content.media_type, "application/x-pie-executable") == 0 ||
		    strcmp(content.media_type, "application/x-executable") == 0);
}

static void expect_zip(const char *const *names, const char *mimetype, const char *media_type)
{
	struct archive_maker *maker = maker_new(MADE_ZIP);
	struct made made;

	for (; *names; names++)
		maker_add(maker, *names, mimetype ? mimetype : "x", strlen(mimetype ? mimetype : "x"));
	made = maker_finish(maker);
	expect(made.bytes, made.length, media_type);
	free(made.bytes);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_zip_is_told_by_what_is_in_it(void **state)
{
	(void)state;
	expect_zip(NAMES("a.txt"), NULL, "application/zip");
	expect_zip(NAMES("[Content_Types].xml", "word/document.xml"), NULL,
		   "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
	expect_zip(NAMES("xl/workbook.xml", "a", "[Content_Types].xml"), NULL,
		   "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
	expect_zip(NAMES("[Content_Types].xml", "ppt/presentation.xml"), NULL,
		   "application/vnd.openxmlformats-officedocument.presentationml.presentation");
	expect_zip(NAMES("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), NULL,
		   "application/vnd.ms-word.document.macroEnabled.12");
	expect_zip(NAMES("META-INF/container.xml"), NULL, "application/epub+zip");
	expect_zip(NAMES("META-INF/MANIFEST.MF", "A.class"), NULL, "application/java-archive");
	expect_zip(NAMES("word/document.xml"), NULL, "application/zip");
	expect_zip(NAMES("[Content_Types].xml"), NULL, "application/zip");
}

static void archives_have_signatures(void **state)
{
	static const struct {
		const char *filter, *media_type;
	} filters[] = {
		{"gzip", "application/gzip"},
		{"bzip2", "application/x-bzip2"},
		{"xz", "application/x-xz"},
		{"zstd", "application/zstd"},
		{"lz4", "application/x-lz4"},
		{"lzma", "application/x-lzma"},
		{"compress", "application/x-compress"},
	};
	struct made made;

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		made = make_compressed(filters[i].filter, "some text", 9);
		expect(made.bytes, made.length, filters[i].media_type);
		free(made.bytes);
	}
	made = make_one(MADE_TAR, "a", "b", 1);
	expect(made.bytes, made.length, "application/x-tar");
	memset(made.bytes + 257, 0, 255); /* as before there was a signature: the sum alone */
	memcpy(made.bytes + 148, "        ", 8);
	{
		unsigned sum = 0;

		for (int i = 0; i < 512; i++)
			sum += (unsigned char)made.bytes[i];
		snprintf(made.bytes + 148, 8, "%06o", sum);
	}
	expect(made.bytes, made.length, "application/x-tar");
	free(made.bytes);
	made = make_one(MADE_7Z, "a", "b", 1);
	expect(made.bytes, made.length, "application/x-7z-compressed");
	free(made.bytes);
}

static void a_document_cut_short_is_still_known_by_its_beginning(void **state)
{
	struct made made = make_docx();

	(void)state;
	expect(made.bytes, made.length - 10, "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
	free(made.bytes);
}

/* The goal is 20 µs for 4 KiB of text; a busy machine may take more, so only ten times that fails. */
static void four_kib_of_text_take_microseconds(void **state)
{
	enum { ROUNDS = 2000, LENGTH = 4096, LIMIT_US = 200 };
	char text[LENGTH];
	struct timespec begin, end;
	autoclose int fd = -1;
	struct content content;
	double us;

	(void)state;
	for (size_t i = 0; i < LENGTH; i++)
		text[i] = i % 61 == 60 ? '\n' : (char)('a' + i % 26);
	fd = descriptor_of(text, LENGTH);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(detect_content(detector, fd, LENGTH, &content), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	us = ((double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3) / ROUNDS;
	print_message("# %.1f us for 4 KiB of text\n", us);
	assert_true(us < LIMIT_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_told_apart_by_how_it_begins),
		cmocka_unit_test(json_is_grammar_not_a_first_letter),
		cmocka_unit_test(json_that_goes_on_beyond_the_beginning_is_json),
		cmocka_unit_test(tables_have_the_same_fields_in_every_line),
		cmocka_unit_test(mail_has_headers),
		cmocka_unit_test(binary_formats_have_signatures),
		cmocka_unit_test(what_is_not_known_is_a_stream_of_octets),
		cmocka_unit_test(real_programs_are_executables),
		cmocka_unit_test(a_zip_is_told_by_what_is_in_it),
		cmocka_unit_test(archives_have_signatures),
		cmocka_unit_test(a_document_cut_short_is_still_known_by_its_beginning),
		cmocka_unit_test(four_kib_of_text_take_microseconds),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
