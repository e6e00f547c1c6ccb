/* The language of a text, by libexttextcat's profiles. */
#include <errno.h>
#include <libexttextcat/textcat.h>
#include <stdio.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

/* Few words look like many languages: little text is only taken for one of those that many people write. */
enum { LOOK_BYTES = 4 << 10, TEXT_MIN_BYTES = 60, TEXT_ENOUGH_BYTES = 400 };

static const char profiles[] = "/usr/share/libexttextcat/";
static const char profile_list[] = "/usr/share/libexttextcat/fpdb.conf";
static void *classifier;

int language_preload(void)
{
	classifier = special_textcat_Init(profile_list, profiles);
	return classifier ? 0 : -ENOENT;
}

/* Words alone: digits, signs and markup say nothing, and long runs of them drown what does. */
static void keep_words(const char *text, size_t length, struct buf *words)
{
	bool was_blank = true;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_letter = c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '\'';

		if (is_letter)
			buf_putc(words, text[i]);
		else if (!was_blank)
			buf_putc(words, ' ');
		was_blank = !is_letter;
	}
}

static const char common[] =
	" en de fr es it pt nl pl ru uk cs sk hu ro bg hr sr sl sv da nb no nn fi et lv lt el tr ar he fa hi "
	"ja zh ko th vi id ";

static bool is_common(const char *language)
{
	const char *found = strstr(common, language);

	return found && found[-1] == ' ' && found[strlen(language)] == ' ';
}

/* "en--utf8", "sr-Latn--utf8" */
static bool read_code(const char *name, char ret_language[LANGUAGE_SIZE])
{
	size_t length = strcspn(name, "-");

	if (length < 2 || length >= LANGUAGE_SIZE)
		return false;
	memcpy(ret_language, name, length);
	ret_language[length] = '\0';
	return true;
}

/* The candidates are alike within 3 %: a common language among them is likelier than its small sister (English, Scots).
 */
static int choose(const candidate_t *candidates, int count, size_t length, char ret_language[LANGUAGE_SIZE])
{
	char language[LANGUAGE_SIZE];

	for (int i = 0; i < count; i++) {
		if (!read_code(candidates[i].name, language) || !is_common(language))
			continue;
		memcpy(ret_language, language, LANGUAGE_SIZE);
		return 0;
	}
	if (count != 1 || length < TEXT_ENOUGH_BYTES || !read_code(candidates[0].name, language))
		return -ENOENT;
	memcpy(ret_language, language, LANGUAGE_SIZE);
	return 0;
}

int language_find(const char *text, size_t length, char ret_language[LANGUAGE_SIZE])
{
	autobuf struct buf words = BUF_INIT(LOOK_BYTES + 8);
	candidate_t *candidates;
	int count, r;

	if (!classifier)
		return -ENOENT;
	keep_words(text, utf8_cut(text, length, LOOK_BYTES), &words);
	if (words.length < TEXT_MIN_BYTES)
		return -ENOENT;
	candidates = textcat_GetClassifyFullOutput(classifier);
	if (!candidates)
		return -ENOMEM;
	count = textcat_ClassifyFull(classifier, words.data, words.length, candidates);
	r = choose(candidates, count, words.length, ret_language);
	textcat_ReleaseClassifyFullOutput(classifier, candidates);
	return r;
}
