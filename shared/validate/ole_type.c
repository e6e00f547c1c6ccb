/*
 * OLE compound files ([MS-CFB]): a small file system whose folder names tell what they hold. Only the folder is read,
 * sector by sector, and never more than DIRECTORY_SECTORS_MAX of it, whatever the file claims.
 */
#include <string.h>
#include <unistd.h>
#include "shared/validate/byte_order.h"
#include "shared/validate/content_type.h"

enum {
	HEADER_BYTES = 512,
	SECTOR_SHIFT_AT = 30,
	DIRECTORY_AT = 48,
	DIFAT_SECTOR_AT = 68,
	DIFAT_AT = 76,
	DIFAT_IN_HEADER = 109,
	SECTOR_BYTES_MAX = 4096,
	ENTRY_BYTES = 128,
	ENTRY_NAME_BYTES = 64,
	ENTRY_NAME_LENGTH_AT = 64,
	ENTRY_CLASS_AT = 80,
	DIRECTORY_SECTORS_MAX = 64,
	DIFAT_SECTORS_MAX = 64
};

#define SECTOR_LAST 0xfffffffa /* greater ones mean "none" or "end" */

struct ole {
	int fd;
	uint64_t size_bytes;
	size_t sector_bytes;
	unsigned char header[HEADER_BYTES];
	unsigned char sector[SECTOR_BYTES_MAX];
};

static bool read_sector(struct ole *ole, uint32_t number)
{
	uint64_t at = ((uint64_t)number + 1) * ole->sector_bytes;

	return number < SECTOR_LAST && at < ole->size_bytes &&
	       pread(ole->fd, ole->sector, ole->sector_bytes, (off_t)at) == (ssize_t)ole->sector_bytes;
}

/* The sector of the allocation table with the given index: the first are named in the header, the rest in a chain. */
static bool fat_sector(struct ole *ole, uint32_t index, uint32_t *ret_sector)
{
	uint32_t in_sector = (uint32_t)(ole->sector_bytes / 4 - 1), next = load_le32(ole->header + DIFAT_SECTOR_AT);

	if (index < DIFAT_IN_HEADER) {
		*ret_sector = load_le32(ole->header + DIFAT_AT + 4 * index);
		return true;
	}
	index -= DIFAT_IN_HEADER;
	for (unsigned i = 0; i < DIFAT_SECTORS_MAX; i++) {
		if (!read_sector(ole, next))
			return false;
		if (index < in_sector) {
			*ret_sector = load_le32(ole->sector + 4 * index);
			return true;
		}
		index -= in_sector;
		next = load_le32(ole->sector + 4 * in_sector);
	}
	return false;
}

static bool next_sector(struct ole *ole, uint32_t sector, uint32_t *ret_next)
{
	uint32_t in_sector = (uint32_t)(ole->sector_bytes / 4), fat;

	if (!fat_sector(ole, sector / in_sector, &fat) || !read_sector(ole, fat))
		return false;
	*ret_next = load_le32(ole->sector + 4 * (sector % in_sector));
	return true;
}

/* Names are UTF-16; those looked for are ASCII. */
static bool is_named(const unsigned char *entry, const char *name)
{
	size_t length = strlen(name);

	if (load_le16(entry + ENTRY_NAME_LENGTH_AT) != 2 * (length + 1) || 2 * (length + 1) > ENTRY_NAME_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (entry[2 * i] != (unsigned char)name[i] || entry[2 * i + 1] != 0)
			return false;
	}
	return true;
}

static const char *entry_type(const unsigned char *entry)
{
	static const struct {
		const char *name, *media_type;
	} names[] = {
		{"WordDocument", "application/msword"},	    {"Workbook", "application/vnd.ms-excel"},
		{"Book", "application/vnd.ms-excel"},	    {"PowerPoint Document", "application/vnd.ms-powerpoint"},
		{"VisioDocument", "application/vnd.visio"}, {"__properties_version1.0", "application/vnd.ms-outlook"},
	};
	static const unsigned char installer_class[] = {0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46};

	if (is_named(entry, "Root Entry") &&
	    memcmp(entry + ENTRY_CLASS_AT, installer_class, sizeof(installer_class)) == 0)
		return "application/x-msi";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_named(entry, names[i].name))
			return names[i].media_type;
	}
	return NULL;
}

const char *ole_type(int fd, uint64_t size_bytes)
{
	struct ole ole = {.fd = fd, .size_bytes = size_bytes};
	unsigned shift;
	uint32_t sector;

	if (pread(fd, ole.header, HEADER_BYTES, 0) != HEADER_BYTES)
		return "application/x-ole-storage";
	shift = load_le16(ole.header + SECTOR_SHIFT_AT);
	if (shift != 9 && shift != 12)
		return "application/x-ole-storage";
	ole.sector_bytes = (size_t)1 << shift;
	sector = load_le32(ole.header + DIRECTORY_AT);
	for (unsigned i = 0; i < DIRECTORY_SECTORS_MAX && read_sector(&ole, sector); i++) {
		for (size_t at = 0; at < ole.sector_bytes; at += ENTRY_BYTES) {
			const char *type = entry_type(ole.sector + at);

			if (type)
				return type;
		}
		if (!next_sector(&ole, sector, &sector))
			break;
	}
	return "application/x-ole-storage";
}
