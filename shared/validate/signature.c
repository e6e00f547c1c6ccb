/* Beginnings of files. What is common is known here, in nanoseconds; libmagic knows the rest. */
#include <string.h>
#include "shared/validate/byte_order.h"
#include "shared/validate/content_type.h"

struct signature {
	size_t offset, length;
	const char *bytes;
	const char *media_type;
	enum archive_kind kind;
};

#define AT(offset, bytes) (offset), sizeof(bytes) - 1, (bytes)

static const struct signature archives[] = {
	{AT(0, "PK\3\4"), "application/zip", ARCHIVE_ZIP},
	{AT(0, "PK\5\6"), "application/zip", ARCHIVE_ZIP},
	{AT(0, "PK\7\10PK\3\4"), "application/zip", ARCHIVE_ZIP},
	{AT(0, "\x1f\x8b\x08"), "application/gzip", ARCHIVE_GZIP},
	{AT(0, "7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed", ARCHIVE_7Z},
	{AT(0, "\xfd"
	       "7zXZ\0"),
	 "application/x-xz", ARCHIVE_XZ},
	{AT(0, "\x28\xb5\x2f\xfd"), "application/zstd", ARCHIVE_ZSTD},
	{AT(0, "\x04\x22\x4d\x18"), "application/x-lz4", ARCHIVE_LZ4},
	{AT(0, "\x1f\x9d"), "application/x-compress", ARCHIVE_COMPRESS},
	{AT(0, "Rar!\x1a\x07"), "application/vnd.rar", ARCHIVE_OPAQUE},
	{AT(0, "MSCF\0\0\0\0"), "application/vnd.ms-cab-compressed", ARCHIVE_OPAQUE},
	{AT(0, "!<arch>\ndebian"), "application/vnd.debian.binary-package", ARCHIVE_OPAQUE},
	{AT(0, "!<arch>\n"), "application/x-archive", ARCHIVE_OPAQUE},
	{AT(0, "070701"), "application/x-cpio", ARCHIVE_OPAQUE},
	{AT(0, "070702"), "application/x-cpio", ARCHIVE_OPAQUE},
	{AT(0, "070707"), "application/x-cpio", ARCHIVE_OPAQUE},
	{AT(0, "\xed\xab\xee\xdb"), "application/x-rpm", ARCHIVE_OPAQUE},
	{AT(0, "xar!\0"), "application/x-xar", ARCHIVE_OPAQUE},
	{AT(0, "LZIP\1"), "application/x-lzip", ARCHIVE_OPAQUE},
};

static const struct signature others[] = {
	{AT(0, "%PDF-"), "application/pdf", 0},
	{AT(0, "\xef\xbb\xbf%PDF-"), "application/pdf", 0},
	{AT(0, "\x89PNG\r\n\x1a\n"), "image/png", 0},
	{AT(0, "\xff\xd8\xff"), "image/jpeg", 0},
	{AT(0, "GIF87a"), "image/gif", 0},
	{AT(0, "GIF89a"), "image/gif", 0},
	{AT(0, "II*\0"), "image/tiff", 0},
	{AT(0, "MM\0*"), "image/tiff", 0},
	{AT(8, "WEBPVP8"), "image/webp", 0},
	{AT(0, "{\\rtf"), "text/rtf", 0},
	{AT(0, "%!PS"), "application/postscript", 0},
	{AT(0, "\0asm\1\0\0\0"), "application/wasm", 0},
	{AT(0, "SQLite format 3\0"), "application/vnd.sqlite3", 0},
};

static bool matches(const struct signature *signature, const char *head, size_t length)
{
	return length >= signature->offset + signature->length &&
	       memcmp(head + signature->offset, signature->bytes, signature->length) == 0;
}

/* A sum over the header, written in octal into it: as good as a signature, also for archives from before there was one.
 */
static bool is_tar(const unsigned char *head, size_t length)
{
	enum { SUM_OFFSET = 148, SUM_LENGTH = 8 };
	unsigned sum = 0, written = 0;
	size_t i = SUM_OFFSET;

	if (length < TAR_HEADER_BYTES || head[0] == '\0')
		return false;
	while (i < SUM_OFFSET + SUM_LENGTH && head[i] == ' ')
		i++;
	for (; i < SUM_OFFSET + SUM_LENGTH && head[i] >= '0' && head[i] <= '7'; i++)
		written = written * 8 + (head[i] - '0');
	for (i = 0; i < TAR_HEADER_BYTES; i++)
		sum += i >= SUM_OFFSET && i < SUM_OFFSET + SUM_LENGTH ? ' ' : head[i];
	return written != 0 && sum == written;
}

/* An LZMA file has no signature: its properties, a dictionary of 2^n or 3 * 2^n bytes, a size or none. */
static bool is_lzma(const unsigned char *head, size_t length)
{
	enum { HEADER_BYTES = 13, SIZE_LIMIT_BITS = 40 };
	uint32_t dictionary;
	uint64_t size;

	if (length <= HEADER_BYTES || head[0] != 0x5d || head[HEADER_BYTES] != 0)
		return false;
	dictionary = load_le32(head + 1);
	size = load_le64(head + 5);
	while (dictionary > 3 && dictionary % 2 == 0)
		dictionary /= 2;
	return (dictionary == 2 || dictionary == 3) && (size == UINT64_MAX || size >> SIZE_LIMIT_BITS == 0);
}

static bool is_bzip2(const char *head, size_t length)
{
	return length >= 10 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
	       (memcmp(head + 4, "1AY&SY", 6) == 0 || memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

enum archive_kind archive_kind_of(const void *head, size_t length, const char **ret_media_type)
{
	for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++) {
		if (!matches(&archives[i], head, length))
			continue;
		*ret_media_type = archives[i].media_type;
		return archives[i].kind;
	}
	*ret_media_type = "application/x-bzip2";
	if (is_bzip2(head, length))
		return ARCHIVE_BZIP2;
	*ret_media_type = "application/x-tar";
	if (is_tar(head, length))
		return ARCHIVE_TAR;
	*ret_media_type = "application/x-lzma";
	return is_lzma(head, length) ? ARCHIVE_LZMA : ARCHIVE_NONE;
}

/* A program that is moved about in memory has the type of a library; that it names an interpreter tells it apart. */
static bool elf_has_interpreter(const unsigned char *head, size_t length)
{
	enum { PT_INTERPRETER = 3, PHOFF_64 = 32, PHOFF_32 = 28, HEADER_64 = 56, HEADER_32 = 32, HEADERS_MAX = 64 };
	bool is_64 = head[4] == 2;
	uint64_t at = is_64 ? load_le64(head + PHOFF_64) : load_le32(head + PHOFF_32);
	size_t step = is_64 ? HEADER_64 : HEADER_32;

	for (unsigned i = 0; i < HEADERS_MAX && at < length && length - at >= step; i++, at += step) {
		if (load_le32(head + at) == PT_INTERPRETER)
			return true;
	}
	return false;
}

static const char *elf_type(const unsigned char *head, size_t length)
{
	enum { HEADER_BYTES = 64, RELOCATABLE = 1, EXECUTABLE, SHARED, CORE };
	bool is_little = length > 5 && head[5] == 1;
	unsigned type;

	if (length < HEADER_BYTES)
		return "application/x-executable";
	type = is_little ? head[16] : head[17];
	if (type == RELOCATABLE)
		return "application/x-object";
	if (type == CORE)
		return "application/x-coredump";
	if (type == SHARED)
		return is_little && elf_has_interpreter(head, length) ? "application/x-pie-executable"
								      : "application/x-sharedlib";
	return "application/x-executable";
}

const char *signature_type(const void *head, size_t length)
{
	if (length >= 4 && memcmp(head, "\177ELF", 4) == 0)
		return elf_type(head, length);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (matches(&others[i], head, length))
			return others[i].media_type;
	}
	return NULL;
}

const char *weak_signature_type(const void *head, size_t length)
{
	enum { PE_POINTER = 0x3c };
	const unsigned char *bytes = head;
	uint32_t pe;

	if (length < 2 || memcmp(bytes, "MZ", 2) != 0)
		return NULL;
	if (length >= PE_POINTER + 4) {
		pe = load_le32(bytes + PE_POINTER);
		if (pe <= length - 4 && memcmp(bytes + pe, "PE\0\0", 4) == 0)
			return "application/vnd.microsoft.portable-executable";
	}
	return "application/x-dosexec";
}

bool is_ole_compound(const void *head, size_t length)
{
	return length >= 8 && memcmp(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
}
