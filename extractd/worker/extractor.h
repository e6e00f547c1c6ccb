/*
 * An extractor: one file in extractors/ that defines one `const struct extractor`, and one line in extractors.c.
 *
 * It runs in a child that serves this one file, behind the sandbox (sandbox.h): no new files but gconv, poppler-data,
 * fonts and tessdata, no sockets, no processes, no threads. It may leak, crash or hang: the daemon sees to that. It
 * should not allocate by what a file claims.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/limits.h"
#include "extractd/worker/sink.h"

enum { INPUT_PATH_SIZE = 32, EXTRACT_MEDIA_TYPE_SIZE = 128 };

struct extract_input {
	const char *name;	/* for people and the weakest of hints; "" when unknown; never NULL, any bytes */
	const char *media_type; /* found in the content, before extract() is called */
	uint64_t size_bytes;
	const struct limits *limits;
	bool is_ocr;	/* in the OCR lane: recognise pages without text. Otherwise call sink_want_ocr() and go on */
	unsigned depth; /* 0: the file itself; 1: in an archive or mail; … */
	/* private: use the functions below */
	int fd;		       /* -1: embedded, the bytes are in memory */
	const uint8_t *memory; /* mapped or given */
};

/* The whole content, mapped read-only (or where it lies, for an embedded file). NULL: -ENOMEM. Never NULL for an empty
 * file. */
const uint8_t *input_bytes(struct extract_input *in);
/* Up to size bytes from offset, for one streaming pass in constant memory. 0 at the end; negative errno. */
long input_read(struct extract_input *in, void *buffer, size_t size, uint64_t offset);
/* A path for libraries that take nothing else (/proc/self/fd/N of a memory copy). One at a time: the next call
 * invalidates it. */
int input_path(struct extract_input *in, char ret_path[INPUT_PATH_SIZE]);

/* Models for OCR, as tesseract names them: "eng", "eng+deu" (the setting OCR_LANGUAGES). */
const char *ocr_languages(void);

struct extractor {
	const char *name; /* "pdf": in results, and what `adminctl job rerun --extractor` takes */
	unsigned version; /* raised whenever its results change; raise EXTRACTOR_VERSION too */
	/* Ends with NULL; "text/" (ends in a slash) is a whole family. The first entry of the table that matches is
	 * taken, an exact one before a family. */
	const char *const *media_types;
	/* In the zygote, once, before any child: load tables so that the children share them. is_ocr: the OCR lane's
	 * zygote (keep the other one small). NULL: nothing. Negative errno: logged, the extractor is left out. */
	int (*preload)(bool is_ocr);
	/*
	 * 0: done. What a sink function returned may be returned as it is. -EBADMSG: terminal (after sink_error(), or
	 * by itself: "corrupt"). -ENOMEM: the job is tried again with lower limits. -ENOTSUP: not mine after all, the
	 * file completes with type and size.
	 */
	int (*extract)(struct extract_input *in, struct sink *sink);
};

/* The table (extractors.c), ends with NULL. */
extern const struct extractor *const extractors[];

/*
 * Extracts a file found inside another through the same table: its text goes behind what the containing file has given,
 * and the rest comes back in ret_json as one object
 * {"path","size","media_type","extractor","metadata","data","warnings","error", "text_offset","text_bytes"} (absent
 * when empty) for the containing extractor to put into its data. An error inside is no error of the container.
 * inflated_bytes are charged by the caller, before. 0; 1: depth or entries are exhausted, it was not looked into
 * (ret_json has path and size); -ETIME, -EPIPE.
 */
int extract_embedded(struct extract_input *container, struct sink *sink, const char *path, const void *bytes,
		     size_t length, struct buf *ret_json);

/*
 * By formats/: the media type of the content. libmagic, what is inside containers, CSV and JSON heuristics. Always
 * answers: application/octet-stream when unknown, inode/x-empty for an empty file.
 */
int detect_preload(void);
int detect_media_type(struct extract_input *in, char ret_media_type[EXTRACT_MEDIA_TYPE_SIZE]);

/* By formats/: entities as a JSON array [{"type","value","offset"}…] appended to ret_json, at most max of them. */
int entities_find(const char *text, size_t length, unsigned max, struct buf *ret_json);

enum { LANGUAGE_SIZE = 16 };
/* By formats/: ISO 639-1 where there is one, else 639-3. -ENOENT: too little text or unclear. Looks at the first few
 * KiB. */
int language_preload(void);
int language_find(const char *text, size_t length, char ret_language[LANGUAGE_SIZE]);
