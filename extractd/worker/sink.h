/*
 * Where an extractor puts what it finds. Everything given here is checked and bounded, so an extractor may pass on what
 * a library gave it: invalid UTF-8 becomes U+FFFD, NUL bytes are dropped, and at a limit a warning is given once and
 * the rest is left out. Below it are frames to the daemon, JSON on stdout (command line), or the sink of the containing
 * file.
 *
 * Most functions return
 *   0        go on
 *   1        this limit is reached, more of the same is dropped (the warning is given already)
 *   -ETIME   time is nearly up: clean up and return what you were given, it counts as done with a warning
 *   -EPIPE   nobody reads any more: return it
 * One thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

struct sink;

enum { SINK_LETTERS = 26 };

/* Text, appended in order, in pieces of any size: a character may be cut between two calls. */
int sink_text(struct sink *sink, const char *bytes, size_t length);
int sink_puts(struct sink *sink, const char *text);
int sink_printf(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next text begins a page. Call it before each page, the first included; never for formats without pages. */
int sink_page(struct sink *sink);
/* Bytes of text accepted so far: the offset that data may refer to. */
uint64_t sink_text_offset(const struct sink *sink);

/*
 * One JSON object each, valid as json_check() wants it and at most FRAME_PAYLOAD_MAX; several are merged by their
 * top-level keys, the later wins. Metadata keys are namespaced: dc:title, dc:creator, dcterms:created, xmpTPg:NPages,
 * exif:…. Give metadata early, so that it is kept when a later page is too much.
 */
int sink_metadata(struct sink *sink, const char *json, size_t length);
int sink_metadata_text(struct sink *sink, const char *key, const char *value); /* NULL and "" values are skipped */
int sink_metadata_number(struct sink *sink, const char *key, int64_t value);
int sink_data(struct sink *sink, const char *json, size_t length);
/* {"key": value} where value is any JSON text: for what was built in a buf. */
int sink_data_member(struct sink *sink, const char *key, const char *json_value, size_t length);

/* Markdown; replaces an earlier one. */
int sink_summary(struct sink *sink, const char *markdown, size_t length);
/* ASCII letters of the raw bytes without regard to case, for text formats; others leave it to the sink, which counts
 * the text. */
void sink_letters(struct sink *sink, const uint64_t letters[SINK_LETTERS]);
/* Lowers the confidence to permille (0 to 1000) unless it is lower already; why is a short sentence. */
void sink_confidence(struct sink *sink, unsigned permille, const char *why);
/* The result is partial: a limit was reached, a part could not be read. A sentence without a full stop. */
void sink_warning(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * Terminal: the file is encrypted or corrupt, trying again is no use. What was given before is kept. A sentence that
 * begins with "encrypted" or "corrupt" or says what else is wrong. Returns -EBADMSG, so that one can `return
 * sink_error(…)`.
 */
int sink_error(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Pages without text were found and this is not the OCR lane: the daemon queues the file there. */
void sink_want_ocr(struct sink *sink);
/* The sink runs entities and language over the text by default; off for text that is not language (a hex dump, base64).
 */
void sink_is_not_prose(struct sink *sink);

/* Cheap: for loops that give nothing to the sink for long. True once time is nearly up (the warning is given). */
bool sink_should_stop(struct sink *sink);
/* Counts decompressed bytes. 0, or -EFBIG over the limit (the warning is given): stop inflating. */
int sink_charge(struct sink *sink, uint64_t inflated_bytes);
