/* A ZIP file's own list of its entries, read without unpacking anything and in constant memory. Private to
 * shared/validate. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { ZIP_BUFFER_BYTES = 128 * 1024, ZIP_MEDIA_TYPE_SIZE = 128 };

struct zip_index {
	bool is_whole; /* the list was found and read to its end */
	uint64_t entries;
	uint64_t declared_bytes; /* what the entries say they unpack to, all together; UINT64_MAX: beyond counting */
	char document_type[ZIP_MEDIA_TYPE_SIZE]; /* OOXML, ODF, EPUB, …; "" when it is an archive */
};

/* buffer: ZIP_BUFFER_BYTES of the caller's. A file cut short is described by what its beginning shows. -EIO: cannot be
 * read. */
int zip_index_read(int fd, uint64_t size_bytes, char *buffer, struct zip_index *ret_index);
