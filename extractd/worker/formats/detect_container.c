/* What a zip archive or a compound file is, by the names inside. Reads little and trusts no offset. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "extractd/worker/formats/detect.h"
#include "shared/base/cleanup.h"

enum { DIRECTORY_MAX_BYTES = 1 << 20, TAIL_BYTES = (64 << 10) + 22, ENTRY_SIZE = 46, MIMETYPE_OFFSET = 38 };

static uint16_t u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t u32(const uint8_t *bytes)
{
	return (uint32_t)u16(bytes) | (uint32_t)u16(bytes + 2) << 16;
}

/* --- zip --- */

struct zip_names {
	bool has_content_types, has_word, has_excel, has_powerpoint, has_excel_binary, has_macros, has_epub;
	bool has_content_xml;
};

static bool is_name(const char *name, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(name, wanted, length) == 0;
}

static bool is_below(const char *name, size_t length, const char *folder)
{
	return length > strlen(folder) && strncasecmp(name, folder, strlen(folder)) == 0;
}

static void take_name(struct zip_names *names, const char *name, size_t length)
{
	names->has_content_types |= is_name(name, length, "[Content_Types].xml");
	names->has_word |= is_below(name, length, "word/");
	names->has_excel |= is_below(name, length, "xl/");
	names->has_powerpoint |= is_below(name, length, "ppt/");
	names->has_excel_binary |= is_name(name, length, "xl/workbook.bin");
	names->has_macros |= length >= 14 && memcmp(name + length - 14, "vbaProject.bin", 14) == 0;
	names->has_epub |= is_name(name, length, "META-INF/container.xml");
	names->has_content_xml |= is_name(name, length, "content.xml");
}

static void walk_directory(const uint8_t *bytes, size_t length, struct zip_names *names)
{
	for (size_t at = 0; at + ENTRY_SIZE <= length && memcmp(bytes + at, "PK\x01\x02", 4) == 0;) {
		size_t name_length = u16(bytes + at + 28);

		if (at + ENTRY_SIZE + name_length > length)
			break;
		take_name(names, (const char *)bytes + at + ENTRY_SIZE, name_length);
		at += ENTRY_SIZE + name_length + u16(bytes + at + 30) + u16(bytes + at + 32);
	}
}

/* The names of the central directory. False: there is none, as in a truncated file. */
static bool read_directory(struct extract_input *in, struct zip_names *names)
{
	size_t tail_size = in->size_bytes < TAIL_BYTES ? in->size_bytes : TAIL_BYTES, directory_size;
	autofree uint8_t *tail = malloc(tail_size + 1), *directory = NULL;
	long n = tail ? input_read(in, tail, tail_size, in->size_bytes - tail_size) : -ENOMEM;
	long end = n - 22;

	while (end >= 0 && memcmp(tail + end, "PK\x05\x06", 4) != 0)
		end--;
	if (end < 0)
		return false;
	directory_size = u32(tail + end + 12);
	if (directory_size > DIRECTORY_MAX_BYTES)
		directory_size = DIRECTORY_MAX_BYTES;
	directory = malloc(directory_size + 1);
	n = directory ? input_read(in, directory, directory_size, u32(tail + end + 16)) : -ENOMEM;
	if (n > 0)
		walk_directory(directory, (size_t)n, names);
	return n > 0;
}

/* Without a directory: the local headers near the beginning, found by their signature. */
static void scan_headers(const struct detect_head *head, struct zip_names *names)
{
	const char *at = head->bytes, *end = head->bytes + head->length;

	while ((at = memmem(at, (size_t)(end - at), "PK\x03\x04", 4)) != NULL) {
		size_t name_length;

		if (end - at < 30)
			return;
		name_length = u16((const uint8_t *)at + 26);
		if ((size_t)(end - at) < 30 + name_length)
			return;
		take_name(names, at + 30, name_length);
		at += 30 + name_length;
	}
}

/* ODF and EPUB begin with an entry "mimetype", stored, that says what they are. */
static const char *by_mimetype_entry(const struct detect_head *head)
{
	static const char *const known[] = {
		"application/epub+zip",
		"application/vnd.oasis.opendocument.text-template",
		"application/vnd.oasis.opendocument.text-master",
		"application/vnd.oasis.opendocument.text",
		"application/vnd.oasis.opendocument.spreadsheet-template",
		"application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.presentation-template",
		"application/vnd.oasis.opendocument.presentation",
		"application/vnd.oasis.opendocument.graphics",
		"application/vnd.oasis.opendocument.formula",
	};

	if (head->length < MIMETYPE_OFFSET || memcmp(head->bytes + 30, "mimetype", 8) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(head->bytes + MIMETYPE_OFFSET, known[i], strlen(known[i])) == 0)
			return known[i];
	return NULL;
}

static const char *office_type(const struct zip_names *names)
{
	if (names->has_word)
		return names->has_macros ? "application/vnd.ms-word.document.macroenabled.12"
					 : "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
	if (names->has_excel_binary)
		return "application/vnd.ms-excel.sheet.binary.macroenabled.12";
	if (names->has_excel)
		return names->has_macros ? "application/vnd.ms-excel.sheet.macroenabled.12"
					 : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
	if (names->has_powerpoint)
		return names->has_macros ? "application/vnd.ms-powerpoint.presentation.macroenabled.12"
					 : "application/vnd.openxmlformats-officedocument.presentationml.presentation";
	return NULL;
}

const char *detect_zip(const struct detect_head *head)
{
	const char *found = by_mimetype_entry(head);
	struct zip_names names = {0};

	if (found)
		return found;
	if (!read_directory(head->in, &names))
		scan_headers(head, &names);
	if (names.has_content_types)
		found = office_type(&names);
	if (!found && names.has_epub && strcmp(head->extension, "epub") == 0)
		found = "application/epub+zip";
	return found ? found : "application/zip";
}

/* --- compound files --- */

enum { OLE_HEADER = 512, OLE_ENTRY = 128, OLE_NAME_UNITS = 32, OLE_SECTORS_MAX = 64, OLE_END = 0xFFFFFFFA };

struct ole {
	struct extract_input *in;
	uint8_t header[OLE_HEADER];
	uint32_t sector_size;
};

static long read_sector(struct ole *ole, uint32_t sector, uint8_t *bytes)
{
	return input_read(ole->in, bytes, ole->sector_size, ((uint64_t)sector + 1) * ole->sector_size);
}

/* The sector behind this one in its chain; only the first 109 allocation sectors are looked at. */
static uint32_t next_sector(struct ole *ole, uint32_t sector, uint8_t *scratch)
{
	uint32_t in_table = ole->sector_size / 4, table = sector / in_table;

	if (table >= 109 || read_sector(ole, u32(ole->header + 76 + 4UL * table), scratch) < (long)ole->sector_size)
		return OLE_END;
	return u32(scratch + 4UL * (sector % in_table));
}

/* A name of the directory, whose text is UTF-16; those that matter are ASCII. */
static const char *type_of_entry(const uint8_t *entry)
{
	static const struct {
		const char *name, *media_type;
	} streams[] = {
		{"WordDocument", "application/msword"},
		{"Workbook", "application/vnd.ms-excel"},
		{"Book", "application/vnd.ms-excel"},
		{"PowerPoint Document", "application/vnd.ms-powerpoint"},
		{"__properties_version1.0", "application/vnd.ms-outlook"},
		{"EncryptedPackage", "application/x-ole-encrypted-package"},
		{"VisioDocument", "application/vnd.visio"},
	};
	char name[OLE_NAME_UNITS + 1] = {0};

	for (unsigned i = 0; i < OLE_NAME_UNITS; i++) {
		uint16_t unit = u16(entry + 2UL * i);

		if (unit == 0)
			break;
		name[i] = unit < 0x80 ? (char)unit : '?';
	}
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (strcmp(name, streams[i].name) == 0)
			return streams[i].media_type;
	return NULL;
}

const char *detect_ole(const struct detect_head *head)
{
	struct ole ole = {.in = head->in};
	uint8_t sector_bytes[4096], scratch[4096];
	uint32_t sector;

	if (head->length < OLE_HEADER)
		return "application/x-ole-storage";
	memcpy(ole.header, head->bytes, OLE_HEADER);
	if (u16(ole.header + 30) != 9 && u16(ole.header + 30) != 12)
		return "application/x-ole-storage";
	ole.sector_size = 1U << u16(ole.header + 30);
	sector = u32(ole.header + 48);
	for (unsigned count = 0; count < OLE_SECTORS_MAX && sector < OLE_END; count++) {
		long n = read_sector(&ole, sector, sector_bytes);

		for (long at = 0; at + OLE_ENTRY <= n; at += OLE_ENTRY) {
			const char *found = type_of_entry(sector_bytes + at);

			if (found)
				return found;
		}
		if (n < (long)ole.sector_size)
			break;
		sector = next_sector(&ole, sector, scratch);
	}
	return "application/x-ole-storage";
}
