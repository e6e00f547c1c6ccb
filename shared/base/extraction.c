#include "shared/base/extraction.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/text.h"

enum { SUMMARY_MAX = FRAME_PAYLOAD_MAX, WARNINGS_MAX_BYTES = 256 << 10, ERROR_MAX = 4096 };

void extraction_init(struct extraction *extraction, const struct extraction_bounds *bounds)
{
	*extraction = (struct extraction){
		.bounds = *bounds,
		.text = BUF_INIT(bounds->text_bytes),
		.metadata = BUF_INIT(bounds->data_bytes),
		.data = BUF_INIT(bounds->data_bytes),
		.summary = BUF_INIT(SUMMARY_MAX),
		.warnings = BUF_INIT(WARNINGS_MAX_BYTES),
		.error = BUF_INIT(ERROR_MAX),
		.confidence = FRAME_CONFIDENCE_MAX,
	};
}

void extraction_release(struct extraction *extraction)
{
	buf_release(&extraction->text);
	buf_release(&extraction->metadata);
	buf_release(&extraction->data);
	buf_release(&extraction->summary);
	buf_release(&extraction->warnings);
	buf_release(&extraction->error);
	free(extraction->pages);
	extraction->pages = NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int json_merge_members(struct buf *members, const char *object, size_t length)
{
	const char *end = object + length;
	size_t before = members->length;

	while (object < end && is_blank(*object))
		object++;
	while (end > object && is_blank(end[-1]))
		end--;
	if (end - object < 2 || *object != '{' || end[-1] != '}')
		return -EINVAL;
	object++;
	end--;
	while (object < end && is_blank(*object))
		object++;
	if (object == end)
		return 0;
	if (members->length > 0)
		buf_putc(members, ',');
	if (buf_append(members, object, (size_t)(end - object)) == 0)
		return 0;
	members->length = before; /* what was there before stays whole */
	return buf_error(members);
}

int letters_put_json(struct buf *buf, const uint64_t letters[FRAME_LETTER_COUNT])
{
	for (int i = 0; i < FRAME_LETTER_COUNT; i++)
		buf_printf(buf, "%s\"%c\": %llu", i > 0 ? ", " : "{", 'A' + i, (unsigned long long)letters[i]);
	return buf_putc(buf, '}');
}

void extraction_warn(struct extraction *extraction, const char *text)
{
	if (extraction->warning_count >= EXTRACTION_WARNINGS_MAX)
		return;
	extraction->warning_count++;
	if (extraction->warnings.length > 0)
		buf_putc(&extraction->warnings, ',');
	json_put_string(&extraction->warnings, text, strlen(text));
}

static int put_warning(struct extraction *extraction, const struct frame *frame)
{
	if (extraction->warning_count >= EXTRACTION_WARNINGS_MAX)
		return -EOVERFLOW;
	extraction->warning_count++;
	if (extraction->warnings.length > 0)
		buf_putc(&extraction->warnings, ',');
	return json_put_string(&extraction->warnings, (const char *)frame->payload, frame->length);
}

static int put_page(struct extraction *extraction)
{
	uint32_t capacity = extraction->page_capacity > 0 ? extraction->page_capacity * 2 : 16;
	uint64_t *pages;

	if (extraction->page_count >= extraction->bounds.pages)
		return -EOVERFLOW;
	if (extraction->page_count == extraction->page_capacity) {
		pages = reallocarray(extraction->pages, capacity, sizeof(*pages));
		if (!pages)
			return -ENOMEM;
		extraction->pages = pages;
		extraction->page_capacity = capacity;
	}
	extraction->pages[extraction->page_count++] = extraction->text.length;
	return 0;
}

static int put_word(char *ret_word, size_t size, const uint8_t *bytes, size_t length)
{
	if (length == 0 || length >= size)
		return -EOVERFLOW;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return -EBADMSG;
	memcpy(ret_word, bytes, length);
	ret_word[length] = '\0';
	return 0;
}

/* "pdf 1": the name and the version of the extractor. */
static int put_extractor(struct extraction *extraction, const struct frame *frame)
{
	const uint8_t *space = memchr(frame->payload, ' ', frame->length);
	char version[12];
	int64_t number;
	size_t name_length;
	int r;

	if (!space)
		return -EBADMSG;
	name_length = (size_t)(space - frame->payload);
	r = put_word(version, sizeof(version), space + 1, frame->length - name_length - 1);
	if (r < 0)
		return r;
	if (int64_parse(version, &number) < 0 || number < 0 || number > INT32_MAX)
		return -EBADMSG;
	extraction->extractor_version = (unsigned)number;
	return put_word(extraction->extractor, sizeof(extraction->extractor), frame->payload, name_length);
}

static void take_letters(struct extraction *extraction, const struct frame *frame)
{
	uint64_t wire[FRAME_LETTER_COUNT];

	memcpy(wire, frame->payload, sizeof(wire));
	for (int i = 0; i < FRAME_LETTER_COUNT; i++)
		extraction->letters[i] = le64toh(wire[i]);
	extraction->has_letters = true;
}

static void take_confidence(struct extraction *extraction, const struct frame *frame)
{
	uint32_t wire;

	memcpy(&wire, frame->payload, sizeof(wire));
	extraction->confidence = le32toh(wire);
}

static int replace(struct buf *buf, const struct frame *frame)
{
	buf_reset(buf);
	return buf_append(buf, frame->payload, frame->length);
}

int extraction_put(struct extraction *extraction, const struct frame *frame)
{
	if (extraction->is_done)
		return -EBADMSG;
	switch (frame->type) {
	case FRAME_MEDIA_TYPE:
		return put_word(extraction->media_type, sizeof(extraction->media_type), frame->payload, frame->length);
	case FRAME_EXTRACTOR:
		return put_extractor(extraction, frame);
	case FRAME_TEXT:
		return buf_append(&extraction->text, frame->payload, frame->length);
	case FRAME_PAGE:
		return put_page(extraction);
	case FRAME_METADATA:
		return json_merge_members(&extraction->metadata, (const char *)frame->payload, frame->length);
	case FRAME_DATA:
		return json_merge_members(&extraction->data, (const char *)frame->payload, frame->length);
	case FRAME_SUMMARY:
		return replace(&extraction->summary, frame);
	case FRAME_LETTERS:
		take_letters(extraction, frame);
		return 0;
	case FRAME_CONFIDENCE:
		take_confidence(extraction, frame);
		return 0;
	case FRAME_WARNING:
		return put_warning(extraction, frame);
	case FRAME_ERROR:
		return replace(&extraction->error, frame);
	case FRAME_WANT_OCR:
		extraction->wants_ocr = true;
		return 0;
	case FRAME_DONE:
		extraction->is_done = true;
		return 0;
	case FRAME_JOB:
	case FRAME_TYPE_COUNT:
		break;
	}
	return -EBADMSG;
}
