/* libarchive over a descriptor or over an entry of another archive, one format or one filter at a time. Private to
 * shared/validate. */
#pragma once
#include <archive.h>
#include "shared/validate/content_type.h"

enum { READER_BLOCK_BYTES = 64 * 1024 };

/* Bytes of a descriptor, read with pread, so that its offset stays and 7z and ZIP can look at their ends first. */
struct file_source {
	int fd, error; /* error: negative errno of the descriptor, not the content's fault */
	uint64_t size_bytes, at;
	char block[READER_BLOCK_BYTES];
};

/* Gives the next block of an entry; *ret_length 0 at its end. Negative: it cannot be read on. */
typedef int reader_next_fn(void *context, const void **ret_block, size_t *ret_length);

struct stream_source {
	reader_next_fn *next;
	void *context;
};

/* ARCHIVE_OK, or libarchive's error with *ret_archive to ask about it (and to free). -ENOMEM: NULL there. */
int reader_open_file(struct file_source *source, enum archive_kind kind, struct archive **ret_archive);
int reader_open_stream(struct stream_source *source, enum archive_kind kind, struct archive **ret_archive);
