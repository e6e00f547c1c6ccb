/* One file through detection, its extractor, and what is common to all text. */
#pragma once
#include "extractd/worker/extractor.h"
#include "extractd/worker/sink_output.h"

struct run_request {
	int fd; /* open for reading; stays the caller's */
	uint64_t size_bytes;
	const char *name;	/* any bytes */
	const char *sha256;	/* hex, "" when unknown */
	const char *media_type; /* NULL: find it in the content */
	struct limits limits;
	bool is_ocr;
};

/*
 * Loads what children share. languages: of OCR, see ocr_languages(); stays the caller's. Negative errno when nothing
 * can be detected at all; an extractor that fails is left out, and warn is told.
 */
int run_preload(bool is_ocr, const char *languages, void (*warn)(const char *text));
/*
 * Frames up to and including FRAME_DONE through output. 0: done, also when the file is corrupt. -ENOMEM: the memory
 * limit; -EPIPE: nobody reads; -ENODATA: the file is shorter than it should be; -ENOTSUP: nothing in this part of the
 * table reads it. Then there is no FRAME_DONE.
 */
int run_extraction(const struct run_request *request, const struct sink_output *output);

/* Whether the table is complete; the worker for texts has a part of it, and leaves other files to others. */
extern const bool extractors_are_all;
/* The table entry for a media type, NULL for none. */
const struct extractor *extractor_find(const char *media_type);
/* Calls it and settles its answer: 0 done, 1 not its file after all, or -ENOMEM, -EPIPE. */
int extractor_run(const struct extractor *extractor, struct extract_input *in, struct sink *sink);
