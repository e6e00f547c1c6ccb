/*
 * ODT and ODP (OpenDocument text and presentations), also flat: headings by their outline level, paragraphs, lists,
 * tables, notes, annotations; a page for each slide.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/document.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/xml_walk.h"
#include "extractd/worker/formats/zip_parts.h"

enum { SPACES_MAX = 64 };

struct reading {
	struct document document;
	struct sink *sink;
	unsigned skip_depth, list_depth, paragraph_depth;
	bool is_body;
	enum document_kind note_kind; /* of paragraphs in notes and annotations, else DOCUMENT_PARAGRAPH */
};

static bool is_wanted(const char *path)
{
	return strcmp(path, "content.xml") == 0 || strcmp(path, "meta.xml") == 0 || strcmp(path, "mimetype") == 0;
}

static void put_spaces(struct document *document, const struct xml_attributes *attributes)
{
	char value[16];
	unsigned long count = xml_attribute(attributes, "c", value, sizeof(value)) ? strtoul(value, NULL, 10) : 1;

	for (unsigned long i = 0; i < count && i < SPACES_MAX; i++)
		document_puts(document, " ");
}

static void begin_paragraph(struct reading *reading, const char *name, const struct xml_attributes *attributes)
{
	char level[8];

	if (reading->paragraph_depth++ > 0 && reading->note_kind == DOCUMENT_PARAGRAPH)
		document_end(&reading->document);
	if (strcmp(name, "h") == 0)
		document_begin(&reading->document, DOCUMENT_HEADING,
			       xml_attribute(attributes, "outline-level", level, sizeof(level))
				       ? (unsigned)strtoul(level, NULL, 10)
				       : 1);
	else if (reading->list_depth > 0)
		document_begin(&reading->document, DOCUMENT_LIST_ITEM, reading->list_depth - 1);
	else
		document_begin(&reading->document, reading->note_kind, 0);
}

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;
	struct document *document = &reading->document;
	int r = 0;

	if (reading->skip_depth > 0 || strcmp(name, "tracked-changes") == 0 || strcmp(name, "note-citation") == 0) {
		reading->skip_depth++;
		return 0;
	}
	if (strcmp(name, "body") == 0)
		reading->is_body = true;
	if (!reading->is_body)
		return 0;
	if (strcmp(name, "page") == 0 && strcmp(prefix, "draw") == 0)
		r = sink_page(reading->sink);
	else if ((strcmp(name, "p") == 0 || strcmp(name, "h") == 0) && strcmp(prefix, "text") == 0)
		begin_paragraph(reading, name, attributes);
	else if (strcmp(name, "list") == 0)
		reading->list_depth++;
	else if (strcmp(name, "s") == 0)
		put_spaces(document, attributes);
	else if (strcmp(name, "tab") == 0)
		document_puts(document, "\t");
	else if (strcmp(name, "line-break") == 0)
		document_puts(document, "\n");
	else if (strcmp(name, "note-body") == 0)
		reading->note_kind = DOCUMENT_NOTE;
	else if (strcmp(name, "annotation") == 0)
		reading->note_kind = DOCUMENT_COMMENT;
	else if (strcmp(name, "table") == 0 && strcmp(prefix, "table") == 0)
		document_table_begin(document);
	else if (strcmp(name, "table-row") == 0)
		document_row_begin(document);
	else if (strcmp(name, "table-cell") == 0 || strcmp(name, "covered-table-cell") == 0)
		document_cell_begin(document);
	return r < 0 ? r : document->error;
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;
	struct document *document = &reading->document;

	if (reading->skip_depth > 0) {
		reading->skip_depth--;
		return 0;
	}
	if ((strcmp(name, "p") == 0 || strcmp(name, "h") == 0) && strcmp(prefix, "text") == 0) {
		document_end(document);
		if (reading->paragraph_depth > 0)
			reading->paragraph_depth--;
	} else if (strcmp(name, "list") == 0 && reading->list_depth > 0)
		reading->list_depth--;
	else if (strcmp(name, "note-body") == 0 || strcmp(name, "annotation") == 0)
		reading->note_kind = DOCUMENT_PARAGRAPH;
	else if (strcmp(name, "table-cell") == 0 || strcmp(name, "covered-table-cell") == 0)
		document_cell_end(document);
	else if (strcmp(name, "table-row") == 0)
		document_row_end(document);
	else if (strcmp(name, "table") == 0 && strcmp(prefix, "table") == 0)
		document_table_end(document);
	return document->error;
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->is_body && reading->skip_depth == 0 && (reading->document.is_open || reading->paragraph_depth > 0))
		document_text(&reading->document, bytes, length);
	return reading->document.error;
}

static int read_content(const char *bytes, size_t length, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	struct reading reading = {.sink = sink};
	int r;

	document_init(&reading.document, sink);
	r = xml_walk(bytes, length, &handler, &reading, sink);
	if (r == -EBADMSG || r == -E2BIG) {
		sink_warning(sink, "the content is damaged; what came before is kept");
		r = 0;
	}
	if (r == 0)
		r = document_finish(&reading.document);
	document_release(&reading.document);
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	const struct zip_part *content;
	struct zip_parts parts;
	int r;

	if (input_bytes(in) && in->size_bytes > 5 && memcmp(input_bytes(in), "<?xml", 5) == 0)
		return read_content((const char *)input_bytes(in), in->size_bytes, sink);
	r = zip_parts_read(in, sink, is_wanted, &parts);
	if (r < 0)
		return office_open_error(r, sink);
	office_put_properties(&parts, sink);
	content = zip_part_find(&parts, "content.xml");
	r = content ? read_content(content->bytes, content->length, sink)
		    : sink_error(sink, "corrupt: the package holds no content");
	zip_parts_release(&parts);
	return r;
}

static const char *const media_types[] = {
	"application/vnd.oasis.opendocument.text",	   "application/vnd.oasis.opendocument.text-template",
	"application/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation-template",
	"application/vnd.oasis.opendocument.graphics",	   NULL};

const struct extractor extractor_odf = {.name = "odf", .version = 1, .media_types = media_types, .extract = extract};
