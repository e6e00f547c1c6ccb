/*
 * The rules of a tenant and their verdicts: extension, size, media type, archives. No I/O but reading the descriptor
 * that is judged. struct rules is immutable after rules_parse, so threads share it by reference; struct detector
 * (libmagic) belongs to one thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct rules;
struct detector;

enum { VERDICT_REASON_SIZE = 320, MEDIA_TYPE_SIZE = 128, DETECT_HEAD_BYTES = 4096 };

struct verdict {
	int error; /* 0 passed; -EPERM, -EFBIG: the errno of design section 4. -EIO, -ENOMEM: could not be judged */
	const char *rule; /* "extension", "size", "media_type", "archive_depth", "archive_bomb", "archive_corrupt"
			     (constants) */
	char reason[VERDICT_REASON_SIZE]; /* in words, for people; UTF-8 */
	char media_type[MEDIA_TYPE_SIZE]; /* what the content is, "" when not looked at */
};

/*
 * configuration: a tenant's JSON object over the instance's defaults in config (NULL: those of a fresh installation).
 * The keys are allowed_extensions, denied_extensions, allowed_media_types, denied_media_types (lists), max_file_size
 * (bytes or "100M"; 0 or "none": any), max_zip_depth (0 to 32), retention_days, unrestricted (true: whatever is not set
 * beside it is lifted). null and an empty list of allowed ones are the default. -EINVAL: ret_error names the key and
 * the mistake; an unknown key is one.
 */
int rules_parse(const char *configuration, size_t length, const struct config *config, struct rules **ret_rules,
		char *ret_error, size_t error_size);
/*
 * The same for a mount, which cannot refuse: what is wrong keeps its default, the rest holds. ret_error tells the first
 * mistake, for the log, and is "" when there was none. Fails with -ENOMEM alone.
 */
int rules_parse_tolerant(const char *configuration, size_t length, const struct config *config,
			 struct rules **ret_rules, char *ret_error, size_t error_size);
struct rules *rules_ref(struct rules *rules);
void rules_unref(struct rules *rules);
int64_t rules_max_file_size(const struct rules *rules);	 /* bytes; INT64_MAX: none */
int64_t rules_retention_days(const struct rules *rules); /* 0: keep */

/* The lower-case extension without its dot when it is at most 16 of [a-z0-9]; "" else. */
void name_extension(const char *name, size_t length, char ret_extension[17]);
bool name_is_working(const char *name, size_t length); /* starts with a dot: the extension rule waits */

/*
 * Archives are examined in sandboxed children of a small process from now on, so that neither a reader's crash nor its
 * memory is this program's. Call it in a program with one thread, after it became a daemon; without it they are
 * examined in the calling thread. The process ends with this one. -errno: not started.
 */
int validate_start_judge(void);
void validate_stop_judge(void);

int detector_new(struct detector **ret_detector); /* loads the magic database; each thread its own */
void detector_free(struct detector *detector);

void validate_name(const struct rules *rules, const char *name, size_t length, struct verdict *ret_verdict);
void validate_size(const struct rules *rules, int64_t size_bytes, struct verdict *ret_verdict);
/*
 * The first contiguous bytes from 0: refuses early what is certain already (an executable called .pdf). Text and
 * containers always pass: they are judged at close.
 */
void validate_head(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		   const void *head, size_t head_length, struct verdict *ret_verdict);
/*
 * The whole content, at close: media type, contradiction with the extension, archives. size_bytes 0 passes and has no
 * media type. Microseconds, but for an archive the time it takes to unpack it. Reads with pread: the descriptor's
 * offset stays.
 */
void validate_content(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		      int fd, uint64_t size_bytes, struct verdict *ret_verdict);
/*
 * A published content under another name (link, rename): what validate_content decided from the name, without reading
 * again unless it must. media_type: as validate_content said. fd may be -1 when validate_rename_reads() is false.
 */
bool validate_rename_reads(const struct rules *rules, const char *name, size_t name_length, const char *media_type);
void validate_rename(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		     const char *media_type, int fd, uint64_t size_bytes, struct verdict *ret_verdict);
