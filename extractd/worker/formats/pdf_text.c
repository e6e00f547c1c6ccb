#include "extractd/worker/formats/pdf_text.h"

#include <stdbool.h>
#include <string.h>

static bool is_right_to_left(gunichar c)
{
	return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfeff);
}

static bool is_direction_mark(gunichar c)
{
	return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_mostly_right_to_left(const char *text)
{
	size_t letters = 0, right_to_left = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		letters += g_unichar_isalpha(c) != 0;
		right_to_left += is_right_to_left(c);
	}
	return right_to_left > letters / 2;
}

/*
 * poppler selects from where reading begins to where it ends: on a page that is read from the right, the upper left
 * corner lies behind the first line and the lower right one before the end of the last, which would both be lost.
 */
static char *select_from_the_right(PopplerPage *page)
{
	PopplerRectangle area = {0};

	poppler_page_get_size(page, &area.x1, &area.y2);
	return poppler_page_get_selected_text(page, POPPLER_SELECTION_GLYPH, &area);
}

static void put_character(struct buf *text, gunichar c)
{
	char bytes[8];

	buf_append(text, bytes, (size_t)g_unichar_to_utf8(c, bytes));
}

static bool ends_with_space(const struct buf *text)
{
	return text->length == 0 || strchr(" \t\n\f", text->data[text->length - 1]);
}

/*
 * The ligature of lam and an alef with a sign comes out of poppler in the order it is drawn, alef first. Behind an alef
 * (the article) that order is no word, so it can be told and turned round: U+0627 [622 623 625 627] U+0644.
 */
static bool is_turned_ligature(const char *text, gunichar *ret_alef, const char **ret_behind)
{
	gunichar second;

	if (g_utf8_get_char(text) != 0x627)
		return false;
	text = g_utf8_next_char(text);
	second = g_utf8_get_char(text);
	if (second != 0x622 && second != 0x623 && second != 0x625 && second != 0x627)
		return false;
	text = g_utf8_next_char(text);
	if (g_utf8_get_char(text) != 0x644)
		return false;
	*ret_alef = second;
	*ret_behind = g_utf8_next_char(text);
	return true;
}

/* The same ligature in the commonest ending, that of plurals: behind three letters or more U+0627 U+0644 U+062A is
 * U+0644 U+0627 U+062A. */
static void turn_plural(struct buf *text)
{
	enum { LETTER = 2, ENDING = 3 * LETTER, STEM = 3 * LETTER };
	char *ending = text->data + text->length - ENDING;

	if (text->length < ENDING + STEM || memcmp(ending, "\xd8\xa7\xd9\x84\xd8\xaa", ENDING) != 0)
		return;
	for (int i = 1; i <= STEM / LETTER; i++)
		if (((unsigned char)ending[-LETTER * i] & 0xfc) != 0xd8)
			return;
	memcpy(ending, "\xd9\x84\xd8\xa7", 2 * LETTER);
}

static void put_right_to_left(const char *text, struct buf *ret_text)
{
	const char *behind;
	gunichar alef;

	while (*text && buf_error(ret_text) == 0) {
		gunichar c = g_utf8_get_char(text);

		if (is_turned_ligature(text, &alef, &behind)) {
			put_character(ret_text, 0x627);
			put_character(ret_text, 0x644);
			put_character(ret_text, alef);
			text = behind;
			continue;
		}
		text = g_utf8_next_char(text);
		if (!is_right_to_left(c))
			turn_plural(ret_text);
		if (c != ' ' && !is_direction_mark(c))
			put_character(ret_text, c);
		else if (!ends_with_space(ret_text))
			buf_putc(ret_text, ' ');
	}
}

/*
 * Cells of a table and blocks side by side come out of poppler without anything between them; where the glyphs lie
 * tells. Puts
 * '\n' before a character that lies on another line or far from the one before, when no space stands there.
 */
static void put_parted(PopplerPage *page, const char *text, struct buf *ret_text)
{
	PopplerRectangle *places = NULL;
	const char *from = text, *before = NULL;
	guint count = 0;

	if (!poppler_page_get_text_layout(page, &places, &count))
		count = 0;
	for (guint i = 0; i < count && *text; i++, before = text, text = g_utf8_next_char(text)) {
		if (!before || *text == ' ' || *text == '\n' || *before == ' ' || *before == '\n')
			continue;
		const PopplerRectangle *last = &places[i - 1], *next = &places[i];
		double height = last->y2 - last->y1;

		if (next->y1 < last->y2 && next->y2 > last->y1 && next->x1 < last->x2 + height &&
		    next->x2 > last->x1 - height)
			continue;
		buf_append(ret_text, from, (size_t)(text - from));
		buf_putc(ret_text, '\n');
		from = text;
	}
	buf_puts(ret_text, from);
	g_free(places);
}

/* "al-" with the alef of the word it belongs to: never a word of its own. */
static bool ends_with_cut_article(const struct buf *text)
{
	enum { ARTICLE = 6 };
	const char *tail = text->data + text->length - ARTICLE;

	if (text->length < ARTICLE || memcmp(tail, "\xd8\xa7\xd9\x84\xd8", 5) != 0 || !strchr("\xa2\xa3\xa5", tail[5]))
		return false;
	return text->length == ARTICLE || strchr(" \n", tail[-1]);
}

/*
 * A letter that stands alone was cut off its word by a glyph's odd width, since but waw no letter is a word: an alef
 * with a sign belongs to what follows, any other to what it follows.
 */
static void put_lone_letters(const char *text, struct buf *ret_text)
{
	while (*text && buf_error(ret_text) == 0) {
		gunichar letter = *text == ' ' ? g_utf8_get_char(text + 1) : 0;
		const char *behind = letter ? g_utf8_next_char(text + 1) : text;
		bool is_lone = is_right_to_left(letter) && g_unichar_isalpha(letter) && letter != 0x648 &&
			       strchr(" \n", *behind);

		if (!is_lone) {
			put_character(ret_text, g_utf8_get_char(text));
			text = g_utf8_next_char(text);
			text += *text == ' ' && ends_with_cut_article(ret_text);
			continue;
		}
		bool is_first = letter == 0x622 || letter == 0x623 || letter == 0x625;

		if (is_first)
			buf_putc(ret_text, ' ');
		put_character(ret_text, letter);
		text = behind + (is_first && *behind == ' ');
	}
}

/* "popu-\nlation" is one word; "A-\n1" and "x -\ny" stay. */
static bool is_parted_word(const char *begin, const char *hyphen)
{
	return hyphen > begin && hyphen[1] == '\n' && g_unichar_islower(g_utf8_get_char(g_utf8_prev_char(hyphen))) &&
	       g_unichar_islower(g_utf8_get_char(hyphen + 2));
}

/* U+FB00 to FB06 are the glyphs of ff, fi, fl, ffi, ffl, st: nobody would find them. */
static void put_without_ligatures(const char *bytes, size_t length, struct buf *ret_text)
{
	static const char *const letters[] = {"ff", "fi", "fl", "ffi", "ffl", "st", "st"};
	const char *from = bytes, *end = bytes + length;

	for (const char *at = bytes; at + 2 < end; at++) {
		if (memcmp(at, "\xef\xac", 2) != 0 || (unsigned char)at[2] < 0x80 || (unsigned char)at[2] > 0x86)
			continue;
		buf_append(ret_text, from, (size_t)(at - from));
		buf_puts(ret_text, letters[(unsigned char)at[2] - 0x80]);
		from = at + 3;
	}
	buf_append(ret_text, from, (size_t)(end - from));
}

static void put_left_to_right(const char *text, struct buf *ret_text)
{
	const char *from = text;

	for (const char *hyphen = text; (hyphen = strchr(hyphen, '-')); hyphen++) {
		if (!is_parted_word(text, hyphen))
			continue;
		put_without_ligatures(from, (size_t)(hyphen - from), ret_text);
		from = hyphen + 2;
	}
	put_without_ligatures(from, strlen(from), ret_text);
}

void pdf_page_text(PopplerPage *page, struct buf *ret_text)
{
	char *text = poppler_page_get_text(page);

	if (text && is_mostly_right_to_left(text)) {
		g_free(text);
		text = select_from_the_right(page);
		if (text) {
			autobuf struct buf words = BUF_INIT(ret_text->max_bytes);

			put_right_to_left(text, &words);
			put_lone_letters(words.data, ret_text);
		}
	} else if (text) {
		autobuf struct buf parted = BUF_INIT(ret_text->max_bytes);

		put_parted(page, text, &parted);
		put_left_to_right(parted.data, ret_text);
	}
	g_free(text);
}
