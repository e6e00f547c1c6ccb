#include "extractd/worker/formats/archive_reader.h"

#include <errno.h>
#include <string.h>

struct archive *archive_open(const uint8_t *bytes, size_t length, bool allow_bare_stream)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return NULL;
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_compress(archive);
	archive_read_support_format_zip_seekable(archive);
	archive_read_support_format_zip_streamable(archive);
	archive_read_support_format_tar(archive);
	archive_read_support_format_gnutar(archive);
	archive_read_support_format_7zip(archive);
	archive_read_support_format_rar(archive);
	archive_read_support_format_rar5(archive);
	archive_read_support_format_cpio(archive);
	archive_read_support_format_ar(archive);
	archive_read_support_format_cab(archive);
	archive_read_support_format_iso9660(archive);
	if (allow_bare_stream)
		archive_read_support_format_raw(archive);
	if (archive_read_open_memory(archive, bytes, length) == ARCHIVE_OK)
		return archive;
	archive_read_free(archive);
	return NULL;
}

int archive_take(struct archive *archive, struct sink *sink, size_t max_bytes, struct buf *ret_bytes)
{
	char piece[16384];

	for (;;) {
		la_ssize_t length = archive_read_data(archive, piece, sizeof(piece));
		int r;

		if (length == 0)
			return 0;
		if (length < 0)
			return archive_read_has_encrypted_entries(archive) > 0 ? -EACCES : -EBADMSG;
		r = sink_charge(sink, (uint64_t)length);
		if (r < 0)
			return r;
		if (ret_bytes->length + (size_t)length > max_bytes)
			return 1;
		r = buf_append(ret_bytes, piece, (size_t)length);
		if (r < 0)
			return r;
	}
}
