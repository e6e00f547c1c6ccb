/*
 * A streaming reader of RTF 1.9: text, paragraphs, table cells and the document's properties, in one pass and constant
 * memory. Hostile bytes: groups are counted, not recursed into; nothing is allocated by what the file claims.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct rtf_handler {
	/* UTF-8, in any number of pieces. Any of these returning not 0 stops the pass, which returns it. */
	int (*text)(void *context, const char *bytes, size_t length);
	int (*paragraph_end)(void *context);
	int (*cell_end)(void *context);
	int (*row_end)(void *context);
	/* Of the info group: title, author, subject, keywords, doccomm, company, operator. Called once a property. */
	int (*property)(void *context, const char *name, const char *value);
};

/* 0; -EBADMSG: it does not begin like RTF; -ENODATA: it ended inside a group (what was there was handled); -ENOMEM. */
int rtf_read(const uint8_t *bytes, size_t length, const struct rtf_handler *handler, void *context);
