/*
 * Common signatures first, then text, then libmagic: a small text costs a few microseconds, a PDF one, and libmagic's
 * search (30 to 150 µs) is left for what is neither. Its built-in readers of text, tar, OLE and ELF are off; ours are
 * above and bounded.
 */
#include "shared/validate/detect.h"

#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/log.h"
#include "shared/validate/file_types.h"

enum {
	SEARCH_BYTES = 64 * 1024,
	MAGIC_FLAGS = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_TEXT |
		      MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON |
		      MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_ELF
};

struct detector {
	magic_t magic;
	char buffer[ZIP_BUFFER_BYTES];
};

int detector_new(struct detector **ret_detector)
{
	struct detector *detector = malloc(sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	detector->magic = magic_open(MAGIC_FLAGS);
	if (!detector->magic) {
		free(detector);
		return -ENOMEM;
	}
	if (magic_load(detector->magic, NULL) < 0) {
		log_error("the database of media types cannot be loaded", "error", magic_error(detector->magic));
		detector_free(detector);
		return -EIO;
	}
	*ret_detector = detector;
	return 0;
}

void detector_free(struct detector *detector)
{
	if (!detector)
		return;
	magic_close(detector->magic);
	free(detector);
}

char *detector_buffer(struct detector *detector)
{
	return detector->buffer;
}

static void set_type(struct content *content, const char *media_type)
{
	snprintf(content->media_type, sizeof(content->media_type), "%s", media_type);
}

/* False: only libmagic can tell. */
static bool detect_known(const void *head, size_t length, bool is_whole, struct content *content)
{
	const char *type;

	content->kind = archive_kind_of(head, length, &type);
	if (content->kind != ARCHIVE_NONE) {
		content->is_open = content->kind == ARCHIVE_ZIP;
		set_type(content, type);
		return true;
	}
	content->is_open = is_ole_compound(head, length);
	if (content->is_open)
		type = "application/x-ole-storage";
	else
		type = signature_type(head, length);
	if (!type) {
		type = text_type(head, length, is_whole);
		content->is_text = type != NULL;
	}
	if (!type)
		type = weak_signature_type(head, length);
	set_type(content, type ? type : "application/octet-stream");
	return type != NULL;
}

/* Its answer when it is a media type; what it has to say of text is not asked for. */
static void detect_with_magic(struct detector *detector, const void *head, size_t length, struct content *content)
{
	const char *type = magic_buffer(detector->magic, head, length);

	if (type && strchr(type, '/') && strlen(type) < MEDIA_TYPE_SIZE && strncmp(type, "inode/", 6) != 0 &&
	    strcmp(type, "application/x-empty") != 0)
		set_type(content, type);
	content->is_text = media_type_families(content->media_type) & FAMILY_TEXT;
}

void detect_head(struct detector *detector, const void *head, size_t length, bool is_whole, struct content *ret_content)
{
	*ret_content = (struct content){0};
	if (length > 0 && !detect_known(head, length, is_whole, ret_content) && detector)
		detect_with_magic(detector, head, length, ret_content);
}

static int read_head(int fd, uint64_t size_bytes, char *buffer, size_t max, size_t *ret_length)
{
	size_t want = size_bytes < max ? (size_t)size_bytes : max, length = 0;

	while (length < want) {
		ssize_t n = pread(fd, buffer + length, want - length, (off_t)length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	*ret_length = length;
	return 0;
}

static int look_into_zip(struct detector *detector, int fd, uint64_t size_bytes, struct content *content)
{
	int r = zip_index_read(fd, size_bytes, detector->buffer, &content->zip);

	if (r < 0)
		return r;
	if (content->zip.document_type[0] != '\0')
		set_type(content, content->zip.document_type);
	content->is_document = media_type_families(content->media_type) & FAMILY_DOCUMENT;
	return 0;
}

int detect_content(struct detector *detector, int fd, uint64_t size_bytes, struct content *ret_content)
{
	size_t length;
	int r = read_head(fd, size_bytes, detector->buffer, DETECT_HEAD_BYTES, &length);

	*ret_content = (struct content){0};
	if (r < 0 || length == 0)
		return r;
	if (!detect_known(detector->buffer, length, length == size_bytes, ret_content)) {
		r = read_head(fd, size_bytes, detector->buffer, SEARCH_BYTES, &length);
		if (r == 0)
			detect_with_magic(detector, detector->buffer, length, ret_content);
		return r;
	}
	if (ret_content->kind == ARCHIVE_ZIP)
		return look_into_zip(detector, fd, size_bytes, ret_content);
	if (ret_content->is_open)
		set_type(ret_content, ole_type(fd, size_bytes));
	return 0;
}
