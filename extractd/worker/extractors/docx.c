/*
 * DOCX (WordprocessingML): paragraphs, headings, lists, tables, text boxes, equations; then notes, comments, headers
 * and footers. Deleted text and field instructions are left out, and of alternatives the first is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/document.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/xml_walk.h"
#include "extractd/worker/formats/zip_parts.h"

enum { STYLES_MAX = 512, STYLE_ID_SIZE = 48 };

struct style {
	char id[STYLE_ID_SIZE];
	enum document_kind kind;
	unsigned level;
};

struct styles {
	struct style list[STYLES_MAX];
	int count;
	bool is_known; /* the current one is worth keeping */
};

struct reading {
	struct document document;
	const struct styles *styles;
	unsigned skip_depth; /* inside what is left out */
	bool is_text;	     /* inside t */
	enum document_kind default_kind;
};

static bool is_wanted(const char *path)
{
	static const char *const prefixes[] = {
		"word/document", "word/footnotes", "word/endnotes",	 "word/comments.",    "word/header",
		"word/footer",	 "word/styles.",   "word/diagrams/data", "word/charts/chart", "docProps/"};
	size_t length = strlen(path);

	if (length < 4 || strcmp(path + length - 4, ".xml") != 0)
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* --- styles: which of them are headings --- */

/* "heading 2", "Heading2", "Überschrift 2" by its outline level; a title is one of its own. */
static bool style_by_name(const char *name, struct style *style)
{
	if (strncasecmp(name, "heading", 7) == 0 && strlen(name) > 7) {
		const char *digit = name + 7 + strspn(name + 7, " ");

		if (*digit < '1' || *digit > '9')
			return false;
		style->kind = DOCUMENT_HEADING;
		style->level = (unsigned)(*digit - '0');
		return true;
	}
	if (strcasecmp(name, "title") == 0) {
		style->kind = DOCUMENT_TITLE;
		style->level = 1;
		return true;
	}
	if (strncasecmp(name, "list", 4) == 0 && !strcasestr(name, "table")) {
		style->kind = DOCUMENT_LIST_ITEM;
		style->level = 0;
		return true;
	}
	return false;
}

static int style_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct styles *styles = context;
	char value[STYLE_ID_SIZE];
	struct style *style;

	(void)prefix;
	if (strcmp(name, "style") == 0) {
		if (styles->is_known && styles->count < STYLES_MAX)
			styles->count++;
		styles->is_known = false;
		if (styles->count < STYLES_MAX && xml_attribute(attributes, "styleId", value, sizeof(value))) {
			style = &styles->list[styles->count];
			*style = (struct style){.kind = DOCUMENT_PARAGRAPH};
			memcpy(style->id, value, sizeof(value));
		}
		return 0;
	}
	if (styles->count >= STYLES_MAX || !xml_attribute(attributes, "val", value, sizeof(value)))
		return 0;
	style = &styles->list[styles->count];
	if (strcmp(name, "name") == 0)
		styles->is_known = style_by_name(value, style) || styles->is_known;
	else if (strcmp(name, "outlineLvl") == 0 && value[0] >= '0' && value[0] < '9' && !value[1]) {
		style->kind = DOCUMENT_HEADING;
		style->level = (unsigned)(value[0] - '0') + 1;
		styles->is_known = true;
	}
	return 0;
}

static void read_styles(const struct zip_parts *parts, struct styles *styles, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = style_begin};
	const struct zip_part *part = zip_part_find(parts, "word/styles.xml");

	if (part)
		xml_walk(part->bytes, part->length, &handler, styles,
			 sink); /* a damaged one costs headings, not text */
	if (styles->is_known && styles->count < STYLES_MAX)
		styles->count++;
}

/* --- the text --- */

static void apply_style(struct reading *reading, const struct xml_attributes *attributes)
{
	char id[STYLE_ID_SIZE];
	struct style by_name = {.kind = DOCUMENT_PARAGRAPH};

	if (!xml_attribute(attributes, "val", id, sizeof(id)))
		return;
	for (int i = 0; i < reading->styles->count; i++)
		if (strcmp(reading->styles->list[i].id, id) == 0) {
			document_set_kind(&reading->document, reading->styles->list[i].kind,
					  reading->styles->list[i].level);
			return;
		}
	if (style_by_name(id, &by_name))
		document_set_kind(&reading->document, by_name.kind, by_name.level);
}

static bool is_left_out(const char *prefix, const char *name)
{
	static const char *const names[] = {"del",	"moveFrom",  "instrText", "delText", "delInstrText",
					    "Fallback", "rPrChange", "pPrChange", "tblGrid"};

	(void)prefix;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void begin_structure(struct reading *reading, const char *name, const struct xml_attributes *attributes)
{
	struct document *document = &reading->document;
	char value[16];

	if (strcmp(name, "p") == 0)
		document_begin(document, reading->default_kind, 0);
	else if (strcmp(name, "pStyle") == 0)
		apply_style(reading, attributes);
	else if (strcmp(name, "numPr") == 0 && document->kind == DOCUMENT_PARAGRAPH)
		document_set_kind(document, DOCUMENT_LIST_ITEM, 0);
	else if (strcmp(name, "ilvl") == 0 && document->kind == DOCUMENT_LIST_ITEM &&
		 xml_attribute(attributes, "val", value, sizeof(value)))
		document_set_kind(document, DOCUMENT_LIST_ITEM, (unsigned)strtoul(value, NULL, 10));
	else if (strcmp(name, "tbl") == 0)
		document_table_begin(document);
	else if (strcmp(name, "tr") == 0)
		document_row_begin(document);
	else if (strcmp(name, "tc") == 0)
		document_cell_begin(document);
}

static int text_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	if (reading->skip_depth > 0 || is_left_out(prefix, name)) {
		reading->skip_depth++;
		return 0;
	}
	if (strcmp(name, "t") == 0 || strcmp(name, "v") == 0)
		reading->is_text = true;
	else if (strcmp(name, "tab") == 0 && strcmp(prefix, "w") == 0)
		document_puts(&reading->document,
			      reading->document.is_open && reading->document.block.length > 0 ? "\t" : "");
	else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
		document_puts(&reading->document, "\n");
	else if (strcmp(name, "noBreakHyphen") == 0)
		document_puts(&reading->document, "-");
	else
		begin_structure(reading, name, attributes);
	return reading->document.error;
}

static int text_end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;
	struct document *document = &reading->document;

	(void)prefix;
	if (reading->skip_depth > 0) {
		reading->skip_depth--;
		return 0;
	}
	if (strcmp(name, "t") == 0)
		reading->is_text = false;
	else if (strcmp(name, "v") == 0) { /* a value of a chart */
		reading->is_text = false;
		document_puts(document, "\n");
	} else if (strcmp(name, "p") == 0)
		document_end(document);
	else if (strcmp(name, "tc") == 0)
		document_cell_end(document);
	else if (strcmp(name, "tr") == 0)
		document_row_end(document);
	else if (strcmp(name, "tbl") == 0)
		document_table_end(document);
	return document->error;
}

static int text_piece(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->is_text && reading->skip_depth == 0)
		document_text(&reading->document, bytes, length);
	return reading->document.error;
}

static int read_parts(const struct zip_parts *parts, const char *prefix, struct reading *reading, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = text_begin, .end = text_end, .text = text_piece};
	int r = 0;

	for (int i = 0; i < parts->count && r == 0; i++) {
		if (strncmp(parts->parts[i].path, prefix, strlen(prefix)) != 0)
			continue;
		reading->skip_depth = 0;
		reading->is_text = false;
		r = xml_walk(parts->parts[i].bytes, parts->parts[i].length, &handler, reading, sink);
		if (r == 0)
			r = document_end(&reading->document);
		while (reading->document.table_depth > 0)
			document_table_end(&reading->document);
		if (r == -EBADMSG || r == -E2BIG) {
			sink_warning(sink, "%s is damaged; what came before is kept", parts->parts[i].path);
			r = 0;
		}
	}
	return r;
}

static int read_text(const struct zip_parts *parts, struct reading *reading, struct sink *sink)
{
	static const struct {
		const char *prefix;
		enum document_kind kind;
	} rooms[] = {{"word/document", DOCUMENT_PARAGRAPH}, {"word/diagrams/data", DOCUMENT_PARAGRAPH},
		     {"word/charts/", DOCUMENT_PARAGRAPH},  {"word/footnotes", DOCUMENT_NOTE},
		     {"word/endnotes", DOCUMENT_NOTE},	    {"word/comments", DOCUMENT_COMMENT},
		     {"word/header", DOCUMENT_PARAGRAPH},   {"word/footer", DOCUMENT_PARAGRAPH}};
	int r = 0;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms) && r == 0; i++) {
		reading->default_kind = rooms[i].kind;
		r = read_parts(parts, rooms[i].prefix, reading, sink);
	}
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct styles *styles;
	struct reading reading = {0};
	struct zip_parts parts;
	int r = zip_parts_read(in, sink, is_wanted, &parts);

	if (r < 0)
		return office_open_error(r, sink);
	if (!zip_part_find(&parts, "word/document.xml") && !zip_part_find(&parts, "word/document2.xml"))
		sink_warning(sink, "the package holds no document part");
	if (parts.is_damaged)
		sink_warning(sink, "parts of the package are damaged");
	office_put_properties(&parts, sink);
	styles = calloc(1, sizeof(*styles));
	if (!styles) {
		zip_parts_release(&parts);
		return -ENOMEM;
	}
	read_styles(&parts, styles, sink);
	reading.styles = styles;
	document_init(&reading.document, sink);
	r = read_text(&parts, &reading, sink);
	if (r == 0)
		r = document_finish(&reading.document);
	document_release(&reading.document);
	free(styles);
	zip_parts_release(&parts);
	return r;
}

static const char *const media_types[] = {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
					  "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
					  "application/vnd.ms-word.document.macroenabled.12", NULL};

const struct extractor extractor_docx = {.name = "docx", .version = 1, .media_types = media_types, .extract = extract};
