/*
 * The text of a Word binary document (.doc, Word 97 to 2003), out of its streams: [MS-DOC] 2.4.1. Hostile bytes: every
 * offset is checked against the stream it points into.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

/*
 * Appends the whole text as UTF-8, paragraphs ended by a newline, cells of a table row parted by " | ", field
 * instructions left out. 0; -EBADMSG: no Word document, or damaged; -EACCES: encrypted; -ENOTSUP: older than Word 6;
 * -EOVERFLOW: ret_text is full (what fits is there).
 */
int word_text(const uint8_t *document, size_t document_length, const uint8_t *table, size_t table_length,
	      struct buf *ret_text);
/* Which stream is the table: '0' or '1'. 0: document is too short to say. */
char word_table_digit(const uint8_t *document, size_t document_length);
