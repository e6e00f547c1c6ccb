/*
 * Walks through an archive and the archives in it, unpacking into nowhere. What counts is what comes out, not what is
 * declared.
 *
 * The limits. A bomb is told from honest data by what it unpacks to and how that compares with its size: more than 128
 * MiB and more than a hundred times the file (logs and tables reach 10 to 50 times; Deflate's end is 1,032). Below 128
 * MiB nothing is a bomb, since small files of zeros and drawings reach any ratio. Processor time grows with the file's
 * size, at twice what the slowest of the formats needs, so that it ends hostile work without ever ending honest work.
 * Entries are capped because each costs whoever unpacks it.
 */
#include "shared/validate/archive.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/validate/archive_reader.h"

#define INFLATED_RATIO_MAX 100
#define INFLATED_MAX	   (64ULL << 30)
#define BUFFERED_MAX	   (64ULL << 20)
#define CLOCK_STEP_BYTES   (1U << 20)

enum {
	ENTRIES_MAX = 250000,
	PROCESSOR_BASE_MS = 2000,
	PROCESSOR_MS_PER_MIB = 200,
	SIZE_MIB_MAX = 1 << 24, /* beyond it time no longer grows */
	HEAD_BYTES = TAR_HEADER_BYTES,
	EMPTY_BZIP2_BYTES = 14,
	EMPTY_XZ_BYTES = 32,
	EMPTY_BYTES_MAX = 32,
	EMPTY_GZIP_BYTES_MAX = 320, /* it may hold a name */
	LEVELS_BEYOND_DEPTH = 4	    /* a document on the way, compressed tars: no levels by count, but by memory */
};

struct examination {
	const struct archive_limits *limits;
	struct archive_report *report;
	int64_t processor_end_ns;
	const struct file_source *outermost;
	enum archive_kind kind; /* of the outermost */
	uint64_t declared;	/* what the outermost says it unpacks to; 0: nothing */
	uint64_t clock_at;	/* inflated bytes at which to look at the clock again */
	uint64_t buffered;
};

/* Where a reader stands on the way in. */
struct level {
	int depth;	    /* archives around the one read */
	int readers;	    /* open ones, whether they count as archives or not */
	bool is_compressed; /* the bytes came out of a filter: a tar here is the same archive */
	bool is_in_document;
	bool is_outermost; /* damage is a finding; within others it may be a file that somebody keeps as it is */
	bool inflates;	   /* its entries' bytes are more than those read for them */
};

/* The bytes of one entry: its beginning was looked at, and comes first. */
struct entry_stream {
	struct examination *examination;
	struct archive *archive;
	bool inflates, has_ended, has_failed;
	size_t head_length;
	bool is_head_given;
	const void *rest; /* what the block that completed the head holds beyond it */
	size_t rest_length;
	char head[HEAD_BYTES];
};

void archive_limits_set(struct archive_limits *limits, uint64_t size_bytes, int depth_max)
{
	uint64_t mib = size_bytes >> 20;
	uint64_t inflated =
		size_bytes < INFLATED_MAX / INFLATED_RATIO_MAX ? size_bytes * INFLATED_RATIO_MAX : INFLATED_MAX;

	if (mib > SIZE_MIB_MAX)
		mib = SIZE_MIB_MAX;
	*limits = (struct archive_limits){
		.depth_max = depth_max,
		.inflated_max = inflated > ARCHIVE_INFLATED_FLOOR ? inflated : ARCHIVE_INFLATED_FLOOR,
		.entries_max = ENTRIES_MAX,
		.processor_max_ns = PROCESSOR_BASE_MS * NS_PER_MS + (int64_t)mib * PROCESSOR_MS_PER_MIB * NS_PER_MS,
		.buffered_max = BUFFERED_MAX,
	};
}

static int64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The first finding stays. True: there is one, stop. */
static bool find(struct examination *examination, enum archive_finding finding, const char *words)
{
	struct archive_report *report = examination->report;

	if (report->finding == ARCHIVE_FINE) {
		report->finding = finding;
		snprintf(report->words, sizeof(report->words), "%s", words ? words : "");
	}
	return true;
}

static void fail(struct examination *examination, int error)
{
	examination->report->error = error;
	find(examination, ARCHIVE_UNREADABLE, NULL);
}

static bool is_over(const struct examination *examination)
{
	return examination->report->finding != ARCHIVE_FINE;
}

/* Says of itself that it is too big, and what came out so far looks like it: no need to see the rest. */
static bool agrees_with_declared(const struct examination *examination)
{
	uint64_t inflated = examination->report->inflated;

	return examination->declared > examination->limits->inflated_max && inflated > ARCHIVE_INFLATED_FLOOR &&
	       inflated / INFLATED_RATIO_MAX > examination->outermost->at;
}

static bool charge(struct examination *examination, size_t bytes)
{
	struct archive_report *report = examination->report;

	report->inflated += bytes;
	if (report->inflated > examination->limits->inflated_max || agrees_with_declared(examination))
		return find(examination, ARCHIVE_TOO_BIG, NULL);
	if (report->inflated < examination->clock_at)
		return false;
	examination->clock_at = report->inflated + CLOCK_STEP_BYTES;
	return processor_ns() > examination->processor_end_ns && find(examination, ARCHIVE_TOO_SLOW, NULL);
}

static bool charge_entry(struct examination *examination)
{
	struct archive_report *report = examination->report;

	if (++report->entries > examination->limits->entries_max)
		return find(examination, ARCHIVE_TOO_MANY, NULL);
	return report->entries % 256 == 0 && processor_ns() > examination->processor_end_ns &&
	       find(examination, ARCHIVE_TOO_SLOW, NULL);
}

/* --- the bytes of an entry ------------------------------------------------------------------------------------------
 */

/* Some readers give the number, some the words alone. */
static bool is_out_of_memory(struct archive *archive)
{
	const char *words = archive_error_string(archive);

	return archive_errno(archive) == ENOMEM || (words && strcasestr(words, "allocate memory"));
}

/* Readers say so in words alone: what they cannot open for want of a key or a method is a leaf, not damage. */
static bool is_closed_to_us(struct archive *archive)
{
	const char *words = archive_error_string(archive);

	return words && (strcasestr(words, "ncrypt") || strcasestr(words, "passphrase") ||
			 strcasestr(words, "unsupported") || strcasestr(words, "not supported"));
}

/* 1: a block; 0: the end, also of an entry that is closed to us; -1: damaged. */
static int next_block(struct entry_stream *stream, const void **ret_block, size_t *ret_length)
{
	la_int64_t offset;
	int r;

	if (stream->has_ended || is_over(stream->examination))
		return 0;
	do {
		*ret_length = 0;
		r = archive_read_data_block(stream->archive, ret_block, ret_length, &offset);
	} while (r == ARCHIVE_RETRY || (r == ARCHIVE_OK && *ret_length == 0));
	if (r == ARCHIVE_OK)
		return !(stream->inflates && charge(stream->examination, *ret_length));
	stream->has_ended = true;
	if (is_out_of_memory(stream->archive))
		return !find(stream->examination, ARCHIVE_TOO_HUNGRY, NULL);
	if (r == ARCHIVE_EOF || (r == ARCHIVE_FAILED && is_closed_to_us(stream->archive)))
		return 0;
	stream->has_failed = true;
	return -1;
}

static void fill_head(struct entry_stream *stream)
{
	while (stream->head_length < HEAD_BYTES) {
		const void *block;
		size_t length, part;

		if (next_block(stream, &block, &length) <= 0)
			return;
		part = length < HEAD_BYTES - stream->head_length ? length : HEAD_BYTES - stream->head_length;
		memcpy(stream->head + stream->head_length, block, part);
		stream->head_length += part;
		stream->rest = (const char *)block + part;
		stream->rest_length = length - part;
	}
}

/* reader_next_fn over an entry. */
static int give_block(void *context, const void **ret_block, size_t *ret_length)
{
	struct entry_stream *stream = context;
	int r;

	if (!stream->is_head_given) {
		stream->is_head_given = true;
		*ret_block = stream->head;
		*ret_length = stream->head_length;
		if (stream->head_length > 0)
			return 0;
	}
	if (stream->rest_length > 0) {
		*ret_block = stream->rest;
		*ret_length = stream->rest_length;
		stream->rest_length = 0;
		return 0;
	}
	r = next_block(stream, ret_block, ret_length);
	if (r <= 0)
		*ret_length = 0;
	return r < 0 ? -EIO : 0;
}

/* What an inner reader left: all that comes out is counted, and a checksum at the end checked. */
static void drain(struct entry_stream *stream)
{
	const void *block;
	size_t length;

	while (next_block(stream, &block, &length) > 0)
		;
}

/* --- levels ---------------------------------------------------------------------------------------------------------
 */

static void read_entries(struct examination *examination, struct archive *archive, const struct level *level);

/* A document's first entry, as all programs write it. Were it forged, it would hide one level, once: see enter(). */
static bool begins_document(const struct entry_stream *stream)
{
	static const char *const names[] = {
		"[Content_Types].xml", "mimetype", "_rels/.rels", "docProps/", "word/", "xl/", "ppt/"};
	enum { NAME_AT = 30 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (stream->head_length >= NAME_AT + length && memcmp(stream->head + NAME_AT, names[i], length) == 0)
			return true;
	}
	return false;
}

static void read_inner(struct examination *examination, struct archive *archive, int r, const struct level *level)
{
	if (r == ARCHIVE_OK)
		read_entries(examination, archive, level);
	else if (r == -ENOMEM)
		fail(examination, r);
	/* An inner archive that cannot be opened is a file like any other. */
}

/* 7z is read from its end: an inner one is kept in memory. */
static void enter_buffered(struct entry_stream *stream, const struct level *level, const char *name)
{
	struct examination *examination = stream->examination;
	autofree struct file_source *source = calloc(1, sizeof(*source));
	autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
	uint64_t before = examination->buffered;
	struct archive *archive = NULL;
	const void *block;
	size_t length;
	int r = source && fd >= 0 ? 0 : -ENOMEM;

	while (r == 0 && (r = give_block(stream, &block, &length)) == 0 && length > 0) {
		examination->buffered += length;
		if (examination->buffered > examination->limits->buffered_max)
			find(examination, ARCHIVE_TOO_HUNGRY, name);
		else if (write(fd, block, length) != (ssize_t)length)
			r = -ENOMEM;
	}
	if (r == 0 && !is_over(examination)) {
		*source = (struct file_source){.fd = fd, .size_bytes = examination->buffered - before};
		r = reader_open_file(source, ARCHIVE_7Z, &archive);
	}
	if (!is_over(examination) && r != -EIO)
		read_inner(examination, archive, r, level);
	archive_read_free(archive);
	examination->buffered = before;
}

static void enter_stream(struct entry_stream *stream, enum archive_kind kind, const struct level *level)
{
	struct stream_source source = {give_block, stream};
	struct archive *archive;
	int r = reader_open_stream(&source, kind, &archive);

	read_inner(stream->examination, archive, r, level);
	archive_read_free(archive);
}

/* An entry that is an archive itself. A tar in a compressed file is the same archive; a document is none, once on the
 * way. */
static void enter(struct entry_stream *stream, enum archive_kind kind, const struct level *outer, const char *name)
{
	struct examination *examination = stream->examination;
	const struct archive_limits *limits = examination->limits;
	struct level level = {
		.depth = outer->depth + 1, .readers = outer->readers + 1, .is_in_document = outer->is_in_document};

	level.inflates = kind != ARCHIVE_TAR;
	level.is_compressed = kind != ARCHIVE_TAR && kind != ARCHIVE_ZIP && kind != ARCHIVE_7Z;
	if (kind == ARCHIVE_TAR && outer->is_compressed) {
		level.depth--;
		level.is_outermost = outer->is_outermost;
	} else if (kind == ARCHIVE_ZIP && !outer->is_in_document && begins_document(stream)) {
		level.depth--;
		level.is_in_document = true;
	}
	if (level.depth > examination->report->depth)
		examination->report->depth = level.depth;
	if (level.depth > limits->depth_max || level.readers > 2 * limits->depth_max + LEVELS_BEYOND_DEPTH)
		find(examination, ARCHIVE_TOO_DEEP, name);
	else if (kind == ARCHIVE_7Z)
		enter_buffered(stream, &level, name);
	else if (kind != ARCHIVE_OPAQUE)
		enter_stream(stream, kind, &level);
}

static bool read_entry(struct examination *examination, struct archive *archive, struct archive_entry *entry,
		       const struct level *level)
{
	struct entry_stream stream = {.examination = examination, .archive = archive, .inflates = level->inflates};
	const char *name = archive_entry_pathname(entry), *media_type;
	enum archive_kind kind;

	fill_head(&stream);
	kind = archive_kind_of(stream.head, stream.head_length, &media_type);
	if (kind != ARCHIVE_NONE && !is_over(examination))
		enter(&stream, kind, level, name);
	drain(&stream);
	if (stream.has_failed && level->is_outermost)
		find(examination, ARCHIVE_CORRUPT, archive_error_string(archive));
	return !stream.has_failed && !is_over(examination);
}

/* A filter that fails before its first byte cannot always be told from one that has nothing to give; the size can. */
static bool may_be_empty(const struct examination *examination)
{
	uint64_t size_bytes = examination->outermost->size_bytes;

	switch (examination->kind) {
	case ARCHIVE_GZIP:
		return examination->declared == 0 && size_bytes <= EMPTY_GZIP_BYTES_MAX;
	case ARCHIVE_BZIP2:
		return size_bytes == EMPTY_BZIP2_BYTES;
	case ARCHIVE_XZ:
		return size_bytes == EMPTY_XZ_BYTES;
	default:
		return size_bytes <= EMPTY_BYTES_MAX;
	}
}

static void read_entries(struct examination *examination, struct archive *archive, const struct level *level)
{
	struct archive_entry *entry;
	bool is_empty = true;
	int r;

	do {
		r = archive_read_next_header(archive, &entry);
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
			is_empty = false;
			if (charge_entry(examination) || !read_entry(examination, archive, entry, level))
				return;
		}
	} while (r == ARCHIVE_OK || r == ARCHIVE_WARN || r == ARCHIVE_RETRY);
	if (r == ARCHIVE_EOF && is_empty && level->readers == 0 && level->is_compressed && !may_be_empty(examination))
		r = ARCHIVE_FATAL;
	if (r != ARCHIVE_EOF && is_out_of_memory(archive))
		find(examination, ARCHIVE_TOO_HUNGRY, NULL);
	if (r != ARCHIVE_EOF && level->is_outermost && !is_closed_to_us(archive))
		find(examination, ARCHIVE_CORRUPT, archive_error_string(archive));
}

void archive_examine(int fd, uint64_t size_bytes, enum archive_kind kind, const struct archive_limits *limits,
		     struct archive_report *ret_report)
{
	struct examination examination = {
		.limits = limits, .report = ret_report, .processor_end_ns = processor_ns() + limits->processor_max_ns};
	struct level level = {.is_outermost = true,
			      .inflates = kind != ARCHIVE_TAR,
			      .is_compressed = kind != ARCHIVE_TAR && kind != ARCHIVE_ZIP && kind != ARCHIVE_7Z};
	autofree struct file_source *source = calloc(1, sizeof(*source));
	struct archive *archive = NULL;
	bool is_certain;
	int r;

	*ret_report = (struct archive_report){0};
	if (kind == ARCHIVE_OPAQUE || size_bytes == 0)
		return;
	if (!source) {
		fail(&examination, -ENOMEM);
		return;
	}
	*source = (struct file_source){.fd = fd, .size_bytes = size_bytes};
	examination.outermost = source;
	examination.kind = kind;
	examination.declared = archive_declared(fd, size_bytes, kind, &is_certain);
	if (examination.declared > limits->inflated_max && is_certain) {
		ret_report->inflated = limits->inflated_max;
		find(&examination, ARCHIVE_TOO_BIG, NULL);
		return;
	}
	r = reader_open_file(source, kind, &archive);
	if (r == ARCHIVE_OK)
		read_entries(&examination, archive, &level);
	else if (r != -ENOMEM)
		find(&examination, is_out_of_memory(archive) ? ARCHIVE_TOO_HUNGRY : ARCHIVE_CORRUPT,
		     archive_error_string(archive));
	else
		fail(&examination, r);
	if (source->error < 0 && ret_report->finding == ARCHIVE_CORRUPT) {
		ret_report->finding = ARCHIVE_UNREADABLE;
		ret_report->error = source->error;
	}
	archive_read_free(archive);
}
