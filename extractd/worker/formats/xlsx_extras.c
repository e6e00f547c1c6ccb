#include "extractd/worker/formats/xlsx_extras.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/document.h"
#include "extractd/worker/formats/xml_walk.h"

enum { PERSONS_MAX = 256, PERSON_ID_SIZE = 48, PERSON_NAME_SIZE = 128, TIME_SIZE = 32 };

enum extra { EXTRA_NONE, EXTRA_COMMENTS, EXTRA_THREAD, EXTRA_CHART, EXTRA_DRAWING, EXTRA_PERSONS };

struct person {
	char id[PERSON_ID_SIZE], name[PERSON_NAME_SIZE];
};

struct reading {
	struct document document;
	enum extra kind;
	bool is_text;
	struct person *persons;
	unsigned person_count;
};

static enum extra kind_of(const char *path)
{
	static const struct {
		const char *prefix;
		enum extra kind;
	} kinds[] = {
		{"xl/persons/", EXTRA_PERSONS},		{"xl/comments", EXTRA_COMMENTS},
		{"xl/threadedComments/", EXTRA_THREAD}, {"xl/charts/chart", EXTRA_CHART},
		{"xl/drawings/drawing", EXTRA_DRAWING}, {"xl/diagrams/data", EXTRA_DRAWING},
	};
	size_t length = strlen(path);

	if (length < 4 || strcmp(path + length - 4, ".xml") != 0)
		return EXTRA_NONE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(path, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].kind;
	return EXTRA_NONE;
}

bool xlsx_extras_want(const char *path)
{
	return kind_of(path) != EXTRA_NONE;
}

static int add_person(struct reading *reading, const struct xml_attributes *attributes)
{
	struct person *person = &reading->persons[reading->person_count];

	if (reading->person_count >= PERSONS_MAX || !xml_attribute(attributes, "id", person->id, sizeof(person->id)) ||
	    !xml_attribute(attributes, "displayName", person->name, sizeof(person->name)))
		return 0;
	reading->person_count++;
	return 0;
}

static const char *person_name(const struct reading *reading, const char *id)
{
	for (unsigned i = 0; i < reading->person_count; i++)
		if (strcmp(reading->persons[i].id, id) == 0)
			return reading->persons[i].name;
	return "unknown";
}

/* A comment of a thread begins with who wrote it, and when. */
static void begin_thread_comment(struct reading *reading, const struct xml_attributes *attributes)
{
	char id[PERSON_ID_SIZE] = "", time[TIME_SIZE];

	xml_attribute(attributes, "personId", id, sizeof(id));
	document_begin(&reading->document, DOCUMENT_COMMENT, 0);
	document_puts(&reading->document, "[author: ");
	document_puts(&reading->document, person_name(reading, id));
	if (xml_attribute(attributes, "dT", time, sizeof(time))) {
		document_puts(&reading->document, ", time: ");
		document_puts(&reading->document, time);
	}
	document_puts(&reading->document, "]: ");
}

/* What kind of chart it is stands in no text. */
static void put_chart_kind(struct reading *reading, const char *name)
{
	static const struct {
		const char *element, *words;
	} kinds[] = {
		{"barChart", "Bar chart"},	     {"bar3DChart", "Bar chart"},   {"lineChart", "Line chart"},
		{"line3DChart", "Line chart"},	     {"pieChart", "Pie chart"},	    {"pie3DChart", "Pie chart"},
		{"doughnutChart", "Doughnut chart"}, {"areaChart", "Area chart"},   {"scatterChart", "Scatter chart"},
		{"bubbleChart", "Bubble chart"},     {"radarChart", "Radar chart"}, {"stockChart", "Stock chart"},
		{"surfaceChart", "Surface chart"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].element, name) != 0)
			continue;
		document_begin(&reading->document, DOCUMENT_PARAGRAPH, 0);
		document_puts(&reading->document, kinds[i].words);
		document_end(&reading->document);
	}
}

/* In charts: titles (a:t in paragraphs) and the names of series and categories (c:v in points). */
static int begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct reading *reading = context;

	(void)prefix;
	switch (reading->kind) {
	case EXTRA_PERSONS:
		return strcmp(name, "person") == 0 ? add_person(reading, attributes) : 0;
	case EXTRA_COMMENTS:
		if (strcmp(name, "comment") == 0 || strcmp(name, "author") == 0)
			document_begin(&reading->document, DOCUMENT_COMMENT, 0);
		reading->is_text = strcmp(name, "t") == 0 || strcmp(name, "author") == 0;
		return 0;
	case EXTRA_THREAD:
		if (strcmp(name, "threadedComment") == 0)
			begin_thread_comment(reading, attributes);
		reading->is_text = strcmp(name, "text") == 0;
		return 0;
	default:
		put_chart_kind(reading, name);
		if (strcmp(name, "p") == 0 || strcmp(name, "pt") == 0)
			document_begin(&reading->document, DOCUMENT_PARAGRAPH, 0);
		reading->is_text = strcmp(name, "t") == 0 || strcmp(name, "v") == 0;
		return 0;
	}
}

static int end(void *context, const char *prefix, const char *name)
{
	struct reading *reading = context;

	(void)prefix;
	reading->is_text = false;
	if (strcmp(name, "comment") == 0 || strcmp(name, "author") == 0 || strcmp(name, "threadedComment") == 0 ||
	    strcmp(name, "p") == 0 || strcmp(name, "pt") == 0)
		return document_end(&reading->document);
	return 0;
}

static int text(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	if (reading->is_text)
		document_text(&reading->document, bytes, length);
	return 0;
}

static int read_part(struct reading *reading, const struct zip_part *part, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = begin, .end = end, .text = text};
	int r = xml_walk(part->bytes, part->length, &handler, reading, sink);

	reading->is_text = false;
	if (r != -EBADMSG && r != -E2BIG)
		return r;
	sink_warning(sink, "%s could not be read to the end", part->path);
	return 0;
}

/* Persons first: the threads name them. */
static int read_parts(struct reading *reading, const struct zip_parts *parts, struct sink *sink)
{
	int r = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < parts->count && r == 0; i++) {
			reading->kind = kind_of(parts->parts[i].path);
			if (reading->kind != EXTRA_NONE && (reading->kind == EXTRA_PERSONS) == (pass == 0))
				r = read_part(reading, &parts->parts[i], sink);
		}
	}
	return r;
}

int xlsx_put_extras(const struct zip_parts *parts, struct sink *sink)
{
	struct reading reading = {.persons = calloc(PERSONS_MAX + 1, sizeof(*reading.persons))};
	int r, ended;

	if (!reading.persons)
		return -ENOMEM;
	document_init(&reading.document, sink);
	r = read_parts(&reading, parts, sink);
	ended = document_finish(&reading.document);
	document_release(&reading.document);
	free(reading.persons);
	return r < 0 ? r : ended;
}
