/* HTML and XHTML: what a reader sees, with title, headings, links and tables. */
#include <errno.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/html_text.h"

static int extract(struct extract_input *in, struct sink *sink)
{
	const uint8_t *bytes = input_bytes(in);
	struct document document;
	struct html_facts facts;
	int r;

	if (!bytes)
		return -ENOMEM;
	document_init(&document, sink);
	html_facts_init(&facts);
	r = html_read((const char *)bytes, in->size_bytes, NULL, &document, &facts);
	html_put_facts(&facts, sink);
	if (r == 0)
		r = document_finish(&document);
	html_facts_release(&facts);
	document_release(&document);
	return r;
}

static const char *const media_types[] = {"text/html", "application/xhtml+xml", NULL};

const struct extractor extractor_html = {.name = "html", .version = 1, .media_types = media_types, .extract = extract};
