/*
 * What an extraction gives, put together from frames: by extractd from a worker it does not trust, and by the worker's
 * command-line mode for printing.
 *
 * Everything is bounded: a worker that keeps its own limits never meets these bounds, so passing one is taken for an
 * attack. One thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"
#include "shared/base/frame.h"

struct extraction_bounds {
	uint64_t text_bytes;
	uint64_t data_bytes; /* of metadata, and of data, each */
	uint32_t pages;
};

enum { EXTRACTION_MEDIA_TYPE_SIZE = 128, EXTRACTION_EXTRACTOR_SIZE = 32, EXTRACTION_WARNINGS_MAX = 110 };

struct extraction {
	struct extraction_bounds bounds;
	char media_type[EXTRACTION_MEDIA_TYPE_SIZE]; /* "" until known */
	char extractor[EXTRACTION_EXTRACTOR_SIZE];   /* "pdf"; "" until known */
	unsigned extractor_version;
	struct buf text;
	uint64_t *pages; /* byte offset in text where each page begins */
	uint32_t page_count, page_capacity;
	struct buf metadata, data; /* members of an object, without the braces; of equal keys the last counts */
	struct buf summary;
	struct buf warnings; /* elements of an array, without the brackets */
	unsigned warning_count;
	struct buf error; /* "" : none */
	uint64_t letters[FRAME_LETTER_COUNT];
	bool has_letters, wants_ocr, is_done;
	uint32_t confidence; /* thousandths */
};

void extraction_init(struct extraction *extraction, const struct extraction_bounds *bounds);
void extraction_release(struct extraction *extraction);
/*
 * 0. -EBADMSG: a frame out of place (behind DONE, or one that only the daemon sends). -EOVERFLOW: over a bound.
 * -ENOMEM.
 */
int extraction_put(struct extraction *extraction, const struct frame *frame);
/* One more warning, from the daemon itself. Dropped silently when there are too many already. */
void extraction_warn(struct extraction *extraction, const char *text);
/* {"A": n, … "Z": n}, appended. */
int letters_put_json(struct buf *buf, const uint64_t letters[FRAME_LETTER_COUNT]);
/* Adds the members of a JSON object (checked before) to members, which is as in struct extraction. */
int json_merge_members(struct buf *members, const char *object, size_t length);
