/* Inside of a sink: what the dispatcher (run.c), the outputs and the embedded files (embedded.c) need to know. */
#pragma once
#include "extractd/worker/limits.h"
#include "extractd/worker/sink.h"
#include "shared/base/frame.h"

/* Where the frames of the outermost sink go. put: 0, or -EPIPE when nobody reads any more. */
struct sink_output {
	int (*put)(void *context, enum frame_type type, const void *payload, size_t length);
	void *context;
};

/* What all sinks of one job share. */
struct sink_budget {
	struct limits limits; /* of these, entries and inflated_bytes are what is left */
	int64_t stop_at_ns;   /* monotonic: the extractor is asked to stop */
	uint64_t data_left;
	bool is_out_of_time, is_out_of_inflation, is_out_of_data;
};

struct sink {
	struct sink *top; /* itself when outermost */
	struct sink_budget *budget;
	struct sink_output output; /* of the outermost */
	int error;		   /* sticky -EPIPE, -ENOMEM */

	struct buf text;   /* outermost: all of it, kept for what is found in the whole */
	size_t sent_bytes; /* of text, as frames */
	char cut[4];	   /* the beginning of a character whose end comes with the next call */
	unsigned cut_length;
	bool is_text_full;
	uint32_t pages;

	struct buf metadata, data, warnings; /* of an embedded file: members and elements, as in struct extraction */
	struct buf reasons;		     /* elements: what lowered the confidence */
	struct buf terminal;		     /* the text of sink_error() */
	unsigned warning_count, confidence;
	bool has_letters, has_language, is_not_prose, wants_ocr;
	uint64_t letters[SINK_LETTERS];
};

void sink_budget_init(struct sink_budget *budget, const struct limits *limits);
/* Outermost: container NULL. The budget and the container must outlive it. */
void sink_init(struct sink *sink, struct sink_budget *budget, struct sink *container, const struct sink_output *output);
void sink_release(struct sink *sink);
/* One frame through the output of the outermost sink. Errors stick. */
int sink_put(struct sink *sink, enum frame_type type, const void *payload, size_t length);
/* Text that is still held back: the rest of a cut character, the last frame. */
int sink_flush(struct sink *sink);
