/*
 * Archives: a listing of what is in them, and each entry's text through the table of extractors, as deep as allowed.
 * Lengths that an archive declares are shown, never trusted; every byte that comes out is counted.
 */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/archive_reader.h"
#include "shared/base/clock.h"
#include "shared/base/frame.h"
#include "shared/base/text.h"

enum { ENTRY_MAX_BYTES = 256 << 20, LISTING_MAX_BYTES = FRAME_PAYLOAD_MAX - 4096 };

struct listing {
	struct extract_input *in;
	struct sink *sink;
	struct buf json;
	uint64_t count, declared_bytes;
	bool is_full;
};

static const char *entry_kind(struct archive_entry *entry)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
		return "folder";
	case AE_IFLNK:
		return "link";
	case AE_IFREG:
	case 0:
		return "file";
	default:
		return "special";
	}
}

static void put_listed(struct listing *listing, struct archive_entry *entry, const char *path,
		       const struct buf *embedded, const char *fault)
{
	char time[CLOCK_RFC3339_SIZE];
	size_t before = listing->json.length;

	if (listing->is_full)
		return;
	if (before > 0)
		buf_putc(&listing->json, ',');
	buf_putc(&listing->json, '{');
	json_put_key(&listing->json, "path");
	json_put_string(&listing->json, path, strlen(path));
	json_put_key(&listing->json, "type");
	json_put_string(&listing->json, entry_kind(entry), strlen(entry_kind(entry)));
	if (archive_entry_size_is_set(entry))
		buf_printf(&listing->json, ",\"size\":%lld", (long long)archive_entry_size(entry));
	if (archive_entry_mtime_is_set(entry)) {
		clock_format_rfc3339((int64_t)archive_entry_mtime(entry) * NS_PER_S, time);
		buf_printf(&listing->json, ",\"time\":\"%s\"", time);
	}
	if (fault) {
		json_put_key(&listing->json, "error");
		json_put_string(&listing->json, fault, strlen(fault));
	}
	if (embedded && embedded->length > 2)
		buf_printf(&listing->json, ",\"content\":%s", embedded->data);
	buf_putc(&listing->json, '}');
	if (buf_error(&listing->json) == 0)
		return;
	listing->json.length = before;
	listing->json.error = 0;
	listing->is_full = true;
	sink_warning(listing->sink, "the listing is too long and was cut");
}

static int read_entry(struct listing *listing, struct archive *archive, struct archive_entry *entry, const char *path)
{
	autobuf struct buf content = BUF_INIT(ENTRY_MAX_BYTES), embedded = BUF_INIT(LISTING_MAX_BYTES / 4);
	int r;

	if (archive_entry_is_encrypted(entry)) {
		put_listed(listing, entry, path, NULL, "encrypted");
		sink_confidence(listing->sink, 700, "entries are encrypted");
		return 0;
	}
	r = archive_take(archive, listing->sink, ENTRY_MAX_BYTES, &content);
	if (r == -EFBIG || r == -ENOMEM) {
		put_listed(listing, entry, path, NULL, "too large");
		return r == -ENOMEM ? r : 1;
	}
	if (r != 0) {
		put_listed(listing, entry, path, NULL, r == 1 ? "too large" : r == -EACCES ? "encrypted" : "damaged");
		sink_confidence(listing->sink, 700, "entries could not be read");
		return 0;
	}
	r = sink_printf(listing->sink, "## %s\n\n", path);
	if (r >= 0)
		r = extract_embedded(listing->in, listing->sink, path, content.data, content.length, &embedded);
	if (r >= 0) {
		sink_puts(listing->sink, "\n\n");
		put_listed(listing, entry, path, buf_error(&embedded) == 0 ? &embedded : NULL, NULL);
	}
	return r < 0 ? r : 0;
}

static int read_entries(struct listing *listing, struct archive *archive)
{
	struct archive_entry *entry;
	int status, r = 0;

	while (r == 0 && (status = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
		const char *path = archive_entry_pathname_utf8(entry);

		if (status == ARCHIVE_FATAL || status == ARCHIVE_RETRY)
			return listing->count > 0 ? -ENODATA : -EBADMSG;
		if (listing->count >= listing->in->limits->entries) {
			sink_warning(listing->sink, "more than %u entries", listing->in->limits->entries);
			return 0;
		}
		listing->count++;
		if (!path)
			path = archive_entry_pathname(entry) ? archive_entry_pathname(entry) : "";
		if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0)
			listing->declared_bytes += (uint64_t)archive_entry_size(entry);
		if (strcmp(entry_kind(entry), "file") == 0)
			r = read_entry(listing, archive, entry, path);
		else
			put_listed(listing, entry, path, NULL, NULL);
		if (r == 0 && sink_should_stop(listing->sink))
			r = -ETIME;
	}
	return r == 1 ? 0 : r; /* 1: the budget is used up, which the sink has said */
}

/* A bare .gz holds one nameless file; libarchive calls it "data". */
static bool is_bare_stream(const char *media_type)
{
	static const char *const types[] = {"application/gzip",	  "application/x-gzip",	   "application/x-bzip2",
					    "application/x-xz",	  "application/zstd",	   "application/x-lz4",
					    "application/x-lzma", "application/x-compress"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(media_type, types[i]) == 0)
			return true;
	return false;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct listing listing = {.in = in, .sink = sink, .json = BUF_INIT(LISTING_MAX_BYTES)};
	const uint8_t *bytes = input_bytes(in);
	autobuf struct buf array = BUF_INIT(LISTING_MAX_BYTES + 8);
	struct archive *archive;
	int r;

	if (!bytes)
		return -ENOMEM;
	archive = archive_open(bytes, in->size_bytes, is_bare_stream(in->media_type));
	if (!archive)
		return sink_error(sink, "corrupt: the archive cannot be opened");
	r = read_entries(&listing, archive);
	if (r == -EBADMSG)
		r = sink_error(sink, "%s",
			       archive_read_has_encrypted_entries(archive) > 0
				       ? "encrypted: the archive needs a password"
				       : "corrupt: the archive cannot be read");
	else if (r == -ENODATA)
		sink_warning(sink, "the archive is damaged behind entry %llu", (unsigned long long)listing.count);
	archive_read_free(archive);
	sink_metadata_number(sink, "archive:entries", (int64_t)listing.count);
	sink_metadata_number(sink, "archive:declared_bytes", (int64_t)listing.declared_bytes);
	buf_printf(&array, "[%s]", listing.json.data);
	if (buf_error(&array) == 0)
		sink_data_member(sink, "entries", array.data, array.length);
	buf_release(&listing.json);
	return r < 0 && r != -ENODATA ? r : 0;
}

static const char *const media_types[] = {"application/zip",
					  "application/x-tar",
					  "application/gzip",
					  "application/x-gzip",
					  "application/x-7z-compressed",
					  "application/x-bzip2",
					  "application/x-xz",
					  "application/zstd",
					  "application/x-lz4",
					  "application/x-lzma",
					  "application/x-compress",
					  "application/x-rar",
					  "application/vnd.rar",
					  "application/x-cpio",
					  "application/x-archive",
					  "application/vnd.ms-cab-compressed",
					  "application/x-iso9660-image",
					  NULL};

const struct extractor extractor_archive = {
	.name = "archive", .version = 1, .media_types = media_types, .extract = extract};
