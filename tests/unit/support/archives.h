/* Archives and other contents for tests, made with libarchive. Bytes are the caller's to free. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct made {
	char *bytes;
	size_t length;
};

enum { MADE_ZIP, MADE_TAR, MADE_7Z };

/* One entry at a time; content_length 0 makes an empty file. */
struct archive_maker;
struct archive_maker *maker_new(int format);
void maker_add(struct archive_maker *maker, const char *name, const void *content, size_t content_length);
void maker_add_zeros(struct archive_maker *maker, const char *name, uint64_t count);
struct made maker_finish(struct archive_maker *maker);

struct made make_one(int format, const char *name, const void *content, size_t content_length);
/* "gzip", "bzip2", "xz", "zstd", "lz4", "lzma", "compress": libarchive's names. */
struct made make_compressed(const char *filter, const void *content, size_t content_length);
/* inner in an archive in an archive …: depth archives around it. Frees inner. */
struct made nest(int format, struct made inner, unsigned depth);
/* A DOCX as far as anybody looks. */
struct made make_docx(void);

/* A memfd of the bytes, -1 never. */
int descriptor_of(const void *bytes, size_t length);
