#include "extractd/worker/formats/xml_walk.h"

#include <errno.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/sink.h"

enum {
	DEPTH_MAX = 512,
	PIECE_BYTES = 65536,
	OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA
};

struct xml_stream {
	const struct xml_handler *handler;
	void *context;
	struct sink *sink;
	xmlParserCtxtPtr parser;
	unsigned depth;
	int status, result;
	xmlEntity entity; /* the last one that was asked for */
	xmlChar entity_text[8];
};

static void stop(struct xml_stream *walk, int result)
{
	if (result == 0 || walk->result != 0)
		return;
	walk->result = result;
	xmlStopParser(walk->parser);
}

static void on_begin(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces_count,
		     const xmlChar **namespaces, int attribute_count, int defaulted, const xmlChar **attributes)
{
	struct xml_stream *walk = user;
	struct xml_attributes list = {attributes, attribute_count};

	(void)uri;
	(void)namespaces_count;
	(void)namespaces;
	(void)defaulted;
	if (walk->result != 0)
		return;
	if (++walk->depth > DEPTH_MAX)
		stop(walk, -E2BIG);
	else if (walk->handler->begin)
		stop(walk, walk->handler->begin(walk->context, prefix ? (const char *)prefix : "", (const char *)name,
						&list));
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_stream *walk = user;

	(void)uri;
	if (walk->result != 0)
		return;
	walk->depth--;
	if (walk->handler->end)
		stop(walk, walk->handler->end(walk->context, prefix ? (const char *)prefix : "", (const char *)name));
}

static void on_text(void *user, const xmlChar *bytes, int length)
{
	struct xml_stream *walk = user;

	if (walk->result == 0 && walk->handler->text)
		stop(walk, walk->handler->text(walk->context, (const char *)bytes, (size_t)length));
}

static void put_code(xmlChar text[8], unsigned code)
{
	int length = xmlCopyChar(0, text, (int)code);

	text[length > 0 ? length : 0] = '\0';
}

/*
 * &lt; and its four siblings, and the names that HTML gives to characters. What a document declares is never expanded:
 * it reads as a space, so nothing can multiply and nothing is opened.
 */
static xmlEntityPtr on_entity(void *user, const xmlChar *name)
{
	struct xml_stream *walk = user;
	xmlEntityPtr predefined = xmlGetPredefinedEntity(name);
	const htmlEntityDesc *known;

	if (predefined)
		return predefined;
	known = htmlEntityLookup(name);
	put_code(walk->entity_text, known ? known->value : ' ');
	walk->entity = (xmlEntity){.type = XML_ENTITY_DECL,
				   .name = BAD_CAST "",
				   .content = walk->entity_text,
				   .orig = walk->entity_text,
				   .etype = XML_INTERNAL_PREDEFINED_ENTITY};
	return &walk->entity;
}

int xml_stream_begin(const struct xml_handler *handler, void *context, struct sink *sink,
		     struct xml_stream **ret_stream)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
			     .startElementNs = on_begin,
			     .endElementNs = on_end,
			     .characters = on_text,
			     .cdataBlock = on_text,
			     .ignorableWhitespace = on_text,
			     .getEntity = on_entity};
	struct xml_stream *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	*walk = (struct xml_stream){.handler = handler, .context = context, .sink = sink};
	walk->parser = xmlCreatePushParserCtxt(&sax, walk, NULL, 0, NULL);
	if (!walk->parser) {
		free(walk);
		return -ENOMEM;
	}
	xmlCtxtUseOptions(walk->parser, OPTIONS);
	*ret_stream = walk;
	return 0;
}

static int result_of(const struct xml_stream *walk)
{
	if (walk->result != 0)
		return walk->result;
	return walk->status == 0 ? 0 : -EBADMSG;
}

int xml_stream_push(struct xml_stream *walk, const char *bytes, size_t length)
{
	for (size_t at = 0; at < length && result_of(walk) == 0; at += PIECE_BYTES) {
		size_t piece = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;

		walk->status = xmlParseChunk(walk->parser, bytes + at, (int)piece, 0);
		if (walk->sink && sink_should_stop(walk->sink))
			stop(walk, -ETIME);
	}
	return result_of(walk);
}

unsigned xml_stream_line(const struct xml_stream *walk)
{
	int line = walk->parser->input ? walk->parser->input->line : 0;

	return line > 0 ? (unsigned)line : 1;
}

int xml_stream_end(struct xml_stream *walk)
{
	int r;

	if (result_of(walk) == 0)
		walk->status = xmlParseChunk(walk->parser, NULL, 0, 1);
	r = result_of(walk);
	if (walk->parser->myDoc) {
		xmlFreeDoc(walk->parser->myDoc);
		walk->parser->myDoc = NULL;
	}
	xmlFreeParserCtxt(walk->parser);
	free(walk);
	return r;
}

int xml_walk(const char *bytes, size_t length, const struct xml_handler *handler, void *context, struct sink *sink)
{
	struct xml_stream *stream;
	int r = xml_stream_begin(handler, context, sink, &stream);

	if (r < 0)
		return r;
	xml_stream_push(stream, bytes, length);
	return xml_stream_end(stream);
}

static const unsigned char **find(const struct xml_attributes *attributes, const char *name)
{
	for (int i = 0; i < attributes->count; i++)
		if (strcmp((const char *)attributes->raw[5 * i], name) == 0)
			return attributes->raw + 5 * (size_t)i;
	return NULL;
}

const char *xml_attribute(const struct xml_attributes *attributes, const char *name, char *value, size_t size)
{
	const unsigned char **raw = find(attributes, name);
	size_t length;

	if (!raw)
		return NULL;
	length = (size_t)(raw[4] - raw[3]);
	if (length >= size)
		length = size - 1;
	memcpy(value, raw[3], length);
	value[length] = '\0';
	return value;
}

bool xml_attribute_is_off(const struct xml_attributes *attributes, const char *name)
{
	char value[16];

	if (!xml_attribute(attributes, name, value, sizeof(value)))
		return true;
	return strcmp(value, "0") == 0 || strcmp(value, "false") == 0 || strcmp(value, "none") == 0 ||
	       strcmp(value, "off") == 0;
}
