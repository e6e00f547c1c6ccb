/*
 * What passes between extractd and a worker: length-prefixed frames. The reader treats every byte as hostile.
 *
 * A frame: u32 length of the payload (little-endian), u8 type, 3 zero bytes, payload. The daemon sends FRAME_JOB and
 * the input descriptor (SCM_RIGHTS); the worker answers any number of result frames and ends with FRAME_DONE. Payloads
 * of text frames are UTF-8 without NUL; of JSON frames one JSON value within the depth limit; numbers are
 * little-endian.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum frame_type {
	FRAME_JOB = 1,	  /* daemon → worker: JSON {"name","size","limits":{…},"ocr":bool} */
	FRAME_MEDIA_TYPE, /* text */
	FRAME_EXTRACTOR,  /* text: name and version, "pdf 1" */
	FRAME_TEXT,	  /* text, appended in order */
	FRAME_PAGE,	  /* empty: the next text begins a page */
	FRAME_METADATA,	  /* JSON object, merged */
	FRAME_DATA,	  /* JSON object, merged */
	FRAME_SUMMARY,	  /* text, Markdown */
	FRAME_LETTERS,	  /* 26 × u64 */
	FRAME_CONFIDENCE, /* u32, thousandths */
	FRAME_WARNING,	  /* text: a limit was reached, the result is partial */
	FRAME_ERROR,	  /* text: terminal, the file is encrypted or corrupt; followed by FRAME_DONE */
	FRAME_WANT_OCR,	  /* empty: pages without text were found, queue it again in the OCR lane */
	FRAME_DONE,	  /* empty */
	FRAME_TYPE_COUNT
};

enum { FRAME_HEADER_SIZE = 8, FRAME_JSON_DEPTH = 64, FRAME_LETTER_COUNT = 26, FRAME_CONFIDENCE_MAX = 1000 };
#define FRAME_PAYLOAD_MAX (1U << 20) /* bytes; longer text goes in several frames */

struct frame {
	enum frame_type type;
	uint32_t length;
	const uint8_t *payload;
};

/* Writes one frame to fd, all of it. Negative errno; -EMSGSIZE: over FRAME_PAYLOAD_MAX. SIGPIPE is the caller's to
 * ignore. */
int frame_write(int fd, enum frame_type type, const void *payload, size_t length);
/*
 * Takes one frame out of length bytes. Returns the bytes used, 0 when more are needed, -EBADMSG: not a frame (unknown
 * type, too long, reserved bytes set, text that is no UTF-8 or holds NUL, JSON that is none, a number of the wrong
 * size).
 */
long frame_parse(const uint8_t *bytes, size_t length, struct frame *ret_frame);
