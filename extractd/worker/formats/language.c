/* The language of a text, by libexttextcat's profiles. */
#include <errno.h>
#include <libexttextcat/textcat.h>
#include <stdio.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

enum { LOOK_BYTES = 8 << 10, TEXT_MIN_BYTES = 30 };

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

/* "[en--utf8][nl--utf8]": one guess only. */
static int read_guess(const char *answer, char ret_language[LANGUAGE_SIZE])
{
	size_t length;

	if (*answer != '[')
		return -ENOENT;
	answer++;
	length = strcspn(answer, "-]");
	if (length < 2 || length >= LANGUAGE_SIZE || strchr(answer, '['))
		return -ENOENT;
	memcpy(ret_language, answer, length);
	ret_language[length] = '\0';
	return 0;
}

int language_find(const char *text, size_t length, char ret_language[LANGUAGE_SIZE])
{
	autobuf struct buf words = BUF_INIT(LOOK_BYTES + 8);

	if (!classifier)
		return -ENOENT;
	keep_words(text, utf8_cut(text, length, LOOK_BYTES), &words);
	if (words.length < TEXT_MIN_BYTES)
		return -ENOENT;
	return read_guess(textcat_Classify(classifier, words.data, words.length), ret_language);
}
