#include "extractd/worker/formats/exif.h"

#include <errno.h>
#include <libexif/exif-data.h>
#include <libexif/exif-log.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX_BYTES = 1024, BLOCK_MAX_BYTES = 4 << 20, TIFF_HEAD_BYTES = 65536 - 6 };

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

/* A chunk of PNG (length, name, bytes, CRC) or RIFF (name, length, bytes, padding). NULL: not there. */
static const uint8_t *png_chunk(const uint8_t *bytes, size_t length, const char *name, size_t *ret_length)
{
	for (size_t at = 8; length >= 12 && at <= length - 12;) {
		size_t size = big_endian(bytes + at);

		if (size > length - at - 12)
			return NULL;
		if (memcmp(bytes + at + 4, name, 4) == 0) {
			*ret_length = size;
			return bytes + at + 8;
		}
		at += size + 12;
	}
	return NULL;
}

static const uint8_t *riff_chunk(const uint8_t *bytes, size_t length, const char *name, size_t *ret_length)
{
	for (size_t at = 12; length >= 8 && at <= length - 8;) {
		size_t size = little_endian(bytes + at + 4);

		if (size > length - at - 8)
			return NULL;
		if (memcmp(bytes + at, name, 4) == 0) {
			*ret_length = size;
			return bytes + at + 8;
		}
		at += size + (size & 1) + 8;
	}
	return NULL;
}

/* libexif wants "Exif\0\0" before the TIFF structure. */
static ExifData *data_of_tiff(const uint8_t *bytes, size_t length)
{
	static const char prefix[6] = "Exif\0";
	uint8_t *block;
	ExifData *data;

	if (length < 8)
		return NULL;
	if (length > BLOCK_MAX_BYTES)
		length = BLOCK_MAX_BYTES;
	if (memcmp(bytes, prefix, sizeof(prefix)) == 0)
		return exif_data_new_from_data(bytes, (unsigned)length);
	block = malloc(length + sizeof(prefix));
	if (!block)
		return NULL;
	memcpy(block, prefix, sizeof(prefix));
	memcpy(block + sizeof(prefix), bytes, length);
	data = exif_data_new_from_data(block, (unsigned)(length + sizeof(prefix)));
	free(block);
	return data;
}

static ExifData *find(const uint8_t *bytes, size_t length)
{
	const uint8_t *chunk;
	size_t size;

	if (length < 12)
		return NULL;
	if (bytes[0] == 0xff && bytes[1] == 0xd8)
		return exif_data_new_from_data(bytes, (unsigned)(length < BLOCK_MAX_BYTES ? length : BLOCK_MAX_BYTES));
	if (memcmp(bytes, "\x89PNG", 4) == 0)
		return (chunk = png_chunk(bytes, length, "eXIf", &size)) ? data_of_tiff(chunk, size) : NULL;
	if (memcmp(bytes, "RIFF", 4) == 0)
		return (chunk = riff_chunk(bytes, length, "EXIF", &size)) ? data_of_tiff(chunk, size) : NULL;
	if (memcmp(bytes, "II*", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0)
		return data_of_tiff(bytes, length < TIFF_HEAD_BYTES ? length : TIFF_HEAD_BYTES);
	return NULL;
}

static void put_entry(ExifEntry *entry, void *context)
{
	const char *name = exif_tag_get_name_in_ifd(entry->tag, exif_entry_get_ifd(entry));
	char key[128], value[VALUE_MAX_BYTES];

	if (!name || entry->tag == EXIF_TAG_MAKER_NOTE)
		return;
	exif_entry_get_value(entry, value, sizeof(value));
	snprintf(key, sizeof(key), "exif:%s", name);
	sink_metadata_text(context, key, value);
}

static void put_directory(ExifContent *content, void *sink)
{
	if (exif_content_get_ifd(content) != EXIF_IFD_1) /* the thumbnail's */
		exif_content_foreach_entry(content, put_entry, sink);
}

/* Degrees, minutes and seconds as three fractions. NAN when they are none. */
static double degrees(ExifData *data, ExifTag tag)
{
	ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_GPS], tag);
	double value = 0, unit = 1;

	if (!entry || entry->format != EXIF_FORMAT_RATIONAL || entry->components != 3 || entry->size < 24)
		return NAN;
	for (size_t i = 0; i < 3; i++, unit *= 60) {
		ExifRational part = exif_get_rational(entry->data + 8 * i, exif_data_get_byte_order(data));

		if (part.denominator == 0)
			return NAN;
		value += (double)part.numerator / part.denominator / unit;
	}
	return value;
}

static bool is_reference(ExifData *data, ExifTag tag, char letter)
{
	ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_GPS], tag);

	return entry && entry->size > 0 && (entry->data[0] | 0x20) == letter;
}

static void put_place(ExifData *data, struct sink *sink)
{
	double latitude = degrees(data, (ExifTag)EXIF_TAG_GPS_LATITUDE);
	double longitude = degrees(data, (ExifTag)EXIF_TAG_GPS_LONGITUDE);
	char json[128];

	if (isnan(latitude) || isnan(longitude) || latitude > 90 || longitude > 180)
		return;
	if (is_reference(data, (ExifTag)EXIF_TAG_GPS_LATITUDE_REF, 's'))
		latitude = -latitude;
	if (is_reference(data, (ExifTag)EXIF_TAG_GPS_LONGITUDE_REF, 'w'))
		longitude = -longitude;
	sink_metadata(
		sink, json,
		(size_t)snprintf(json, sizeof(json), "{\"geo:lat\":%.6f,\"geo:long\":%.6f}", latitude, longitude));
}

int exif_put(const uint8_t *bytes, size_t length, struct sink *sink)
{
	ExifData *data = find(bytes, length);
	bool is_empty = true;

	if (!data)
		return -ENOENT;
	for (int i = 0; i < EXIF_IFD_COUNT; i++)
		is_empty = is_empty && data->ifd[i]->count == 0;
	if (!is_empty) {
		exif_data_foreach_content(data, put_directory, sink);
		put_place(data, sink);
	}
	exif_data_unref(data);
	return is_empty ? -ENOENT : 0;
}
