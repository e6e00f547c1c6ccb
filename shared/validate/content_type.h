/* What bytes are, by looking at their beginning. Private to shared/validate. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum archive_kind {
	ARCHIVE_NONE,
	ARCHIVE_ZIP,
	ARCHIVE_7Z,
	ARCHIVE_TAR,
	ARCHIVE_GZIP,
	ARCHIVE_BZIP2,
	ARCHIVE_XZ,
	ARCHIVE_ZSTD,
	ARCHIVE_LZ4,
	ARCHIVE_LZMA,
	ARCHIVE_COMPRESS,
	ARCHIVE_OPAQUE /* known to be one, but not opened: RAR, CAB, cpio, … */
};

enum { TAR_HEADER_BYTES = 512 };

/* signature.c. The kind by its first bytes, and its media type; TAR_HEADER_BYTES suffice. */
enum archive_kind archive_kind_of(const void *head, size_t length, const char **ret_media_type);
/* The media type of other content with an unmistakable beginning, NULL when it has none. */
const char *signature_type(const void *head, size_t length);
/* The same for beginnings so short that they count only when the content is no text. */
const char *weak_signature_type(const void *head, size_t length);
bool is_ole_compound(const void *head, size_t length);

/* text_type.c. NULL: not text. is_whole: nothing follows. */
const char *text_type(const char *head, size_t length, bool is_whole);
/* json_prefix.c: the beginning (or all, is_whole) of one JSON object or array, or of several, a line each. */
bool json_prefix(const char *text, size_t length, bool is_whole, bool *ret_is_lines);

/* ole_type.c: what an OLE compound file (Word 97, Excel 97, Outlook, installers) holds. */
const char *ole_type(int fd, uint64_t size_bytes);
