#include "shared/base/frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include "shared/base/json_check.h"
#include "shared/base/text.h"

enum payload_kind { PAYLOAD_NONE, PAYLOAD_EMPTY, PAYLOAD_TEXT, PAYLOAD_JSON, PAYLOAD_LETTERS, PAYLOAD_CONFIDENCE };

static const enum payload_kind payload_kinds[FRAME_TYPE_COUNT] = {
	[FRAME_JOB] = PAYLOAD_JSON,	   [FRAME_MEDIA_TYPE] = PAYLOAD_TEXT,
	[FRAME_EXTRACTOR] = PAYLOAD_TEXT,  [FRAME_TEXT] = PAYLOAD_TEXT,
	[FRAME_PAGE] = PAYLOAD_EMPTY,	   [FRAME_METADATA] = PAYLOAD_JSON,
	[FRAME_DATA] = PAYLOAD_JSON,	   [FRAME_SUMMARY] = PAYLOAD_TEXT,
	[FRAME_LETTERS] = PAYLOAD_LETTERS, [FRAME_CONFIDENCE] = PAYLOAD_CONFIDENCE,
	[FRAME_WARNING] = PAYLOAD_TEXT,	   [FRAME_ERROR] = PAYLOAD_TEXT,
	[FRAME_WANT_OCR] = PAYLOAD_EMPTY,  [FRAME_DONE] = PAYLOAD_EMPTY,
};

static int write_vector(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t written = writev(fd, parts, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		while (count > 0 && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

int frame_write(int fd, enum frame_type type, const void *payload, size_t length)
{
	uint8_t header[FRAME_HEADER_SIZE] = {0};
	uint32_t wire_length = htole32((uint32_t)length);
	struct iovec parts[2] = {{header, sizeof(header)}, {NULL, length}};

	if (length > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	memcpy(header, &wire_length, sizeof(wire_length));
	header[4] = (uint8_t)type;
	memcpy(&parts[1].iov_base, &payload, sizeof(payload)); /* writev only reads, iovec has no const */
	return write_vector(fd, parts, length > 0 ? 2 : 1);
}

static int check_text(const struct frame *frame)
{
	const char *text = (const char *)frame->payload;

	if (memchr(text, '\0', frame->length) || !utf8_is_valid(text, frame->length))
		return -EBADMSG;
	return 0;
}

static int check_object(const struct frame *frame)
{
	enum json_kind kind;

	if (json_check((const char *)frame->payload, frame->length, FRAME_JSON_DEPTH, &kind) < 0)
		return -EBADMSG;
	return kind == JSON_KIND_OBJECT ? 0 : -EBADMSG;
}

static int check_confidence(const struct frame *frame)
{
	uint32_t thousandths;

	if (frame->length != sizeof(thousandths))
		return -EBADMSG;
	memcpy(&thousandths, frame->payload, sizeof(thousandths));
	return le32toh(thousandths) <= FRAME_CONFIDENCE_MAX ? 0 : -EBADMSG;
}

static int check_payload(const struct frame *frame)
{
	switch (payload_kinds[frame->type]) {
	case PAYLOAD_TEXT:
		return check_text(frame);
	case PAYLOAD_JSON:
		return check_object(frame);
	case PAYLOAD_LETTERS:
		return frame->length == FRAME_LETTER_COUNT * sizeof(uint64_t) ? 0 : -EBADMSG;
	case PAYLOAD_CONFIDENCE:
		return check_confidence(frame);
	case PAYLOAD_EMPTY:
		return frame->length == 0 ? 0 : -EBADMSG;
	case PAYLOAD_NONE:
		break;
	}
	return -EBADMSG;
}

long frame_parse(const uint8_t *bytes, size_t length, struct frame *ret_frame)
{
	struct frame frame;
	int r;

	if (length < FRAME_HEADER_SIZE)
		return 0;
	memcpy(&frame.length, bytes, sizeof(frame.length));
	frame.length = le32toh(frame.length);
	if (frame.length > FRAME_PAYLOAD_MAX || bytes[4] >= FRAME_TYPE_COUNT || bytes[5] || bytes[6] || bytes[7])
		return -EBADMSG;
	frame.type = bytes[4];
	if (payload_kinds[frame.type] == PAYLOAD_NONE)
		return -EBADMSG;
	if (length - FRAME_HEADER_SIZE < frame.length)
		return 0;
	frame.payload = bytes + FRAME_HEADER_SIZE;
	r = check_payload(&frame);
	if (r < 0)
		return r;
	*ret_frame = frame;
	return FRAME_HEADER_SIZE + (long)frame.length;
}
