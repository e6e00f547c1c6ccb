/*
 * What compressed files say they unpack to. It may be a lie, but only at the liar's expense: it is never taken as a
 * reason to let something pass, and where it stands at a place that chance could fill (gzip) it needs what comes out to
 * agree.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "shared/validate/archive.h"
#include "shared/validate/byte_order.h"

enum { XZ_FOOTER_BYTES = 12, XZ_INDEX_BYTES_MAX = 4096, GZIP_LEAST_BYTES = 18, ZSTD_HEADER_BYTES = 18 };

static bool read_at(int fd, uint64_t at, void *bytes, size_t length)
{
	return pread(fd, bytes, length, (off_t)at) == (ssize_t)length;
}

static uint64_t gzip_declared(int fd, uint64_t size_bytes)
{
	unsigned char trailer[4];

	if (size_bytes < GZIP_LEAST_BYTES || !read_at(fd, size_bytes - sizeof(trailer), trailer, sizeof(trailer)))
		return 0;
	return load_le32(trailer); /* modulo 2^32 */
}

/* A number of seven bits a byte, the lowest first. */
static bool take_number(const unsigned char **at, const unsigned char *end, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 63 && *at < end; shift += 7) {
		unsigned char byte = *(*at)++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_number = number;
			return true;
		}
	}
	return false;
}

/* The index at the end holds a pair of numbers for each block; its first blocks are enough. */
static uint64_t xz_declared(int fd, uint64_t size_bytes)
{
	unsigned char footer[XZ_FOOTER_BYTES], index[XZ_INDEX_BYTES_MAX];
	const unsigned char *at = index + 1, *end;
	uint64_t index_bytes, blocks, packed, unpacked, sum = 0;

	if (size_bytes < 2 * XZ_FOOTER_BYTES || !read_at(fd, size_bytes - sizeof(footer), footer, sizeof(footer)) ||
	    memcmp(footer + XZ_FOOTER_BYTES - 2, "YZ", 2) != 0)
		return 0;
	index_bytes = ((uint64_t)load_le32(footer + 4) + 1) * 4;
	if (index_bytes > size_bytes - XZ_FOOTER_BYTES)
		return 0;
	end = index + (index_bytes < sizeof(index) ? index_bytes : sizeof(index));
	if (!read_at(fd, size_bytes - XZ_FOOTER_BYTES - index_bytes, index, (size_t)(end - index)) || index[0] != 0 ||
	    !take_number(&at, end, &blocks))
		return 0;
	while (blocks-- > 0 && take_number(&at, end, &packed) && take_number(&at, end, &unpacked)) {
		if (__builtin_add_overflow(sum, unpacked, &sum))
			return UINT64_MAX;
	}
	return sum;
}

/* RFC 8878, 3.1.1.1: a size is optional and stands behind a window and a dictionary, both optional too. */
static uint64_t zstd_declared(int fd, uint64_t size_bytes)
{
	static const unsigned dictionary_bytes[] = {0, 1, 2, 4};
	unsigned char header[ZSTD_HEADER_BYTES] = {0};
	size_t want = size_bytes < sizeof(header) ? (size_t)size_bytes : sizeof(header), at = 5;
	bool is_single;

	if (!read_at(fd, 0, header, want) || want < at)
		return 0;
	is_single = header[4] & 0x20;
	at += !is_single + dictionary_bytes[header[4] & 3];
	switch (header[4] >> 6) {
	case 0:
		return is_single ? header[at] : 0;
	case 1:
		return load_le16(header + at) + 256U;
	case 2:
		return load_le32(header + at);
	default:
		return load_le64(header + at);
	}
}

uint64_t archive_declared(int fd, uint64_t size_bytes, enum archive_kind kind, bool *ret_is_certain)
{
	*ret_is_certain = kind != ARCHIVE_GZIP;
	switch (kind) {
	case ARCHIVE_GZIP:
		return gzip_declared(fd, size_bytes);
	case ARCHIVE_XZ:
		return xz_declared(fd, size_bytes);
	case ARCHIVE_ZSTD:
		return zstd_declared(fd, size_bytes);
	default:
		return 0;
	}
}
