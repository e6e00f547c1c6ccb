/* Inside of detect_media_type() (extractor.h): what each part of it looks at. All answer with a constant, or NULL: not
 * mine. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "extractd/worker/extractor.h"

enum { DETECT_HEAD_BYTES = 64 << 10, DETECT_EXTENSION_SIZE = 12 };

/* The beginning of a file. */
struct detect_head {
	struct extract_input *in;
	const char *bytes; /* NUL behind them */
	size_t length;
	bool is_whole;
	char extension[DETECT_EXTENSION_SIZE]; /* lower case, without the dot; "" */
};

/* A zip archive: OOXML, ODF, EPUB or an archive. */
const char *detect_zip(const struct detect_head *head);
/* A compound file (OLE): Word, Excel, PowerPoint, Outlook, or an encrypted OOXML document. */
const char *detect_ole(const struct detect_head *head);
/* Text of any kind. NULL: it is no text. */
const char *detect_text(const struct detect_head *head);
bool detect_is_json(const char *text, size_t length, bool is_whole, bool *ret_is_lines);
