#include "tests/unit/support/archives.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { ZEROS = 1 << 20 };

struct archive_maker {
	struct archive *archive;
	FILE *out;
	struct made made;
};

static la_ssize_t write_out(struct archive *archive, void *context, const void *bytes, size_t length)
{
	struct archive_maker *maker = context;

	(void)archive;
	return (la_ssize_t)fwrite(bytes, 1, length, maker->out);
}

static struct archive_maker *maker_open(struct archive *archive)
{
	struct archive_maker *maker = calloc(1, sizeof(*maker));

	assert_non_null(maker);
	maker->archive = archive;
	maker->out = open_memstream(&maker->made.bytes, &maker->made.length);
	archive_write_set_bytes_in_last_block(archive, 1);
	assert_int_equal(archive_write_open(archive, maker, NULL, write_out, NULL), ARCHIVE_OK);
	return maker;
}

struct archive_maker *maker_new(int format)
{
	struct archive *archive = archive_write_new();
	int r = format == MADE_ZIP   ? archive_write_set_format_zip(archive)
		: format == MADE_TAR ? archive_write_set_format_ustar(archive)
				     : archive_write_set_format_7zip(archive);

	assert_int_equal(r, ARCHIVE_OK);
	return maker_open(archive);
}

static void add_header(struct archive_maker *maker, const char *name, uint64_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)size);
	assert_int_equal(archive_write_header(maker->archive, entry), ARCHIVE_OK);
	archive_entry_free(entry);
}

void maker_add(struct archive_maker *maker, const char *name, const void *content, size_t content_length)
{
	add_header(maker, name, content_length);
	assert_int_equal(archive_write_data(maker->archive, content, content_length), content_length);
}

void maker_add_zeros(struct archive_maker *maker, const char *name, uint64_t count)
{
	char *zeros = calloc(1, ZEROS);

	add_header(maker, name, count);
	while (count > 0) {
		size_t part = count < ZEROS ? (size_t)count : ZEROS;

		assert_int_equal(archive_write_data(maker->archive, zeros, part), part);
		count -= part;
	}
	free(zeros);
}

struct made maker_finish(struct archive_maker *maker)
{
	struct made made;

	assert_int_equal(archive_write_free(maker->archive), ARCHIVE_OK);
	fclose(maker->out);
	made = maker->made;
	free(maker);
	return made;
}

struct made make_one(int format, const char *name, const void *content, size_t content_length)
{
	struct archive_maker *maker = maker_new(format);

	maker_add(maker, name, content, content_length);
	return maker_finish(maker);
}

struct made make_compressed(const char *filter, const void *content, size_t content_length)
{
	struct archive *archive = archive_write_new();
	struct archive_maker *maker;

	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
	maker = maker_open(archive);
	maker_add(maker, "data", content, content_length);
	return maker_finish(maker);
}

struct made nest(int format, struct made inner, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		struct made outer = make_one(format, "inner", inner.bytes, inner.length);

		free(inner.bytes);
		inner = outer;
	}
	return inner;
}

struct made make_docx(void)
{
	static const char xml[] = "<?xml version=\"1.0\"?><x/>";
	struct archive_maker *maker = maker_new(MADE_ZIP);

	maker_add(maker, "[Content_Types].xml", xml, sizeof(xml) - 1);
	maker_add(maker, "_rels/.rels", xml, sizeof(xml) - 1);
	maker_add(maker, "word/document.xml", xml, sizeof(xml) - 1);
	return maker_finish(maker);
}

int descriptor_of(const void *bytes, size_t length)
{
	int fd = memfd_create("content", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	return fd;
}
