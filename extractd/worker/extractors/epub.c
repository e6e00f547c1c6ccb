/*
 * EPUB: the chapters in the order of the package's spine, a page each, read as HTML; the package's Dublin Core as
 * metadata.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/html_text.h"
#include "extractd/worker/formats/office.h"
#include "extractd/worker/formats/xml_walk.h"
#include "extractd/worker/formats/zip_parts.h"

enum { ITEMS_MAX = 4096, ID_SIZE = 96, PATH_SIZE = 256, VALUE_MAX_BYTES = 4096 };

struct package {
	struct sink *sink;
	struct {
		char id[ID_SIZE], path[PATH_SIZE];
	} * items; /* of the manifest */
	int item_count;
	int spine[ITEMS_MAX]; /* indices of items */
	int spine_count;
	char root_path[PATH_SIZE]; /* of the package document */
	const char *key;
	struct buf value;
};

static bool is_wanted(const char *path)
{
	static const char *const endings[] = {".xhtml", ".html", ".htm", ".opf", ".xml"};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (length > strlen(endings[i]) && strcasecmp(path + length - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

static int container_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct package *package = context;

	(void)prefix;
	if (strcmp(name, "rootfile") == 0 && !package->root_path[0])
		xml_attribute(attributes, "full-path", package->root_path, sizeof(package->root_path));
	return 0;
}

static void add_item(struct package *package, const struct xml_attributes *attributes)
{
	if (package->item_count < ITEMS_MAX &&
	    xml_attribute(attributes, "id", package->items[package->item_count].id, ID_SIZE) &&
	    xml_attribute(attributes, "href", package->items[package->item_count].path, PATH_SIZE))
		package->item_count++;
}

static void add_to_spine(struct package *package, const struct xml_attributes *attributes)
{
	char id[ID_SIZE];

	if (!xml_attribute(attributes, "idref", id, sizeof(id)))
		return;
	for (int i = 0; i < package->item_count && package->spine_count < ITEMS_MAX; i++)
		if (strcmp(package->items[i].id, id) == 0) {
			package->spine[package->spine_count++] = i;
			return;
		}
}

static int package_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	static const struct {
		const char *name, *key;
	} keys[] = {{"title", "dc:title"},	   {"creator", "dc:creator"},	    {"language", "dc:language"},
		    {"publisher", "dc:publisher"}, {"date", "dcterms:created"},	    {"description", "dc:description"},
		    {"subject", "dc:subject"},	   {"identifier", "dc:identifier"}, {"rights", "dc:rights"}};
	struct package *package = context;

	package->key = NULL;
	buf_reset(&package->value);
	if (strcmp(name, "item") == 0)
		add_item(package, attributes);
	else if (strcmp(name, "itemref") == 0)
		add_to_spine(package, attributes);
	for (size_t i = 0; strcmp(prefix, "dc") == 0 && i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			package->key = keys[i].key;
	return 0;
}

static int package_end(void *context, const char *prefix, const char *name)
{
	struct package *package = context;

	(void)prefix;
	(void)name;
	if (package->key && package->value.length > 0)
		sink_metadata_text(package->sink, package->key, package->value.data);
	package->key = NULL;
	return 0;
}

static int package_text(void *context, const char *bytes, size_t length)
{
	struct package *package = context;

	if (package->key)
		buf_append(&package->value, bytes, length);
	return 0;
}

static int read_package(const struct zip_parts *parts, struct package *package)
{
	static const struct xml_handler container_handler = {.begin = container_begin};
	static const struct xml_handler package_handler = {
		.begin = package_begin, .end = package_end, .text = package_text};
	const struct zip_part *container = zip_part_find(parts, "META-INF/container.xml"), *root;
	int r;

	if (!container)
		return -EBADMSG;
	r = xml_walk(container->bytes, container->length, &container_handler, package, package->sink);
	root = r == 0 ? zip_part_find(parts, package->root_path) : NULL;
	if (!root)
		return r < 0 ? r : -EBADMSG;
	return xml_walk(root->bytes, root->length, &package_handler, package, package->sink);
}

/* An address in the manifest is relative to the package document, with %20 and the like; what leads out is not
 * followed. */
static const struct zip_part *chapter(const struct zip_parts *parts, const struct package *package, int item)
{
	const char *from = package->items[item].path, *slash = strrchr(package->root_path, '/');
	char path[2 * PATH_SIZE];
	size_t length = slash ? (size_t)(slash - package->root_path) + 1 : 0;
	unsigned byte;

	memcpy(path, package->root_path, length);
	for (; *from && *from != '#' && length < sizeof(path) - 1; from++) {
		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1 && from[1] && from[2]) {
			path[length++] = (char)byte;
			from += 2;
		} else {
			path[length++] = *from;
		}
	}
	path[length] = '\0';
	return zip_part_find(parts, path);
}

static int read_chapters(const struct zip_parts *parts, const struct package *package, struct sink *sink)
{
	struct document document;
	struct html_facts facts;
	int r = 0;

	document_init(&document, sink);
	for (int i = 0; i < package->spine_count && r == 0; i++) {
		const struct zip_part *part = chapter(parts, package, package->spine[i]);

		if (!part)
			continue;
		html_facts_init(&facts);
		r = sink_page(sink);
		if (r == 0)
			r = html_read(part->bytes, part->length, NULL, &document, &facts);
		html_facts_release(&facts);
	}
	if (r >= 0)
		r = document_finish(&document);
	document_release(&document);
	return r;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct package *package;
	struct zip_parts parts;
	int r = zip_parts_read(in, sink, is_wanted, &parts);

	if (r < 0)
		return office_open_error(r, sink);
	package = calloc(1, sizeof(*package));
	if (package)
		package->items = calloc(ITEMS_MAX, sizeof(*package->items));
	if (!package || !package->items) {
		free(package);
		zip_parts_release(&parts);
		return -ENOMEM;
	}
	package->sink = sink;
	package->value = BUF_INIT(VALUE_MAX_BYTES);
	r = read_package(&parts, package);
	if (r == -EBADMSG && package->spine_count == 0)
		r = sink_error(sink, "corrupt: the book has no readable package document");
	else if (r >= 0 || r == -EBADMSG)
		r = read_chapters(&parts, package, sink);
	buf_release(&package->value);
	free(package->items);
	free(package);
	zip_parts_release(&parts);
	return r;
}

static const char *const media_types[] = {"application/epub+zip", NULL};

const struct extractor extractor_epub = {.name = "epub", .version = 1, .media_types = media_types, .extract = extract};
