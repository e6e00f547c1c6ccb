/*
 * APPNOTE.TXT, sections 4.3 and 4.5.3. Every number in the file is a claim: each is checked against the file's size
 * before it is followed, and reading ends at the first that cannot be true.
 */
#include "shared/validate/zip_index.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "shared/validate/byte_order.h"

enum {
	END_BYTES = 22,
	END_SEARCH_BYTES = END_BYTES + 65535,
	END64_BYTES = 56,
	LOCATOR64_BYTES = 20,
	CENTRAL_BYTES = 46,
	LOCAL_BYTES = 30,
	EXTRA_ZIP64 = 1,
	STORED = 0,
	MIMETYPE_BYTES_MAX = 100
};

#define OOXML "application/vnd.openxmlformats-officedocument."

/* Names that tell what a document is. */
enum {
	SEEN_CONTENT_TYPES = 1,
	SEEN_WORD = 2,
	SEEN_EXCEL = 4,
	SEEN_EXCEL_BINARY = 8,
	SEEN_POWERPOINT = 16,
	SEEN_VISIO = 32,
	SEEN_MACROS = 64,
	SEEN_XPS = 128,
	SEEN_ODF = 256,
	SEEN_EPUB = 512,
	SEEN_JAVA = 1024,
	SEEN_ANDROID = 2048
};

struct scan {
	int fd;
	uint64_t size_bytes;
	char *buffer;
	uint64_t buffer_at; /* of the file */
	size_t buffer_length;
	unsigned seen;
	uint64_t mimetype_at; /* local header of the entry "mimetype"; UINT64_MAX: none */
	struct zip_index *index;
};

/* The bytes at an offset, NULL when the file ends before; they live until the next call. */
static const char *at(struct scan *scan, uint64_t offset, size_t length)
{
	ssize_t n;

	if (offset > scan->size_bytes || length > scan->size_bytes - offset || length > ZIP_BUFFER_BYTES)
		return NULL;
	if (offset >= scan->buffer_at && offset - scan->buffer_at + length <= scan->buffer_length)
		return scan->buffer + (offset - scan->buffer_at);
	n = pread(scan->fd, scan->buffer, ZIP_BUFFER_BYTES, (off_t)offset);
	scan->buffer_at = offset;
	scan->buffer_length = n > 0 ? (size_t)n : 0;
	return scan->buffer_length >= length ? scan->buffer : NULL;
}

/* --- what it is -----------------------------------------------------------------------------------------------------
 */

static bool is_name(const char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

static bool name_begins(const char *name, size_t length, const char *wanted)
{
	return length >= strlen(wanted) && memcmp(name, wanted, strlen(wanted)) == 0;
}

static bool name_ends(const char *name, size_t length, const char *wanted)
{
	size_t wanted_length = strlen(wanted);

	return length >= wanted_length && memcmp(name + length - wanted_length, wanted, wanted_length) == 0;
}

static void look_at_name(struct scan *scan, const char *name, size_t length, uint64_t local_at)
{
	static const struct {
		const char *name;
		unsigned seen;
	} whole[] =
		{
			{"[Content_Types].xml", SEEN_CONTENT_TYPES}, {"xl/workbook.bin", SEEN_EXCEL_BINARY},
			{"META-INF/manifest.xml", SEEN_ODF},	     {"META-INF/container.xml", SEEN_EPUB},
			{"META-INF/MANIFEST.MF", SEEN_JAVA},	     {"AndroidManifest.xml", SEEN_ANDROID},
		},
	  begin[] = {
		  {"word/document", SEEN_WORD}, {"xl/workbook", SEEN_EXCEL}, {"ppt/presentation", SEEN_POWERPOINT},
		  {"visio/", SEEN_VISIO},	{"FixedDocSeq.", SEEN_XPS},
	  };

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		scan->seen |= is_name(name, length, whole[i].name) ? whole[i].seen : 0;
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		scan->seen |= name_begins(name, length, begin[i].name) ? begin[i].seen : 0;
	if (name_ends(name, length, "/vbaProject.bin"))
		scan->seen |= SEEN_MACROS;
	if (is_name(name, length, "mimetype"))
		scan->mimetype_at = local_at;
}

static const char *ooxml_type(unsigned seen)
{
	bool has_macros = seen & SEEN_MACROS;

	if (seen & SEEN_WORD)
		return has_macros ? "application/vnd.ms-word.document.macroEnabled.12"
				  : OOXML "wordprocessingml.document";
	if (seen & SEEN_EXCEL_BINARY)
		return "application/vnd.ms-excel.sheet.binary.macroEnabled.12";
	if (seen & SEEN_EXCEL)
		return has_macros ? "application/vnd.ms-excel.sheet.macroEnabled.12" : OOXML "spreadsheetml.sheet";
	if (seen & SEEN_POWERPOINT)
		return has_macros ? "application/vnd.ms-powerpoint.presentation.macroEnabled.12"
				  : OOXML "presentationml.presentation";
	if (seen & SEEN_VISIO)
		return "application/vnd.ms-visio.drawing.main+xml";
	if (seen & SEEN_XPS)
		return "application/vnd.ms-xpsdocument";
	return "";
}

/* ODF and EPUB hold their media type as an entry that is not compressed, so that it can be read like this. */
static bool mimetype_entry(struct scan *scan)
{
	const char *local = scan->mimetype_at == UINT64_MAX ? NULL : at(scan, scan->mimetype_at, LOCAL_BYTES), *text;
	uint32_t length;

	if (!local || memcmp(local, "PK\3\4", 4) != 0 || load_le16(local + 8) != STORED)
		return false;
	length = load_le32(local + 22);
	if (length == 0 || length > MIMETYPE_BYTES_MAX)
		return false;
	text = at(scan, scan->mimetype_at + LOCAL_BYTES + load_le16(local + 26) + load_le16(local + 28), length);
	if (!text)
		return false;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r' || text[length - 1] == ' '))
		length--;
	if (!is_name(text, length, "application/epub+zip") &&
	    !name_begins(text, length, "application/vnd.oasis.opendocument."))
		return false;
	for (uint32_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	snprintf(scan->index->document_type, ZIP_MEDIA_TYPE_SIZE, "%.*s", (int)length, text);
	return true;
}

static void tell_document(struct scan *scan)
{
	const char *type = "";

	if (scan->seen & SEEN_CONTENT_TYPES)
		type = ooxml_type(scan->seen);
	if (type[0] == '\0' && (scan->seen & (SEEN_ODF | SEEN_EPUB)) && mimetype_entry(scan))
		return;
	if (type[0] == '\0' && (scan->seen & SEEN_EPUB))
		type = "application/epub+zip";
	if (type[0] == '\0' && (scan->seen & SEEN_ANDROID))
		type = "application/vnd.android.package-archive";
	if (type[0] == '\0' && (scan->seen & SEEN_JAVA))
		type = "application/java-archive";
	snprintf(scan->index->document_type, ZIP_MEDIA_TYPE_SIZE, "%s", type);
}

/* --- the list -------------------------------------------------------------------------------------------------------
 */

static bool find_end(struct scan *scan, uint64_t *ret_end)
{
	size_t length = scan->size_bytes < END_SEARCH_BYTES ? (size_t)scan->size_bytes : END_SEARCH_BYTES;
	uint64_t begin = scan->size_bytes - length;
	const char *tail = at(scan, begin, length);

	if (!tail)
		return false;
	for (size_t i = length - END_BYTES + 1; i-- > 0;) {
		if (memcmp(tail + i, "PK\5\6", 4) != 0)
			continue;
		*ret_end = begin + i;
		return true;
	}
	return false;
}

/* Where the list ends, how long it is and how many it holds. The 64-bit record stands before the other when there is
 * one. */
static bool find_list(struct scan *scan, uint64_t *ret_begin, uint64_t *ret_end, uint64_t *ret_entries)
{
	uint64_t end, length, at64;
	const char *record, *record64;

	if (!find_end(scan, &end) || !(record = at(scan, end, END_BYTES)))
		return false;
	length = load_le32(record + 12);
	*ret_entries = load_le16(record + 10);
	if (end >= LOCATOR64_BYTES && (record64 = at(scan, end - LOCATOR64_BYTES, LOCATOR64_BYTES)) &&
	    memcmp(record64, "PK\6\7", 4) == 0) {
		at64 = load_le64(record64 + 8);
		record64 = at(scan, at64, END64_BYTES);
		if (!record64 || memcmp(record64, "PK\6\6", 4) != 0)
			return false;
		*ret_entries = load_le64(record64 + 32);
		length = load_le64(record64 + 40);
		end = at64;
	}
	if (length > end)
		return false;
	*ret_begin = end - length;
	*ret_end = end;
	return true;
}

/* The size that did not fit into 32 bits is the first number of the extra field of that name. */
static uint64_t declared_size(const char *central, const char *extra, size_t extra_length)
{
	uint32_t size = load_le32(central + 24);

	while (size == UINT32_MAX && extra_length >= 4) {
		uint16_t id = load_le16(extra), length = load_le16(extra + 2);

		if (length > extra_length - 4)
			break;
		if (id == EXTRA_ZIP64 && length >= 8)
			return load_le64(extra + 4);
		extra += 4 + length;
		extra_length -= 4U + length;
	}
	return size;
}

static bool read_list(struct scan *scan, uint64_t begin, uint64_t end, uint64_t entries)
{
	struct zip_index *index = scan->index;

	while (begin < end && end - begin >= CENTRAL_BYTES) {
		const char *central = at(scan, begin, CENTRAL_BYTES);
		size_t name_length, extra_length, length;
		uint64_t size;

		if (!central || memcmp(central, "PK\1\2", 4) != 0)
			break;
		name_length = load_le16(central + 28);
		extra_length = load_le16(central + 30);
		length = CENTRAL_BYTES + name_length + extra_length;
		central = length <= ZIP_BUFFER_BYTES ? at(scan, begin, length) : NULL;
		if (!central)
			break;
		size = declared_size(central, central + CENTRAL_BYTES + name_length, extra_length);
		index->declared_bytes =
			size > UINT64_MAX - index->declared_bytes ? UINT64_MAX : index->declared_bytes + size;
		look_at_name(scan, central + CENTRAL_BYTES, name_length, load_le32(central + 42));
		index->entries++;
		begin += length + load_le16(central + 32);
	}
	return begin == end && (index->entries == entries || (index->entries & 0xffff) == entries);
}

/* A file without its end: the names in front of what is left of the entries. */
static void read_beginning(struct scan *scan)
{
	size_t length = scan->size_bytes < ZIP_BUFFER_BYTES ? (size_t)scan->size_bytes : ZIP_BUFFER_BYTES;
	const char *bytes = at(scan, 0, length), *end = bytes + length, *local = bytes;

	while (local && end - local >= LOCAL_BYTES && (local = memmem(local, (size_t)(end - local), "PK\3\4", 4)) &&
	       end - local >= LOCAL_BYTES) {
		size_t name_length = load_le16(local + 26);

		if (name_length <= (size_t)(end - local) - LOCAL_BYTES)
			look_at_name(scan, local + LOCAL_BYTES, name_length, (uint64_t)(local - bytes));
		local += 4;
	}
}

int zip_index_read(int fd, uint64_t size_bytes, char *buffer, struct zip_index *ret_index)
{
	struct scan scan = {
		.fd = fd, .size_bytes = size_bytes, .buffer = buffer, .mimetype_at = UINT64_MAX, .index = ret_index};
	uint64_t begin, end, entries;

	*ret_index = (struct zip_index){0};
	if (size_bytes > 0 && pread(fd, buffer, 1, 0) < 0)
		return -errno;
	if (size_bytes >= END_BYTES && find_list(&scan, &begin, &end, &entries))
		ret_index->is_whole = read_list(&scan, begin, end, entries);
	if (!ret_index->is_whole && scan.seen == 0)
		read_beginning(&scan);
	tell_document(&scan);
	return 0;
}
