/* What a PDF holds beside its text: document properties, outline, links, form fields, attachments. */
#pragma once
#include <poppler.h>
#include "extractd/worker/extractor.h"

/* Document properties into the sink's metadata. */
void pdf_put_properties(PopplerDocument *document, struct sink *sink);
/* "outline": [{"title","page","children":[…]}…] into the sink's data, bounded in depth and number. */
void pdf_put_outline(PopplerDocument *document, struct sink *sink);
/* Appends the page's links, and the values of its form fields, to two JSON arrays under construction. */
void pdf_put_links(PopplerPage *page, int page_number, struct buf *links);
void pdf_put_fields(PopplerPage *page, int page_number, struct buf *fields);
/* Attachments through the table of extractors. Negative as a sink function. */
int pdf_put_attachments(PopplerDocument *document, struct extract_input *in, struct sink *sink);
