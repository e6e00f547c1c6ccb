/*
 * Content from anywhere against the rules: the head, the media type, ZIP lists, OLE folders, archives in archives.
 *
 * The first byte chooses the name it comes under, the second the depth allowed; the rest is the content. Beyond not
 * crashing: the reason is one line of UTF-8, a refusal names its rule, an early refusal is confirmed at close.
 */
#include <assert.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "shared/base/text.h"
#include "shared/validate/archive.h"
#include "shared/validate/validate.h"

#define INFLATED_MAX (8ULL << 20) /* keeps a run short; the code is the same */

static struct detector *detector;
static struct rules *rules[4];
static int content = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const configurations[] = {
		"{}",
		"{\"max_zip_depth\": 0, \"allowed_media_types\": [\"application/*\", \"text/plain\"]}",
		"{\"unrestricted\": true}",
		"{\"unrestricted\": true, \"max_zip_depth\": 32, \"denied_media_types\": \"image/*\"}",
	};
	char error[256];

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < 4; i++) {
		if (rules_parse(configurations[i], strlen(configurations[i]), NULL, &rules[i], error, sizeof(error)) <
		    0)
			abort();
	}
	content = memfd_create("fuzz", MFD_CLOEXEC);
	if (content < 0 || detector_new(&detector) < 0)
		abort();
	return 0;
}

static void check(const struct verdict *verdict)
{
	size_t length = strnlen(verdict->reason, sizeof(verdict->reason));

	assert(length < sizeof(verdict->reason));
	assert(utf8_is_valid(verdict->reason, length));
	assert(!strpbrk(verdict->reason, "\n\r\x1b"));
	assert(memchr(verdict->media_type, '\0', sizeof(verdict->media_type)));
	assert((verdict->error == 0) == (length == 0));
	assert(verdict->error != -1 || verdict->rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a.zip", "a.docx",	 "a.txt",    "a.pdf",
					    "a.7z",  "a.tar.gz", ".working", "noextension"};
	struct archive_limits limits;
	struct archive_report report;
	struct verdict head, verdict;
	const struct rules *chosen;
	const char *name, *media_type;
	enum archive_kind kind;

	if (size < 2)
		return -1;
	name = names[data[0] % 8];
	chosen = rules[data[1] % 4];
	data += 2;
	size -= 2;
	if (ftruncate(content, 0) < 0 || pwrite(content, data, size, 0) != (ssize_t)size)
		abort();
	validate_head(chosen, detector, name, strlen(name), data, size < DETECT_HEAD_BYTES ? size : DETECT_HEAD_BYTES,
		      &head);
	check(&head);
	validate_content(chosen, detector, name, strlen(name), content, size, &verdict);
	check(&verdict);
	assert(head.error == 0 || verdict.error != 0);
	kind = archive_kind_of(data, size, &media_type);
	if (kind != ARCHIVE_NONE) {
		archive_limits_set(&limits, size, 5);
		limits.inflated_max = INFLATED_MAX;
		limits.entries_max = 1000;
		archive_examine(content, size, kind, &limits, &report);
		assert(report.inflated <= INFLATED_MAX + (1 << 20) && report.entries <= 1001);
	}
	return 0;
}
