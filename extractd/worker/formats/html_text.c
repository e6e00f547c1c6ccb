#include "extractd/worker/formats/html_text.h"

#include <errno.h>
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <string.h>
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum {
	LINKS_MAX_BYTES = FRAME_PAYLOAD_MAX / 3,
	LINKS_MAX = 5000,
	TITLE_MAX_BYTES = 4096,
	LINK_TEXT_BYTES = 200,
	PIECE_BYTES = 16384,
	OPTIONS = HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER,
};

struct html {
	struct document *document;
	struct html_facts *facts;
	htmlParserCtxtPtr parser;
	unsigned skip_depth, list_depth, pre_depth;
	bool is_title, was_space;
	char link[2048]; /* the address of the link we are in, "" outside */
	size_t link_from;
};

void html_facts_init(struct html_facts *facts)
{
	*facts = (struct html_facts){.links = BUF_INIT(LINKS_MAX_BYTES), .title = BUF_INIT(TITLE_MAX_BYTES)};
}

void html_facts_release(struct html_facts *facts)
{
	buf_release(&facts->links);
	buf_release(&facts->title);
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool is_not_text(const char *name)
{
	static const char *const names[] = {"script", "style", "template", "noframes", "object", "svg", "math", NULL};

	return is_one_of(name, names);
}

static bool is_block(const char *name)
{
	static const char *const names[] = {
		"p",	   "div",	 "section", "article", "header", "footer",  "main",	  "aside",    "nav",
		"figure",  "figcaption", "dl",	    "dt",      "dd",	 "address", "form",	  "fieldset", "legend",
		"caption", "details",	 "summary", "center",  "body",	 "option",  "blockquote", NULL};

	return is_one_of(name, names);
}

static const char *attribute(const xmlChar **attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (strcmp((const char *)attributes[0], name) == 0)
			return (const char *)attributes[1];
	return NULL;
}

/* A paragraph in a list item that has no text yet is that item. */
static void begin_block(struct html *html)
{
	if (html->document->is_open && html->document->block.length == 0)
		return;
	document_end(html->document);
	html->was_space = true;
}

static void begin(struct html *html, enum document_kind kind, unsigned level)
{
	document_begin(html->document, kind, level);
	html->was_space = true;
}

/* A link is Markdown in the text, [words](address), and an object in the data. */
static void begin_link(struct html *html, const char *address)
{
	size_t length = address ? strlen(address) : 0;

	html->link[0] = '\0';
	if (length == 0 || length >= sizeof(html->link) || strncmp(address, "data:", 5) == 0)
		return;
	memcpy(html->link, address, length + 1);
	document_puts(html->document, "[");
	html->link_from = html->document->block.length;
}

static void put_link(struct html *html, const char *words, size_t length)
{
	struct buf *links = &html->facts->links;
	size_t before = links->length;

	if (html->facts->link_count >= LINKS_MAX)
		return;
	if (before > 0)
		buf_putc(links, ',');
	buf_putc(links, '{');
	json_put_key(links, "text");
	json_put_string(links, words, length);
	json_put_key(links, "uri");
	json_put_string(links, html->link, strlen(html->link));
	buf_putc(links, '}');
	html->facts->link_count++;
	if (buf_error(links) == 0)
		return;
	links->length = before;
	links->error = 0;
	html->facts->link_count = LINKS_MAX;
}

static void end_link(struct html *html)
{
	struct buf *block = &html->document->block;
	bool is_same_block = html->document->is_open && block->length >= html->link_from;

	if (!html->link[0])
		return;
	if (is_same_block)
		put_link(html, block->data + html->link_from,
			 utf8_cut(block->data + html->link_from, block->length - html->link_from, LINK_TEXT_BYTES));
	else /* the link went round a whole block, which is written already */
		put_link(html, "", 0);
	document_puts(html->document, is_same_block ? "](" : "(");
	document_puts(html->document, html->link);
	document_puts(html->document, ")");
	html->was_space = false;
	html->link[0] = '\0';
}

static void on_begin(void *user, const xmlChar *xml_name, const xmlChar **attributes)
{
	struct html *html = user;
	const char *name = (const char *)xml_name, *value;

	if (html->skip_depth > 0 || is_not_text(name)) {
		html->skip_depth++;
		return;
	}
	if (strlen(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6')
		begin(html, DOCUMENT_HEADING, (unsigned)(name[1] - '0'));
	else if (strcmp(name, "li") == 0)
		begin(html, DOCUMENT_LIST_ITEM, html->list_depth > 0 ? html->list_depth - 1 : 0);
	else if (strcmp(name, "ul") == 0 || strcmp(name, "ol") == 0) {
		document_end(html->document);
		html->list_depth++;
	} else if (strcmp(name, "pre") == 0) {
		begin(html, html->document->table_depth > 0 ? DOCUMENT_PARAGRAPH : DOCUMENT_CODE, 0);
		html->pre_depth++;
	} else if (strcmp(name, "table") == 0)
		document_table_begin(html->document);
	else if (strcmp(name, "tr") == 0)
		document_row_begin(html->document);
	else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0) {
		document_cell_begin(html->document);
		html->was_space = true;
	} else if (strcmp(name, "br") == 0 || strcmp(name, "hr") == 0) {
		if (html->document->is_open)
			document_puts(html->document, "\n");
		html->was_space = true;
	} else if (strcmp(name, "title") == 0)
		html->is_title = true;
	else if (strcmp(name, "a") == 0)
		begin_link(html, attribute(attributes, "href"));
	else if (strcmp(name, "img") == 0 && (value = attribute(attributes, "alt")) && *value) {
		document_puts(html->document, value);
		html->was_space = false;
	} else if (is_block(name))
		begin_block(html);
}

static void on_end(void *user, const xmlChar *xml_name)
{
	struct html *html = user;
	const char *name = (const char *)xml_name;

	if (html->skip_depth > 0) {
		html->skip_depth--;
		return;
	}
	if (strcmp(name, "ul") == 0 || strcmp(name, "ol") == 0) {
		document_end(html->document);
		html->list_depth -= html->list_depth > 0;
	} else if (strcmp(name, "pre") == 0) {
		document_end(html->document);
		html->pre_depth -= html->pre_depth > 0;
	} else if (strcmp(name, "table") == 0)
		document_table_end(html->document);
	else if (strcmp(name, "tr") == 0)
		document_row_end(html->document);
	else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0)
		document_cell_end(html->document);
	else if (strcmp(name, "title") == 0)
		html->is_title = false;
	else if (strcmp(name, "a") == 0)
		end_link(html);
	else if (is_block(name) || strcmp(name, "li") == 0 ||
		 (strlen(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6')) {
		document_end(html->document);
		html->was_space = true;
	}
}

/* Runs of white space are one space, and none at the beginning of a block. */
static void put_collapsed(struct html *html, const char *bytes, size_t length)
{
	size_t from = 0;

	for (size_t i = 0; i < length; i++) {
		if (!strchr(" \t\r\n\f", bytes[i]) || !bytes[i]) {
			html->was_space = false;
			continue;
		}
		if (i > from)
			document_text(html->document, bytes + from, i - from);
		if (!html->was_space && (html->document->is_open || i > from))
			document_puts(html->document, " ");
		html->was_space = true;
		from = i + 1;
	}
	if (length > from)
		document_text(html->document, bytes + from, length - from);
}

static void on_text(void *user, const xmlChar *bytes, int length)
{
	struct html *html = user;

	if (html->skip_depth > 0)
		return;
	if (html->is_title)
		buf_append(&html->facts->title, bytes, (size_t)length);
	else if (html->pre_depth > 0)
		document_text(html->document, (const char *)bytes, (size_t)length);
	else
		put_collapsed(html, (const char *)bytes, (size_t)length);
	if (html->document->error < 0)
		xmlStopParser(html->parser);
}

int html_read(const char *bytes, size_t length, const char *encoding, struct document *document,
	      struct html_facts *facts)
{
	htmlSAXHandler sax = {
		.startElement = on_begin, .endElement = on_end, .characters = on_text, .ignorableWhitespace = on_text};
	struct html html = {.document = document, .facts = facts, .was_space = true};
	xmlCharEncodingHandlerPtr handler = NULL;

	if (encoding)
		handler = xmlFindCharEncodingHandler(encoding);
	else if (utf8_is_valid(bytes, length))
		handler = xmlFindCharEncodingHandler("UTF-8");
	html.parser = htmlCreatePushParserCtxt(&sax, &html, NULL, 0, NULL, XML_CHAR_ENCODING_NONE);
	if (!html.parser)
		return -ENOMEM;
	htmlCtxtUseOptions(html.parser, OPTIONS);
	if (handler)
		xmlSwitchToEncoding(html.parser, handler);
	for (size_t at = 0; at < length && document->error == 0; at += PIECE_BYTES) {
		size_t piece = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;

		htmlParseChunk(html.parser, bytes + at, (int)piece, 0);
		if (sink_should_stop(document->sink))
			document->error = -ETIME;
	}
	if (document->error == 0)
		htmlParseChunk(html.parser, NULL, 0, 1);
	if (html.parser->myDoc)
		xmlFreeDoc(html.parser->myDoc);
	htmlFreeParserCtxt(html.parser);
	document_end(document);
	while (document->table_depth > 0)
		document_table_end(document);
	return document->error;
}

void html_put_facts(const struct html_facts *facts, struct sink *sink)
{
	autobuf struct buf array = BUF_INIT(LINKS_MAX_BYTES + 8);

	if (facts->title.length > 0)
		sink_metadata_text(sink, "dc:title", facts->title.data);
	if (facts->links.length == 0)
		return;
	buf_printf(&array, "[%.*s]", (int)facts->links.length, facts->links.data);
	if (buf_error(&array) == 0)
		sink_data_member(sink, "links", array.data, array.length);
}
