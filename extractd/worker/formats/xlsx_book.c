#include "extractd/worker/formats/xlsx_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/sheets.h"
#include "extractd/worker/formats/xml_walk.h"

enum { FORMATS_MAX = 4096, FORMAT_SIZE = 256 };

bool xlsx_book_wants(const char *path)
{
	return strcmp(path, "xl/workbook.xml") == 0 || strcmp(path, "xl/_rels/workbook.xml.rels") == 0 ||
	       strcmp(path, "xl/styles.xml") == 0;
}

/* --- workbook.xml --- */

/* libxml2 leaves an ampersand in an attribute as &#38;. */
static void put_name(char name[XLSX_NAME_SIZE])
{
	char *found;

	while ((found = strstr(name, "&#38;")) != NULL)
		memmove(found + 1, found + 5, strlen(found + 5) + 1);
}

static int add_sheet(struct xlsx_book *book, const struct xml_attributes *attributes)
{
	struct xlsx_sheet *sheets, *sheet;
	char state[16];

	if (book->sheet_count >= SHEETS_MAX)
		return 0;
	sheets = reallocarray(book->sheets, book->sheet_count + 1UL, sizeof(*sheets));
	if (!sheets)
		return -ENOMEM;
	book->sheets = sheets;
	sheet = &sheets[book->sheet_count++];
	*sheet = (struct xlsx_sheet){0};
	xml_attribute(attributes, "name", sheet->name, sizeof(sheet->name));
	put_name(sheet->name);
	xml_attribute(attributes, "id", sheet->id, sizeof(sheet->id));
	if (xml_attribute(attributes, "state", state, sizeof(state)))
		sheet->is_hidden = strcmp(state, "visible") != 0;
	return 0;
}

static int workbook_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct xlsx_book *book = context;

	(void)prefix;
	if (strcmp(name, "sheet") == 0)
		return add_sheet(book, attributes);
	if (strcmp(name, "workbookPr") == 0)
		book->is_1904 = !xml_attribute_is_off(attributes, "date1904");
	return 0;
}

/* --- workbook.xml.rels --- */

static int relation_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct xlsx_book *book = context;
	char id[64], target[XLSX_PATH_SIZE - 4];

	(void)prefix;
	if (strcmp(name, "Relationship") != 0 || !xml_attribute(attributes, "Id", id, sizeof(id)) ||
	    !xml_attribute(attributes, "Target", target, sizeof(target)))
		return 0;
	for (unsigned i = 0; i < book->sheet_count; i++) {
		struct xlsx_sheet *sheet = &book->sheets[i];

		if (strcmp(sheet->id, id) != 0)
			continue;
		if (*target == '/')
			snprintf(sheet->path, sizeof(sheet->path), "%s", target + 1);
		else
			snprintf(sheet->path, sizeof(sheet->path), "xl/%s", target);
	}
	return 0;
}

/* --- styles.xml --- */

struct styles {
	struct xlsx_book *book;
	bool is_date_format[FORMATS_MAX]; /* of the workbook's own formats, by number */
	bool is_in_cell_formats;
};

/* The numbers that Excel itself defines (ECMA-376, 18.8.30, and those of East Asian versions). */
static bool is_builtin_date(unsigned format)
{
	return (format >= 14 && format <= 22) || (format >= 27 && format <= 36) || (format >= 45 && format <= 47) ||
	       (format >= 50 && format <= 58);
}

static int add_style(struct styles *styles, unsigned format)
{
	struct xlsx_book *book = styles->book;
	bool *is_date;

	if (book->style_count >= XLSX_STYLES_MAX)
		return 0;
	is_date = reallocarray(book->is_date, book->style_count + 1UL, sizeof(*is_date));
	if (!is_date)
		return -ENOMEM;
	book->is_date = is_date;
	is_date[book->style_count++] =
		is_builtin_date(format) || (format < FORMATS_MAX && styles->is_date_format[format]);
	return 0;
}

static int style_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct styles *styles = context;
	char number[16], format[FORMAT_SIZE];
	unsigned long id;

	(void)prefix;
	if (strcmp(name, "cellXfs") == 0)
		styles->is_in_cell_formats = true;
	if (strcmp(name, "numFmt") != 0 && !(strcmp(name, "xf") == 0 && styles->is_in_cell_formats))
		return 0;
	id = xml_attribute(attributes, "numFmtId", number, sizeof(number)) ? strtoul(number, NULL, 10) : 0;
	if (strcmp(name, "xf") == 0)
		return add_style(styles, (unsigned)id);
	if (id < FORMATS_MAX && xml_attribute(attributes, "formatCode", format, sizeof(format)))
		styles->is_date_format[id] = sheet_format_is_date(format);
	return 0;
}

static int style_end(void *context, const char *prefix, const char *name)
{
	struct styles *styles = context;

	(void)prefix;
	if (strcmp(name, "cellXfs") == 0)
		styles->is_in_cell_formats = false;
	return 0;
}

static int read_styles(struct xlsx_book *book, struct sink *sink, const struct zip_parts *parts)
{
	static const struct xml_handler handler = {.begin = style_begin, .end = style_end};
	const struct zip_part *part = zip_part_find(parts, "xl/styles.xml");
	struct styles *styles;
	int r;

	if (!part)
		return 0;
	styles = calloc(1, sizeof(*styles));
	if (!styles)
		return -ENOMEM;
	styles->book = book;
	r = xml_walk(part->bytes, part->length, &handler, styles, sink);
	free(styles);
	return r;
}

/* --- sharedStrings.xml --- */

struct strings {
	struct xlsx_book *book;
	struct xml_stream *stream;
	unsigned phonetic_depth;
	bool is_text;
};

static int end_string(struct xlsx_book *book)
{
	uint32_t *ends;
	uint32_t capacity = book->string_capacity > 0 ? book->string_capacity * 2 : 1024;

	if (book->string_count == book->string_capacity) {
		if (capacity > XLSX_STRINGS_MAX_BYTES / sizeof(*ends))
			return -EFBIG;
		ends = reallocarray(book->string_ends, capacity, sizeof(*ends));
		if (!ends)
			return -ENOMEM;
		book->string_ends = ends;
		book->string_capacity = capacity;
	}
	book->string_ends[book->string_count++] = (uint32_t)book->strings.length;
	return 0;
}

static int string_begin(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes)
{
	struct strings *strings = context;

	(void)prefix;
	(void)attributes;
	/* rPh: how a Japanese word is pronounced, which is shown above it */
	if (strcmp(name, "rPh") == 0)
		strings->phonetic_depth++;
	strings->is_text = strcmp(name, "t") == 0 && strings->phonetic_depth == 0;
	return 0;
}

static int string_end(void *context, const char *prefix, const char *name)
{
	struct strings *strings = context;

	(void)prefix;
	strings->is_text = false;
	if (strcmp(name, "rPh") == 0 && strings->phonetic_depth > 0)
		strings->phonetic_depth--;
	return strcmp(name, "si") == 0 ? end_string(strings->book) : 0;
}

static int string_text(void *context, const char *bytes, size_t length)
{
	struct strings *strings = context;
	int r = strings->is_text ? buf_append(&strings->book->strings, bytes, length) : 0;

	return r == -EOVERFLOW ? -EFBIG : r;
}

static int push_strings(void *context, const char *bytes, size_t length)
{
	struct strings *strings = context;

	return xml_stream_push(strings->stream, bytes, length);
}

static int read_strings(struct xlsx_book *book, struct extract_input *in, struct sink *sink)
{
	static const struct xml_handler handler = {.begin = string_begin, .end = string_end, .text = string_text};
	struct strings strings = {.book = book};
	int r = xml_stream_begin(&handler, &strings, sink, &strings.stream), ended;

	if (r < 0)
		return r;
	r = zip_part_stream(in, sink, "xl/sharedStrings.xml", push_strings, &strings);
	ended = xml_stream_end(strings.stream);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : ended;
}

const char *xlsx_string(const struct xlsx_book *book, uint64_t number, size_t *ret_length)
{
	uint32_t begin;

	if (number >= book->string_count)
		return NULL;
	begin = number > 0 ? book->string_ends[number - 1] : 0;
	*ret_length = book->string_ends[number] - begin;
	return book->strings.data + begin;
}

/* --- all of it --- */

/* A damaged part costs what it would have told, no more. */
static int forgive(int r, struct sink *sink, const char *what)
{
	if (r != -EBADMSG && r != -EFBIG && r != -E2BIG)
		return r;
	sink_warning(sink, "%s could not be read to the end", what);
	return 0;
}

int xlsx_book_read(struct xlsx_book *book, struct extract_input *in, struct sink *sink, const struct zip_parts *parts)
{
	static const struct xml_handler workbook = {.begin = workbook_begin}, relations = {.begin = relation_begin};
	const struct zip_part *part = zip_part_find(parts, "xl/workbook.xml");
	int r;

	*book = (struct xlsx_book){.strings = BUF_INIT(XLSX_STRINGS_MAX_BYTES)};
	if (!part)
		return -EBADMSG;
	r = forgive(xml_walk(part->bytes, part->length, &workbook, book, sink), sink, "the list of sheets");
	part = zip_part_find(parts, "xl/_rels/workbook.xml.rels");
	if (r == 0 && part)
		r = forgive(xml_walk(part->bytes, part->length, &relations, book, sink), sink, "the list of parts");
	if (r == 0)
		r = forgive(read_styles(book, sink, parts), sink, "the styles");
	if (r == 0)
		r = forgive(read_strings(book, in, sink), sink, "the table of strings");
	if (r == 0 && book->sheet_count == 0)
		return -EBADMSG;
	return r;
}

void xlsx_book_release(struct xlsx_book *book)
{
	free(book->sheets);
	free(book->is_date);
	free(book->string_ends);
	buf_release(&book->strings);
	*book = (struct xlsx_book){0};
}
