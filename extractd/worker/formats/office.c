#include "extractd/worker/formats/office.h"

#include <errno.h>
#include <string.h>
#include "extractd/worker/formats/xml_walk.h"

enum { PROPERTY_MAX_BYTES = 16384 };

/* Elements of core.xml, app.xml and meta.xml, by their local names, under the key that results use. */
static const struct {
	const char *name, *key;
} properties[] = {
	{"title", "dc:title"},
	{"creator", "dc:creator"},
	{"initial-creator", "meta:initial-author"},
	{"subject", "dc:subject"},
	{"description", "dc:description"},
	{"language", "dc:language"},
	{"keywords", "meta:keyword"},
	{"keyword", "meta:keyword"},
	{"lastModifiedBy", "meta:last-author"},
	{"created", "dcterms:created"},
	{"creation-date", "dcterms:created"},
	{"modified", "dcterms:modified"},
	{"date", "dcterms:modified"},
	{"revision", "cp:revision"},
	{"Application", "xmp:CreatorTool"},
	{"generator", "xmp:CreatorTool"},
	{"Pages", "xmpTPg:NPages"},
	{"Slides", "meta:slide-count"},
	{"Words", "meta:word-count"},
	{"Company", "extended-properties:Company"},
};

struct reading {
	struct sink *sink;
	const char *key; /* of the element we are in, NULL outside */
	struct buf value;
};

static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	(void)prefix;
	(void)attributes;
	reading->key = NULL;
	buf_reset(&reading->value);
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			reading->key = properties[i].key;
	return 0;
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;

	(void)prefix;
	(void)name;
	if (reading->key && reading->value.length > 0)
		sink_metadata_text(reading->sink, reading->key, reading->value.data);
	reading->key = NULL;
	return 0;
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->key)
		buf_append(&reading->value, bytes, length); /* a longer one is cut by its maximum */
	return 0;
}

void office_put_properties(const struct zip_parts *parts, struct sink *sink)
{
	static const char *const paths[] = {"docProps/core.xml", "docProps/app.xml", "meta.xml"};
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	struct reading reading = {.sink = sink, .value = BUF_INIT(PROPERTY_MAX_BYTES)};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const struct zip_part *part = zip_part_find(parts, paths[i]);

		if (part && xml_walk(part->bytes, part->length, &handler, &reading, sink) < 0)
			sink_warning(sink, "%s is damaged", paths[i]);
	}
	buf_release(&reading.value);
}

int office_open_error(int error, struct sink *sink)
{
	if (error == -EBADMSG)
		return sink_error(sink, "corrupt: the document is no zip archive, or a damaged one");
	if (error == -EACCES)
		return sink_error(sink, "encrypted: the document needs a password");
	return error;
}
