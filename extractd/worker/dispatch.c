/* Which extractor reads a file, and what its answer means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "extractd/worker/run.h"

enum { EXTRACTORS_MAX = 64 };

static const char *languages = "eng";
static bool is_left_out[EXTRACTORS_MAX]; /* its preload failed */

/* 2: exactly this type; 1: its family; 0: no. */
static int match(const struct extractor *extractor, const char *media_type)
{
	int best = 0;

	for (const char *const *type = extractor->media_types; *type; type++) {
		size_t length = strlen(*type);

		if (strcmp(*type, media_type) == 0)
			return 2;
		if (length > 0 && (*type)[length - 1] == '/' && strncmp(*type, media_type, length) == 0)
			best = 1;
	}
	return best;
}

const struct extractor *extractor_find(const char *media_type)
{
	const struct extractor *family = NULL;

	for (int i = 0; extractors[i] && i < EXTRACTORS_MAX; i++) {
		int matched = is_left_out[i] ? 0 : match(extractors[i], media_type);

		if (matched == 2)
			return extractors[i];
		if (matched == 1 && !family)
			family = extractors[i];
	}
	return family;
}

const char *ocr_languages(void)
{
	return languages;
}

static void warn_of(void (*warn)(const char *text), const char *what, int error)
{
	char line[160];

	snprintf(line, sizeof(line), "%s is left out: %s", what, strerror(-error));
	warn(line);
}

int run_preload(bool is_ocr, const char *given_languages, void (*warn)(const char *text))
{
	int r = detect_preload();

	languages = given_languages;
	if (r < 0)
		return r;
	r = language_preload();
	if (r < 0)
		warn_of(warn, "the recognition of languages", r);
	for (int i = 0; extractors[i] && i < EXTRACTORS_MAX; i++) {
		r = extractors[i]->preload ? extractors[i]->preload(is_ocr) : 0;
		is_left_out[i] = r < 0;
		if (r < 0)
			warn_of(warn, extractors[i]->name, r);
	}
	return 0;
}

int extractor_run(const struct extractor *extractor, struct extract_input *in, struct sink *sink)
{
	int r = extractor->extract(in, sink);

	if (r == -EPIPE || r == -ENOMEM)
		return r;
	if (r == -ENOTSUP)
		return 1;
	if (r == -EBADMSG && sink->terminal.length == 0)
		sink_error(sink, "corrupt: this is no readable %s file", extractor->name);
	else if (r < 0 && r != -EBADMSG && r != -ETIME)
		sink_error(sink, "cannot be read: %s", strerror(-r));
	return 0;
}
