/*
 * What content is against what it may be: the tenant's lists, the promise of its name, the archive rules. Cheap
 * questions first.
 *
 * A name's extension contradicts content only across families (file_types.c), so that a wrong guess never costs anybody
 * a file: text and unknown content contradict nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "shared/validate/archive.h"
#include "shared/validate/detect.h"
#include "shared/validate/file_types.h"
#include "shared/validate/verdict.h"

#define UNKNOWN_TYPE	      "application/octet-stream"
#define DOCUMENT_INFLATED_MAX (4ULL << 30) /* no office program opens more */

enum { HEAD_SEARCH_BYTES = 512 /* fewer are too few for anything but a signature */ };

struct subject {
	const struct rules *rules;
	const char *name;
	size_t name_length;
	const struct extension_type *extension; /* NULL: a working name, or nothing is known of it */
	struct verdict *verdict;
};

static struct subject subject_of(const struct rules *rules, const char *name, size_t length, struct verdict *verdict)
{
	struct subject subject = {rules, name, length, NULL, verdict};
	char extension[17];

	*verdict = (struct verdict){0};
	if (name_is_working(name, length))
		return subject;
	name_extension(name, length, extension);
	subject.extension = extension_type_find(extension);
	return subject;
}

/* --- media type -----------------------------------------------------------------------------------------------------
 */

/* Text that looks like nothing in particular is what its name says: Markdown, a log, source code. */
static void refine_text(const struct subject *subject, struct content *content)
{
	const char *type = subject->extension ? subject->extension->media_type : NULL;
	bool is_vague = strcmp(content->media_type, "text/plain") == 0 ||
			strcmp(content->media_type, "text/csv") == 0 ||
			strcmp(content->media_type, "text/tab-separated-values") == 0;

	if (content->is_text && is_vague && type)
		snprintf(content->media_type, sizeof(content->media_type), "%s", type);
}

/* True: refused. */
static bool judge_contradiction(const struct subject *subject, const char *media_type)
{
	const struct extension_type *extension = subject->extension;
	unsigned families = media_type_families(media_type);

	if (!subject->rules->judges_contradiction || !extension || families == 0 || (families & FAMILY_TEXT) ||
	    (families & extension->families))
		return false;
	verdict_refuse(subject->verdict, -EPERM, "media_type", subject->name, subject->name_length,
		       "is %s (%s), not %s", family_words(families), media_type, extension->words);
	return true;
}

static bool judge_lists(const struct subject *subject, const char *media_type)
{
	const struct rules *rules = subject->rules;

	if (pattern_list_has(&rules->denied_media_types, media_type))
		verdict_refuse(subject->verdict, -EPERM, "media_type", subject->name, subject->name_length,
			       "is %s, which is denied here", media_type);
	else if (rules->allowed_media_types.count > 0 && !pattern_list_has(&rules->allowed_media_types, media_type))
		verdict_refuse(subject->verdict, -EPERM, "media_type", subject->name, subject->name_length,
			       "is %s, which is not among the media types allowed here", media_type);
	return subject->verdict->error != 0;
}

static bool judge_type(const struct subject *subject, const char *media_type)
{
	verdict_set_media_type(subject->verdict, media_type);
	return judge_contradiction(subject, media_type) || judge_lists(subject, media_type);
}

/* --- archives -------------------------------------------------------------------------------------------------------
 */

static void refuse_archive(const struct subject *subject, const char *rule, const char *words)
{
	verdict_refuse(subject->verdict, -EPERM, rule, subject->name, subject->name_length, "%s", words);
}

static void refuse_depth(const struct subject *subject, const char *entry)
{
	int depth = subject->rules->max_zip_depth;
	char words[ARCHIVE_WORDS_SIZE + 128];

	if (depth == 0)
		snprintf(words, sizeof(words),
			 "holds an archive, and archives within archives are not allowed here%s%s",
			 entry[0] ? ": " : "", entry);
	else
		snprintf(words, sizeof(words),
			 "holds archives nested more than %d deep, which is what is allowed here%s%s", depth,
			 entry[0] ? ": " : "", entry);
	refuse_archive(subject, "archive_depth", words);
}

static void refuse_bomb(const struct subject *subject, const struct archive_report *report)
{
	char words[ARCHIVE_WORDS_SIZE + 128];

	switch (report->finding) {
	case ARCHIVE_TOO_BIG:
		snprintf(words, sizeof(words), "is a decompression bomb: it unpacks to more than %" PRIu64 " MiB",
			 report->inflated >> 20);
		break;
	case ARCHIVE_TOO_MANY:
		snprintf(words, sizeof(words), "holds more than %" PRIu32 " entries", report->entries - 1);
		break;
	case ARCHIVE_TOO_SLOW:
		snprintf(words, sizeof(words), "takes more time to unpack than any archive of its size should");
		break;
	default:
		snprintf(words, sizeof(words), "takes more memory to unpack than it may have%s%s",
			 report->words[0] ? ": " : "", report->words);
		break;
	}
	refuse_archive(subject, "archive_bomb", words);
}

static bool promises_archive(const struct subject *subject)
{
	return subject->extension && subject->extension->is_readable && subject->rules->judges_contradiction;
}

/* Damaged: refused under a name that promises an archive, else a file of which nothing is known. */
static void judge_damaged(const struct subject *subject, const char *words)
{
	if (!promises_archive(subject)) {
		judge_type(subject, UNKNOWN_TYPE);
		return;
	}
	verdict_refuse(subject->verdict, -EPERM, "archive_corrupt", subject->name, subject->name_length,
		       "is damaged, or no archive that can be read%s%s", words[0] ? ": " : "", words);
}

static void judge_report(const struct subject *subject, const struct archive_report *report)
{
	switch (report->finding) {
	case ARCHIVE_FINE:
		break;
	case ARCHIVE_TOO_DEEP:
		refuse_depth(subject, report->words);
		break;
	case ARCHIVE_CORRUPT:
		judge_damaged(subject, report->words);
		break;
	case ARCHIVE_UNREADABLE:
		verdict_fail(subject->verdict, report->error, "The archive could not be examined");
		break;
	default:
		refuse_bomb(subject, report);
		break;
	}
}

/* What a ZIP declares of itself can only speak against it; that is worth a look before anything is unpacked. */
static bool judge_declared(const struct subject *subject, const struct zip_index *zip,
			   const struct archive_limits *limits)
{
	struct archive_report report = {.inflated = limits->inflated_max, .entries = limits->entries_max + 1};

	if (zip->declared_bytes > limits->inflated_max)
		report.finding = ARCHIVE_TOO_BIG;
	else if (zip->entries > limits->entries_max)
		report.finding = ARCHIVE_TOO_MANY;
	judge_report(subject, &report);
	return report.finding != ARCHIVE_FINE;
}

/* A document under a document's name is judged by what it declares: whoever reads it counts for himself (extraction
 * does). */
static bool is_plain_document(const struct subject *subject, const struct content *content)
{
	return content->is_document && subject->extension && (subject->extension->families & FAMILY_DOCUMENT);
}

static void judge_archive(const struct subject *subject, const struct content *content, int fd, uint64_t size_bytes)
{
	struct archive_limits limits;
	struct archive_report report;

	archive_limits_set(&limits, size_bytes, subject->rules->max_zip_depth);
	if (is_plain_document(subject, content)) {
		limits.inflated_max = DOCUMENT_INFLATED_MAX;
		judge_declared(subject, &content->zip, &limits);
		return;
	}
	if (content->kind == ARCHIVE_ZIP && judge_declared(subject, &content->zip, &limits))
		return;
	archive_judge(fd, size_bytes, content->kind, &limits, &report);
	judge_report(subject, &report);
}

/* --- the calls ------------------------------------------------------------------------------------------------------
 */

void validate_head(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		   const void *head, size_t head_length, struct verdict *ret_verdict)
{
	struct subject subject = subject_of(rules, name, name_length, ret_verdict);
	struct content content;

	detect_head(head_length >= HEAD_SEARCH_BYTES ? detector : NULL, head, head_length, false, &content);
	if (head_length == 0 || content.is_open || content.is_text || strcmp(content.media_type, UNKNOWN_TYPE) == 0)
		return;
	judge_type(&subject, content.media_type);
}

void validate_content(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		      int fd, uint64_t size_bytes, struct verdict *ret_verdict)
{
	struct subject subject = subject_of(rules, name, name_length, ret_verdict);
	bool has_rest;
	struct content content;
	int r = size_bytes == 0 ? 0 : detect_content(detector, fd, size_bytes, &content);

	if (r < 0)
		verdict_fail(ret_verdict, r, "The content could not be read");
	if (r < 0 || size_bytes == 0)
		return;
	/* A document cut short is left to whoever reads it, unless it is called an archive. */
	has_rest = content.kind != ARCHIVE_ZIP || content.zip.is_whole || is_plain_document(&subject, &content);
	if (!has_rest && rules->judges_archives) {
		verdict_set_media_type(ret_verdict, content.media_type);
		judge_damaged(&subject, "its end is missing");
		return;
	}
	refine_text(&subject, &content);
	if (judge_type(&subject, content.media_type))
		return;
	if (content.kind != ARCHIVE_NONE && rules->judges_archives)
		judge_archive(&subject, &content, fd, size_bytes);
	else if (content.kind == ARCHIVE_NONE && promises_archive(&subject))
		judge_damaged(&subject, content.media_type);
}

bool validate_rename_reads(const struct rules *rules, const char *name, size_t name_length, const char *media_type)
{
	struct verdict verdict;
	struct subject subject = subject_of(rules, name, name_length, &verdict);
	unsigned families = media_type_families(media_type);

	if (media_type[0] == '\0')
		return true;
	/* Under its old name a document was not looked into, and what is no archive was none that it had promised to
	 * be. */
	return promises_archive(&subject) && families != FAMILY_ARCHIVE;
}

void validate_rename(const struct rules *rules, struct detector *detector, const char *name, size_t name_length,
		     const char *media_type, int fd, uint64_t size_bytes, struct verdict *ret_verdict)
{
	struct subject subject = subject_of(rules, name, name_length, ret_verdict);

	if (size_bytes == 0)
		return;
	if (validate_rename_reads(rules, name, name_length, media_type)) {
		validate_content(rules, detector, name, name_length, fd, size_bytes, ret_verdict);
		return;
	}
	judge_type(&subject, media_type);
}
