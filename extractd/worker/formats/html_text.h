/*
 * HTML as it would be read: title, headings, paragraphs, lists, tables, links, through libxml2's push parser. No script
 * runs, no address is fetched, nothing is kept but the open block. Serves .html, the chapters of EPUB and the bodies of
 * mails.
 */
#pragma once
#include "extractd/worker/formats/document.h"

struct html_facts {
	struct buf links; /* {"text","uri"} objects, comma-separated */
	struct buf title;
	unsigned link_count;
};

void html_facts_init(struct html_facts *facts);
void html_facts_release(struct html_facts *facts);
/*
 * Reads one page into an open document. encoding: the name for iconv, NULL: UTF-8 when the bytes are, else what the
 * page or its first bytes say. 0; -ENOMEM; an error of the sink. Broken markup is no error.
 */
int html_read(const char *bytes, size_t length, const char *encoding, struct document *document,
	      struct html_facts *facts);
/* title and links to the sink. */
void html_put_facts(const struct html_facts *facts, struct sink *sink);
