/*
 * PPTX (PresentationML): a page for each slide, its title as a heading, paragraphs, tables, diagrams and charts; the
 * speaker's notes and the comments of all slides behind them.
 */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/document.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/xml_walk.h"
#include "extractd/worker/formats/zip_parts.h"

struct reading {
	struct document document;
	enum document_kind kind; /* of the paragraphs of the current shape */
	unsigned skip_depth;
	bool is_text;
};

static bool is_wanted(const char *path)
{
	static const char *const prefixes[] = {"ppt/slides/slide",  "ppt/notesSlides/notesSlide", "ppt/comments/",
					       "ppt/diagrams/data", "ppt/charts/chart",		  "docProps/"};
	size_t length = strlen(path);

	if (length < 4 || strcmp(path + length - 4, ".xml") != 0)
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void apply_placeholder(struct reading *reading, const struct xml_attributes *attributes)
{
	char type[24];

	if (xml_attribute(attributes, "type", type, sizeof(type)) &&
	    (strcmp(type, "title") == 0 || strcmp(type, "ctrTitle") == 0))
		reading->kind = DOCUMENT_HEADING;
}

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;
	struct document *document = &reading->document;

	if (reading->skip_depth > 0 || strcmp(name, "Fallback") == 0) {
		reading->skip_depth++;
		return 0;
	}
	if (strcmp(name, "sp") == 0 || strcmp(name, "graphicFrame") == 0)
		reading->kind = DOCUMENT_PARAGRAPH;
	else if (strcmp(name, "ph") == 0)
		apply_placeholder(reading, attributes);
	else if (strcmp(name, "p") == 0 && strcmp(prefix, "p") != 0)
		document_begin(document, reading->kind, reading->kind == DOCUMENT_HEADING ? 2 : 0);
	else if (strcmp(name, "t") == 0 || strcmp(name, "v") == 0 ||
		 (strcmp(name, "text") == 0 && strcmp(prefix, "p") == 0))
		reading->is_text = true;
	else if (strcmp(name, "br") == 0)
		document_puts(document, "\n");
	else if (strcmp(name, "buChar") == 0 || strcmp(name, "buAutoNum") == 0)
		document_set_kind(document, DOCUMENT_LIST_ITEM, 0);
	else if (strcmp(name, "tbl") == 0)
		document_table_begin(document);
	else if (strcmp(name, "tr") == 0)
		document_row_begin(document);
	else if (strcmp(name, "tc") == 0)
		document_cell_begin(document);
	return document->error;
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;
	struct document *document = &reading->document;

	if (reading->skip_depth > 0) {
		reading->skip_depth--;
		return 0;
	}
	if (strcmp(name, "t") == 0)
		reading->is_text = false;
	else if (strcmp(name, "v") == 0 || (strcmp(name, "text") == 0 && strcmp(prefix, "p") == 0)) {
		reading->is_text = false;
		document_puts(document, "\n");
	} else if (strcmp(name, "p") == 0 && strcmp(prefix, "p") != 0)
		document_end(document);
	else if (strcmp(name, "tc") == 0)
		document_cell_end(document);
	else if (strcmp(name, "tr") == 0)
		document_row_end(document);
	else if (strcmp(name, "tbl") == 0)
		document_table_end(document);
	return document->error;
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->is_text && reading->skip_depth == 0)
		document_text(&reading->document, bytes, length);
	return reading->document.error;
}

static int read_part(const struct zip_part *part, struct reading *reading, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	int r;

	reading->skip_depth = 0;
	reading->is_text = false;
	reading->kind = DOCUMENT_PARAGRAPH;
	r = xml_walk(part->bytes, part->length, &handler, reading, sink);
	if (r == 0)
		r = document_end(&reading->document);
	while (reading->document.table_depth > 0)
		document_table_end(&reading->document);
	if (r == -EBADMSG || r == -E2BIG) {
		sink_warning(sink, "%s is damaged; what came before is kept", part->path);
		r = 0;
	}
	return r;
}

static int read_parts(const struct zip_parts *parts, const char *prefix, bool are_pages, struct reading *reading,
		      struct sink *sink)
{
	int r = 0;

	for (int i = 0; i < parts->count && r == 0; i++) {
		if (strncmp(parts->parts[i].path, prefix, strlen(prefix)) != 0)
			continue;
		if (are_pages)
			r = sink_page(sink);
		if (r == 0)
			r = read_part(&parts->parts[i], reading, sink);
	}
	return r < 0 ? r : 0; /* a limit of pages is a warning already */
}

static int extract(struct extract_input *in, struct sink *sink)
{
	static const char *const rest[] = {"ppt/diagrams/", "ppt/charts/", "ppt/notesSlides/", "ppt/comments/"};
	struct reading reading = {0};
	struct zip_parts parts;
	int r = zip_parts_read(in, sink, is_wanted, &parts);

	if (r < 0)
		return office_open_error(r, sink);
	if (parts.is_damaged)
		sink_warning(sink, "parts of the package are damaged");
	office_put_properties(&parts, sink);
	document_init(&reading.document, sink);
	r = read_parts(&parts, "ppt/slides/slide", true, &reading, sink);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest) && r == 0; i++)
		r = read_parts(&parts, rest[i], false, &reading, sink);
	if (r == 0)
		r = document_finish(&reading.document);
	document_release(&reading.document);
	zip_parts_release(&parts);
	return r;
}

static const char *const media_types[] = {"application/vnd.openxmlformats-officedocument.presentationml.presentation",
					  "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
					  "application/vnd.openxmlformats-officedocument.presentationml.template",
					  "application/vnd.ms-powerpoint.presentation.macroenabled.12", NULL};

const struct extractor extractor_pptx = {.name = "pptx", .version = 1, .media_types = media_types, .extract = extract};
