#include "extractd/worker/formats/zip_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/formats/archive_reader.h"

enum { PART_MAX_BYTES = 256 << 20, PARTS_MAX = 20000, STREAM_PIECE_BYTES = 64 << 10 };

static int keep(struct zip_parts *parts, const char *path, struct buf *bytes)
{
	struct zip_part *part;

	if (parts->count == parts->capacity) {
		int capacity = parts->capacity ? 2 * parts->capacity : 16;
		struct zip_part *grown = reallocarray(parts->parts, (size_t)capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		parts->parts = grown;
		parts->capacity = capacity;
	}
	part = &parts->parts[parts->count];
	part->path = strdup(path);
	part->length = bytes->length;
	part->bytes = bytes->length > 0 ? buf_take(bytes, NULL) : calloc(1, 1);
	if (!part->path || !part->bytes) {
		free(part->path);
		free(part->bytes);
		return -ENOMEM;
	}
	parts->count++;
	return 0;
}

static int read_part(struct archive *archive, struct sink *sink, const char *path, struct zip_parts *parts)
{
	autobuf struct buf bytes = BUF_INIT(PART_MAX_BYTES);
	int r = archive_take(archive, sink, PART_MAX_BYTES, &bytes);

	if (r == 0)
		return keep(parts, path, &bytes);
	if (r == -EFBIG || r == -ENOMEM || r == -EACCES)
		return r;
	parts->is_damaged = true;
	return 0;
}

static unsigned long take_number(const char **text)
{
	unsigned long value = 0;

	for (; isdigit((unsigned char)**text); ++*text)
		value = 10 * value + (unsigned long)(**text - '0');
	return value;
}

static int compare_paths(const void *first, const void *second)
{
	const char *a = ((const struct zip_part *)first)->path, *b = ((const struct zip_part *)second)->path;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			unsigned long x = take_number(&a), y = take_number(&b);

			if (x != y)
				return x < y ? -1 : 1;
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		a++;
		b++;
	}
	return *a ? 1 : *b ? -1 : 0;
}

static int read_all(struct archive *archive, struct sink *sink, bool (*is_wanted)(const char *path),
		    struct zip_parts *parts)
{
	struct archive_entry *entry;
	int status, r = 0, seen = 0;

	while ((status = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
		const char *path = archive_entry_pathname(entry);

		if (status == ARCHIVE_FATAL || status == ARCHIVE_RETRY || ++seen > PARTS_MAX) {
			parts->is_damaged = true;
			break;
		}
		if (!path || archive_entry_filetype(entry) == AE_IFDIR || !is_wanted(path += *path == '/'))
			continue;
		if (archive_entry_is_encrypted(entry))
			return -EACCES;
		r = read_part(archive, sink, path, parts);
		if (r < 0)
			return r == -EFBIG ? 0 : r;
		if (sink_should_stop(sink))
			return -ETIME;
	}
	return seen > 0 ? 0 : -EBADMSG;
}

int zip_parts_read(struct extract_input *in, struct sink *sink, bool (*is_wanted)(const char *path),
		   struct zip_parts *ret_parts)
{
	const uint8_t *bytes = input_bytes(in);
	struct archive *archive;
	int r;

	*ret_parts = (struct zip_parts){0};
	if (!bytes)
		return -ENOMEM;
	archive = archive_read_new();
	if (!archive)
		return -ENOMEM;
	archive_read_support_format_zip(archive);
	r = archive_read_open_memory(archive, bytes, in->size_bytes) == ARCHIVE_OK
		    ? read_all(archive, sink, is_wanted, ret_parts)
		    : -EBADMSG;
	archive_read_free(archive);
	if (r < 0)
		zip_parts_release(ret_parts);
	else if (ret_parts->count > 1)
		qsort(ret_parts->parts, (size_t)ret_parts->count, sizeof(*ret_parts->parts), compare_paths);
	return r;
}

static int stream_entry(struct archive *archive, struct sink *sink,
			int (*put)(void *context, const char *bytes, size_t length), void *context)
{
	char piece[STREAM_PIECE_BYTES];

	for (;;) {
		la_ssize_t length = archive_read_data(archive, piece, sizeof(piece));
		int r;

		if (length == 0)
			return 0;
		if (length < 0)
			return archive_read_has_encrypted_entries(archive) > 0 ? -EACCES : -EBADMSG;
		r = sink_charge(sink, (uint64_t)length);
		if (r == 0)
			r = put(context, piece, (size_t)length);
		if (r != 0)
			return r;
	}
}

static int find_and_stream(struct archive *archive, struct sink *sink, const char *wanted,
			   int (*put)(void *context, const char *bytes, size_t length), void *context)
{
	struct archive_entry *entry;
	int status;

	for (int seen = 0; seen < PARTS_MAX; seen++) {
		const char *path;

		status = archive_read_next_header(archive, &entry);
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			break;
		path = archive_entry_pathname(entry);
		if (path && strcmp(path + (*path == '/'), wanted) == 0)
			return archive_entry_is_encrypted(entry) ? -EACCES : stream_entry(archive, sink, put, context);
	}
	return -ENOENT;
}

int zip_part_stream(struct extract_input *in, struct sink *sink, const char *path,
		    int (*put)(void *context, const char *bytes, size_t length), void *context)
{
	const uint8_t *bytes = input_bytes(in);
	struct archive *archive = bytes ? archive_read_new() : NULL;
	int r;

	if (!archive)
		return -ENOMEM;
	archive_read_support_format_zip(archive);
	r = archive_read_open_memory(archive, bytes, in->size_bytes) == ARCHIVE_OK
		    ? find_and_stream(archive, sink, path, put, context)
		    : -EBADMSG;
	archive_read_free(archive);
	return r;
}

void zip_parts_release(struct zip_parts *parts)
{
	for (int i = 0; i < parts->count; i++) {
		free(parts->parts[i].path);
		free(parts->parts[i].bytes);
	}
	free(parts->parts);
	*parts = (struct zip_parts){0};
}

const struct zip_part *zip_part_find(const struct zip_parts *parts, const char *path)
{
	for (int i = 0; i < parts->count; i++)
		if (strcmp(parts->parts[i].path, path) == 0)
			return &parts->parts[i];
	return NULL;
}
