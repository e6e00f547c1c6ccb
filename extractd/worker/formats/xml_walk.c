#include "extractd/worker/formats/xml_walk.h"

#include <errno.h>
#include <libxml/parser.h>
#include <string.h>
#include "extractd/worker/sink.h"

enum {
	DEPTH_MAX = 512,
	PIECE_BYTES = 65536,
	OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA
};

struct walk {
	const struct xml_handler *handler;
	void *context;
	xmlParserCtxtPtr parser;
	unsigned depth;
	int result;
};

static void stop(struct walk *walk, int result)
{
	if (result == 0 || walk->result != 0)
		return;
	walk->result = result;
	xmlStopParser(walk->parser);
}

static void on_begin(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces_count,
		     const xmlChar **namespaces, int attribute_count, int defaulted, const xmlChar **attributes)
{
	struct walk *walk = user;
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
	struct walk *walk = user;

	(void)uri;
	if (walk->result != 0)
		return;
	walk->depth--;
	if (walk->handler->end)
		stop(walk, walk->handler->end(walk->context, prefix ? (const char *)prefix : "", (const char *)name));
}

static void on_text(void *user, const xmlChar *bytes, int length)
{
	struct walk *walk = user;

	if (walk->result == 0 && walk->handler->text)
		stop(walk, walk->handler->text(walk->context, (const char *)bytes, (size_t)length));
}

/* Only &lt; and its four siblings: what a document declares is not expanded, so nothing can multiply. */
static xmlEntityPtr on_entity(void *user, const xmlChar *name)
{
	(void)user;
	return xmlGetPredefinedEntity(name);
}

int xml_walk(const char *bytes, size_t length, const struct xml_handler *handler, void *context, struct sink *sink)
{
	struct walk walk = {.handler = handler, .context = context};
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
			     .startElementNs = on_begin,
			     .endElementNs = on_end,
			     .characters = on_text,
			     .cdataBlock = on_text,
			     .ignorableWhitespace = on_text,
			     .getEntity = on_entity};
	int status = 0;

	walk.parser = xmlCreatePushParserCtxt(&sax, &walk, NULL, 0, NULL);
	if (!walk.parser)
		return -ENOMEM;
	xmlCtxtUseOptions(walk.parser, OPTIONS);
	for (size_t at = 0; at < length && status == 0 && walk.result == 0; at += PIECE_BYTES) {
		size_t piece = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;

		status = xmlParseChunk(walk.parser, bytes + at, (int)piece, 0);
		if (sink && sink_should_stop(sink))
			stop(&walk, -ETIME);
	}
	if (status == 0 && walk.result == 0)
		status = xmlParseChunk(walk.parser, NULL, 0, 1);
	if (walk.parser->myDoc) {
		xmlFreeDoc(walk.parser->myDoc);
		walk.parser->myDoc = NULL;
	}
	xmlFreeParserCtxt(walk.parser);
	if (walk.result != 0)
		return walk.result;
	return status == 0 ? 0 : -EBADMSG;
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
