/* The text of a PDF page in reading order, as words: poppler's, put right where a page is not what it expects. */
#pragma once
#include <poppler.h>
#include "shared/base/buf.h"

/*
 * Appends the page's text as UTF-8. Words parted by a hyphen at a line's end are joined; the marks that poppler puts
 * around pieces of right-to-left text are taken out again. An empty page appends nothing. Errors stick in the buf.
 */
void pdf_page_text(PopplerPage *page, struct buf *ret_text);
