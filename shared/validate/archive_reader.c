/*
 * No reader is left to guess: the signature chose the one that is asked. A compressed file is read as raw bytes,
 * whatever is in it, and a tar within is a reader of its own, so that every byte that comes out of a filter passes by
 * and is counted.
 */
#include "shared/validate/archive_reader.h"

#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

/* --- sources --------------------------------------------------------------------------------------------------------
 */

static la_ssize_t read_file(struct archive *archive, void *context, const void **ret_block)
{
	struct file_source *source = context;
	uint64_t left = source->at < source->size_bytes ? source->size_bytes - source->at : 0;
	ssize_t n;

	do {
		n = pread(source->fd, source->block, left < READER_BLOCK_BYTES ? (size_t)left : READER_BLOCK_BYTES,
			  (off_t)source->at);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		source->error = -errno;
		archive_set_error(archive, errno, "cannot be read");
		return ARCHIVE_FATAL;
	}
	source->at += (uint64_t)n;
	*ret_block = source->block;
	return n;
}

static la_int64_t skip_file(struct archive *archive, void *context, la_int64_t count)
{
	struct file_source *source = context;
	uint64_t left = source->at < source->size_bytes ? source->size_bytes - source->at : 0;

	(void)archive;
	if (count <= 0)
		return 0;
	if ((uint64_t)count > left)
		count = (la_int64_t)left;
	source->at += (uint64_t)count;
	return count;
}

static la_int64_t seek_file(struct archive *archive, void *context, la_int64_t offset, int whence)
{
	struct file_source *source = context;
	la_int64_t base = whence == SEEK_SET   ? 0
			  : whence == SEEK_CUR ? (la_int64_t)source->at
					       : (la_int64_t)source->size_bytes;
	la_int64_t at;

	(void)archive;
	if (__builtin_add_overflow(base, offset, &at) || at < 0)
		return ARCHIVE_FATAL;
	source->at = (uint64_t)at;
	return at;
}

static la_ssize_t read_stream(struct archive *archive, void *context, const void **ret_block)
{
	struct stream_source *source = context;
	size_t length;

	if (source->next(source->context, ret_block, &length) < 0) {
		archive_set_error(archive, EIO, "the archive around it cannot be read on");
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)length;
}

/* --- readers --------------------------------------------------------------------------------------------------------
 */

/* compress reads ahead when it is made, so it cannot be made before there is something to read: it alone has to bid. */
static int support_filter(struct archive *archive, int filter)
{
	int r = filter == ARCHIVE_FILTER_COMPRESS ? archive_read_support_filter_compress(archive)
						  : archive_read_append_filter(archive, filter);

	if (r == ARCHIVE_OK)
		r = archive_read_support_format_raw(archive);
	return r == ARCHIVE_OK ? archive_read_support_format_empty(archive) : r;
}

static int support(struct archive *archive, enum archive_kind kind, bool can_seek)
{
	switch (kind) {
	case ARCHIVE_ZIP:
		return can_seek ? archive_read_support_format_zip(archive)
				: archive_read_support_format_zip_streamable(archive);
	case ARCHIVE_7Z:
		return archive_read_support_format_7zip(archive);
	case ARCHIVE_TAR:
		return archive_read_support_format_tar(archive);
	case ARCHIVE_GZIP:
		return support_filter(archive, ARCHIVE_FILTER_GZIP);
	case ARCHIVE_BZIP2:
		return support_filter(archive, ARCHIVE_FILTER_BZIP2);
	case ARCHIVE_XZ:
		return support_filter(archive, ARCHIVE_FILTER_XZ);
	case ARCHIVE_LZMA:
		return support_filter(archive, ARCHIVE_FILTER_LZMA);
	case ARCHIVE_ZSTD:
		return support_filter(archive, ARCHIVE_FILTER_ZSTD);
	case ARCHIVE_LZ4:
		return support_filter(archive, ARCHIVE_FILTER_LZ4);
	case ARCHIVE_COMPRESS:
		return support_filter(archive, ARCHIVE_FILTER_COMPRESS);
	case ARCHIVE_NONE:
	case ARCHIVE_OPAQUE:
		break;
	}
	return ARCHIVE_FATAL;
}

/* Never a helper program: a filter that libarchive was built without answers ARCHIVE_WARN and is refused. */
static int reader_new(enum archive_kind kind, bool can_seek, struct archive **ret_archive)
{
	struct archive *archive = archive_read_new();
	int r;

	*ret_archive = archive;
	if (!archive)
		return -ENOMEM;
	r = support(archive, kind, can_seek);
	return r == ARCHIVE_WARN ? ARCHIVE_FATAL : r;
}

/* A filter that failed before its first byte leaves what looks like an empty file, and an error. */
static int reader_open(struct archive *archive, void *source)
{
	int r;

	archive_read_set_callback_data(archive, source);
	r = archive_read_open1(archive);
	return r == ARCHIVE_OK && archive_errno(archive) != 0 ? ARCHIVE_FATAL : r;
}

int reader_open_file(struct file_source *source, enum archive_kind kind, struct archive **ret_archive)
{
	int r = reader_new(kind, true, ret_archive);

	if (r != ARCHIVE_OK)
		return r;
	archive_read_set_read_callback(*ret_archive, read_file);
	archive_read_set_skip_callback(*ret_archive, skip_file);
	archive_read_set_seek_callback(*ret_archive, seek_file);
	return reader_open(*ret_archive, source);
}

int reader_open_stream(struct stream_source *source, enum archive_kind kind, struct archive **ret_archive)
{
	int r = reader_new(kind, false, ret_archive);

	if (r != ARCHIVE_OK)
		return r;
	archive_read_set_read_callback(*ret_archive, read_stream);
	return reader_open(*ret_archive, source);
}
