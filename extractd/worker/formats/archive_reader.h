/*
 * Reading archives with libarchive: only formats named here, never mtree (it opens files by name), from memory, every
 * byte that comes out charged to the sink.
 */
#pragma once
#include <archive.h>
#include <archive_entry.h>
#include "extractd/worker/extractor.h"

/* Opens an archive held in memory; free with archive_read_free(). NULL: -ENOMEM, or no archive that is known. */
struct archive *archive_open(const uint8_t *bytes, size_t length, bool allow_bare_stream);
/*
 * The content of the entry just read, up to max_bytes, charged. 0; 1: there is more than max_bytes; -EFBIG: over the
 * sink's budget; -EBADMSG: damaged; -EACCES: encrypted.
 */
int archive_take(struct archive *archive, struct sink *sink, size_t max_bytes, struct buf *ret_bytes);
