/* Which media type a content has. The name only decides between kinds of text, which look alike. */
#include "extractd/worker/formats/detect.h"

#include <ctype.h>
#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"

static magic_t magic; /* loaded in the zygote; each child has its own copy */

int detect_preload(void)
{
	/* Text and containers are told apart here, at a fiftieth of the cost (its rules for text take 2 ms for 8 KiB).
	 */
	magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_TEXT |
			   MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_CSV |
			   MAGIC_NO_CHECK_JSON);
	if (!magic)
		return -ENOMEM;
	if (magic_load(magic, NULL) < 0) {
		fprintf(stderr, "libmagic: %s\n", magic_error(magic));
		magic_close(magic);
		magic = NULL;
		return -ENOENT;
	}
	return 0;
}

struct signature {
	const char *bytes;
	unsigned offset, length;
	const char *media_type;
};

#define SIGNATURE(offset, bytes, media_type)                                                                           \
	{                                                                                                              \
		bytes, offset, sizeof(bytes) - 1, media_type                                                           \
	}

static const struct signature signatures[] = {
	SIGNATURE(0, "%PDF-", "application/pdf"),
	SIGNATURE(0, "\x89PNG\r\n\x1A\n", "image/png"),
	SIGNATURE(0, "\xFF\xD8\xFF", "image/jpeg"),
	SIGNATURE(0, "GIF87a", "image/gif"),
	SIGNATURE(0, "GIF89a", "image/gif"),
	SIGNATURE(0, "II*\0", "image/tiff"),
	SIGNATURE(0, "MM\0*", "image/tiff"),
	SIGNATURE(8, "WEBPVP8", "image/webp"),
	SIGNATURE(0, "\x1F\x8B\x08", "application/gzip"),
	SIGNATURE(0, "BZh", "application/x-bzip2"),
	SIGNATURE(0, "\xFD\x37zXZ\0", "application/x-xz"),
	SIGNATURE(0, "7z\xBC\xAF\x27\x1C", "application/x-7z-compressed"),
	SIGNATURE(0, "\x28\xB5\x2F\xFD", "application/zstd"),
	SIGNATURE(0, "\x04\x22\x4D\x18", "application/x-lz4"),
	SIGNATURE(0, "Rar!\x1A\x07", "application/x-rar"),
	SIGNATURE(257, "ustar", "application/x-tar"),
};

static const char *by_signature(const struct detect_head *head)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct signature *signature = &signatures[i];

		if (head->length >= signature->offset + signature->length &&
		    memcmp(head->bytes + signature->offset, signature->bytes, signature->length) == 0)
			return signature->media_type;
	}
	return NULL;
}

static bool begins_with(const struct detect_head *head, const char *bytes, size_t length)
{
	return head->length >= length && memcmp(head->bytes, bytes, length) == 0;
}

/* Readers of PDF take what stands before the header, up to 1 KiB. */
static bool is_late_pdf(const struct detect_head *head)
{
	size_t length = head->length < 1024 ? head->length : 1024;

	return memmem(head->bytes, length, "%PDF-", 5) != NULL;
}

/*
 * What the name claims, for content that is nothing: so that the extractor of that type says what is wrong with it. Of
 * the formats that cannot be plain text.
 */
static const char *by_claim(const struct detect_head *head)
{
	static const struct {
		const char *extension, *media_type;
	} claims[] = {
		{"pdf", "application/pdf"},
		{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		{"odt", "application/vnd.oasis.opendocument.text"},
		{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
		{"odp", "application/vnd.oasis.opendocument.presentation"},
		{"epub", "application/epub+zip"},
		{"doc", "application/msword"},
		{"xls", "application/vnd.ms-excel"},
		{"zip", "application/zip"},
		{"png", "image/png"},
		{"jpg", "image/jpeg"},
		{"jpeg", "image/jpeg"},
		{"json", "application/json"},
	};

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		if (strcmp(head->extension, claims[i].extension) == 0)
			return claims[i].media_type;
	return NULL;
}

/* A container in which nothing was found that tells more, as when its end is missing. */
static const char *or_claim(const struct detect_head *head, const char *found, const char *nothing)
{
	const char *claim = strcmp(found, nothing) == 0 ? by_claim(head) : NULL;

	return claim ? claim : found;
}

static const char *by_magic(const struct detect_head *head)
{
	const char *media_type = magic ? magic_buffer(magic, head->bytes, head->length) : NULL;

	if (!media_type || strchr(media_type, '/') == NULL || strcmp(media_type, "text/plain") == 0)
		return NULL;
	return strcmp(media_type, "application/octet-stream") == 0 ? NULL : media_type;
}

/* Programs name text and markup .doc and .xls, which other programs then open. */
static bool may_be_text(const struct detect_head *head)
{
	return strcmp(head->extension, "doc") == 0 || strcmp(head->extension, "xls") == 0;
}

static const char *detect(const struct detect_head *head)
{
	const char *found = by_signature(head), *claim;

	if (found)
		return found;
	if (begins_with(head, "PK\x03\x04", 4) || begins_with(head, "PK\x05\x06", 4))
		return or_claim(head, detect_zip(head), "application/zip");
	if (begins_with(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8))
		return or_claim(head, detect_ole(head), "application/x-ole-storage");
	found = detect_text(head);
	claim = by_claim(head);
	if (found && (strcmp(found, "text/plain") != 0 || !claim || may_be_text(head)))
		return found;
	if (!found)
		found = by_magic(head);
	else
		found = NULL;
	if (!found && is_late_pdf(head))
		return "application/pdf";
	if (!found)
		found = claim;
	return found ? found : "application/octet-stream";
}

static void read_extension(const char *name, char extension[DETECT_EXTENSION_SIZE])
{
	const char *dot = strrchr(name, '.');
	size_t length = 0;

	if (dot && !strchr(dot, '/'))
		for (dot++; dot[length] && length + 1 < DETECT_EXTENSION_SIZE; length++)
			extension[length] = (char)tolower((unsigned char)dot[length]);
	extension[dot && dot[length] == '\0' ? length : 0] = '\0';
}

int detect_media_type(struct extract_input *in, char ret_media_type[EXTRACT_MEDIA_TYPE_SIZE])
{
	size_t size = in->size_bytes < DETECT_HEAD_BYTES ? in->size_bytes : DETECT_HEAD_BYTES;
	autofree char *bytes = malloc(size + 1);
	struct detect_head head = {.in = in, .bytes = bytes};
	long n;

	if (!bytes)
		return -ENOMEM;
	n = input_read(in, bytes, size, 0);
	if (n < 0)
		return (int)n;
	head.length = (size_t)n;
	head.is_whole = head.length >= in->size_bytes;
	bytes[head.length] = '\0';
	read_extension(in->name, head.extension);
	snprintf(ret_media_type, EXTRACT_MEDIA_TYPE_SIZE, "%s", head.length == 0 ? "inode/x-empty" : detect(&head));
	return 0;
}
