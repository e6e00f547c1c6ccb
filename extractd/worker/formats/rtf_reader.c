#include "extractd/worker/formats/rtf_reader.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	GROUPS_MAX = 1024,
	WORD_SIZE = 33,
	RUN_SIZE = 1024,
	PROPERTY_SIZE = 1024,
	FONTS_MAX = 256,
	CODE_PAGE_DEFAULT = 1252,
	CODE_PAGE_SYMBOL = 42
};

/* What a group inherits from the one around it. */
struct group {
	bool is_skipped;
	uint8_t unicode_skip; /* how many characters stand in for a \u */
	int16_t code_page;    /* of the current font; 0: the document's */
	const char *property; /* we are inside this one of the info group */
};

struct rtf {
	const uint8_t *at, *end;
	const struct rtf_handler *handler;
	void *context;
	struct group groups[GROUPS_MAX];
	unsigned depth;	   /* of groups[], the last that is kept */
	unsigned overflow; /* groups opened beyond */
	int document_code_page;
	struct {
		int number, code_page;
	} fonts[FONTS_MAX];
	int font_count, defined_font;
	bool is_font_table, was_star;
	unsigned to_skip; /* characters left of a \u's stand-in */
	uint32_t high_surrogate;
	char run[RUN_SIZE]; /* bytes of one code page, or UTF-8, not handed on yet */
	size_t run_length;
	int run_code_page; /* 0: UTF-8 */
	iconv_t converter;
	int converter_code_page;
	char property_value[PROPERTY_SIZE];
	size_t property_length;
	int result;
};

static struct group *group(struct rtf *rtf)
{
	return &rtf->groups[rtf->depth];
}

static void hand_on(struct rtf *rtf, const char *bytes, size_t length)
{
	if (group(rtf)->property) {
		if (length >= PROPERTY_SIZE - rtf->property_length)
			length = PROPERTY_SIZE - 1 - rtf->property_length;
		memcpy(rtf->property_value + rtf->property_length, bytes, length);
		rtf->property_length += length;
	} else if (rtf->result == 0 && length > 0) {
		rtf->result = rtf->handler->text(rtf->context, bytes, length);
	}
}

static bool open_converter(struct rtf *rtf, int code_page)
{
	char name[24];

	if (rtf->converter_code_page == code_page)
		return rtf->converter != (iconv_t)-1;
	if (rtf->converter != (iconv_t)-1)
		iconv_close(rtf->converter);
	snprintf(name, sizeof(name), code_page == 10000 ? "MACINTOSH" : "CP%d", code_page);
	rtf->converter = iconv_open("UTF-8", name);
	rtf->converter_code_page = code_page;
	return rtf->converter != (iconv_t)-1;
}

static void convert_run(struct rtf *rtf)
{
	char *in = rtf->run;
	size_t in_left = rtf->run_length;

	while (in_left > 0) {
		char out[4 * RUN_SIZE], *to = out;
		size_t out_left = sizeof(out), r;

		r = iconv(rtf->converter, &in, &in_left, &to, &out_left);
		hand_on(rtf, out, (size_t)(to - out));
		if (r != (size_t)-1 || errno == E2BIG)
			continue;
		hand_on(rtf, "\xef\xbf\xbd", 3); /* U+FFFD for a byte that is none of this code page */
		in++;
		in_left--;
		iconv(rtf->converter, NULL, NULL, NULL, NULL);
	}
}

static void end_run(struct rtf *rtf)
{
	if (rtf->run_length == 0)
		return;
	if (rtf->run_code_page == 0)
		hand_on(rtf, rtf->run, rtf->run_length);
	else if (open_converter(rtf, rtf->run_code_page))
		convert_run(rtf);
	rtf->run_length = 0;
}

static void put_byte(struct rtf *rtf, int code_page, uint8_t byte)
{
	if (group(rtf)->is_skipped || rtf->is_font_table)
		return;
	if (rtf->to_skip > 0) {
		rtf->to_skip--;
		return;
	}
	if (rtf->run_code_page != code_page || rtf->run_length == RUN_SIZE)
		end_run(rtf);
	rtf->run_code_page = code_page;
	rtf->run[rtf->run_length++] = (char)byte;
}

static int current_code_page(struct rtf *rtf)
{
	int code_page = group(rtf)->code_page ? group(rtf)->code_page : rtf->document_code_page;

	return code_page == CODE_PAGE_SYMBOL ? CODE_PAGE_DEFAULT : code_page;
}

static void put_utf8(struct rtf *rtf, uint32_t c)
{
	if (c < 0x80) {
		put_byte(rtf, 0, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		put_byte(rtf, 0, (uint8_t)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		put_byte(rtf, 0, (uint8_t)(0xe0 | c >> 12));
		put_byte(rtf, 0, (uint8_t)(0x80 | (c >> 6 & 63)));
	} else {
		put_byte(rtf, 0, (uint8_t)(0xf0 | c >> 18));
		put_byte(rtf, 0, (uint8_t)(0x80 | (c >> 12 & 63)));
		put_byte(rtf, 0, (uint8_t)(0x80 | (c >> 6 & 63)));
	}
	put_byte(rtf, 0, (uint8_t)(0x80 | (c & 63)));
}

/* \uN: a UTF-16 unit, signed in the file; a pair comes as two of them. */
static void put_unicode(struct rtf *rtf, int value)
{
	uint32_t unit = (uint32_t)value & 0xffff;

	rtf->to_skip = 0;
	if (unit >= 0xd800 && unit < 0xdc00)
		rtf->high_surrogate = unit;
	else if (unit >= 0xdc00 && unit < 0xe000) {
		if (rtf->high_surrogate)
			put_utf8(rtf, 0x10000 + ((rtf->high_surrogate - 0xd800) << 10) + (unit - 0xdc00));
		rtf->high_surrogate = 0;
	} else if (unit > 0) {
		put_utf8(rtf, unit);
	}
	rtf->to_skip = group(rtf)->unicode_skip;
}

static void call(struct rtf *rtf, int (*function)(void *context))
{
	if (group(rtf)->is_skipped || group(rtf)->property || rtf->is_font_table)
		return;
	end_run(rtf);
	if (rtf->result == 0 && function)
		rtf->result = function(rtf->context);
}

/* \fcharset to code page. */
static int charset_code_page(int charset)
{
	static const struct {
		int charset, code_page;
	} pairs[] = {{0, 1252},	  {2, CODE_PAGE_SYMBOL},
		     {77, 10000}, {128, 932},
		     {129, 949},  {130, 1361},
		     {134, 936},  {136, 950},
		     {161, 1253}, {162, 1254},
		     {163, 1258}, {177, 1255},
		     {178, 1256}, {186, 1257},
		     {204, 1251}, {222, 874},
		     {238, 1250}, {255, 437}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].charset == charset)
			return pairs[i].code_page;
	return 0;
}

static void font_word(struct rtf *rtf, const char *word, int value)
{
	if (strcmp(word, "f") == 0 && rtf->font_count < FONTS_MAX) {
		rtf->defined_font = rtf->font_count++;
		rtf->fonts[rtf->defined_font].number = value;
		rtf->fonts[rtf->defined_font].code_page = 0;
	} else if (strcmp(word, "fcharset") == 0 && rtf->defined_font >= 0) {
		rtf->fonts[rtf->defined_font].code_page = charset_code_page(value);
	}
}

static void use_font(struct rtf *rtf, int number)
{
	group(rtf)->code_page = 0;
	for (int i = 0; i < rtf->font_count; i++)
		if (rtf->fonts[i].number == number)
			group(rtf)->code_page = (int16_t)rtf->fonts[i].code_page;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* Groups whose first word says that they are no text. */
static void destination(struct rtf *rtf, const char *word)
{
	static const char *const not_text[] = {
		"colortbl",	"stylesheet", "pict",	  "object",   "themedata", "datastore",
		"latentstyles", "listtable",  "rsidtbl",  "xmlnstbl", "generator", "filetbl",
		"revtbl",	"fldinst",    "listtext", "pntext",   "bkmkstart", "bkmkend",
		"mmathPr",	"creatim",    "revtim",	  "printim",  "buptim",	   "listoverridetable",
		"nonshppict",	"template",   NULL};
	static const char *const properties[] = {"title",   "author",  "subject",  "keywords",
						 "doccomm", "company", "operator", NULL};

	if (is_one_of(word, not_text))
		group(rtf)->is_skipped = true;
	else if (strcmp(word, "fonttbl") == 0)
		rtf->is_font_table = true;
	for (size_t i = 0; properties[i]; i++)
		if (strcmp(word, properties[i]) == 0 && !group(rtf)->is_skipped) {
			end_run(rtf);
			group(rtf)->property = properties[i];
			rtf->property_length = 0;
		}
}

static void character_word(struct rtf *rtf, const char *word)
{
	static const struct {
		const char *word;
		uint16_t character;
	} characters[] = {{"tab", 9},	      {"emdash", 0x2014},    {"endash", 0x2013},    {"lquote", 0x2018},
			  {"rquote", 0x2019}, {"ldblquote", 0x201c}, {"rdblquote", 0x201d}, {"bullet", 0x2022},
			  {"emspace", ' '},   {"enspace", ' '},	     {"qmspace", ' '},	    {"line", '\n'}};

	for (size_t i = 0; i < sizeof(characters) / sizeof(*characters); i++)
		if (strcmp(word, characters[i].word) == 0)
			put_utf8(rtf, characters[i].character);
}

static void structure_word(struct rtf *rtf, const char *word)
{
	if (strcmp(word, "par") == 0 || strcmp(word, "sect") == 0 || strcmp(word, "page") == 0)
		call(rtf, rtf->handler->paragraph_end);
	else if (strcmp(word, "cell") == 0 || strcmp(word, "nestcell") == 0)
		call(rtf, rtf->handler->cell_end);
	else if (strcmp(word, "row") == 0 || strcmp(word, "nestrow") == 0)
		call(rtf, rtf->handler->row_end);
}

static void control_word(struct rtf *rtf, const char *word, bool has_value, int value)
{
	bool was_star = rtf->was_star;

	rtf->was_star = false;
	if (was_star && strcmp(word, "shppict") != 0) { /* a destination that a plain reader need not know */
		group(rtf)->is_skipped = true;
		return;
	}
	if (rtf->is_font_table)
		font_word(rtf, word, value);
	else if (strcmp(word, "u") == 0 && has_value)
		put_unicode(rtf, value);
	else if (strcmp(word, "uc") == 0)
		group(rtf)->unicode_skip = (uint8_t)(value >= 0 && value < 16 ? value : 1);
	else if (strcmp(word, "ansicpg") == 0 && value > 0 && value < 65536)
		rtf->document_code_page = value;
	else if (strcmp(word, "mac") == 0)
		rtf->document_code_page = 10000;
	else if (strcmp(word, "f") == 0 && has_value)
		use_font(rtf, value);
	else if (strcmp(word, "bin") == 0 && value > 0)
		rtf->at += value < rtf->end - rtf->at ? value : rtf->end - rtf->at;
	else {
		character_word(rtf, word);
		structure_word(rtf, word);
		destination(rtf, word);
	}
}

static void read_word(struct rtf *rtf)
{
	char word[WORD_SIZE];
	size_t length = 0;
	long value = 0;
	bool has_value, is_negative;

	for (; rtf->at < rtf->end && isalpha(*rtf->at); rtf->at++)
		if (length < WORD_SIZE - 1)
			word[length++] = (char)*rtf->at;
	word[length] = '\0';
	is_negative = rtf->at < rtf->end && *rtf->at == '-';
	rtf->at += is_negative;
	has_value = rtf->at < rtf->end && isdigit(*rtf->at);
	for (; rtf->at < rtf->end && isdigit(*rtf->at); rtf->at++)
		if (value < 100000000)
			value = 10 * value + (*rtf->at - '0');
	if (rtf->at < rtf->end && *rtf->at == ' ')
		rtf->at++;
	control_word(rtf, word, has_value, (int)(is_negative ? -value : value));
}

static int hex_value(uint8_t c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

static void read_symbol(struct rtf *rtf)
{
	uint8_t symbol = *rtf->at++;

	switch (symbol) {
	case '\'':
		if (rtf->end - rtf->at >= 2 && hex_value(rtf->at[0]) >= 0 && hex_value(rtf->at[1]) >= 0) {
			put_byte(rtf, current_code_page(rtf),
				 (uint8_t)(hex_value(rtf->at[0]) * 16 + hex_value(rtf->at[1])));
			rtf->at += 2;
		}
		break;
	case '*':
		rtf->was_star = true;
		break;
	case '~':
		put_byte(rtf, 0, ' ');
		break;
	case '_':
		put_byte(rtf, 0, '-');
		break;
	case '\n':
	case '\r':
		call(rtf, rtf->handler->paragraph_end);
		break;
	case '\\':
	case '{':
	case '}':
		put_byte(rtf, 0, symbol);
		break;
	default:
		break;
	}
}

static void open_group(struct rtf *rtf)
{
	rtf->to_skip = 0;
	if (rtf->depth + 1 >= GROUPS_MAX) {
		rtf->overflow++;
		return;
	}
	rtf->groups[rtf->depth + 1] = rtf->groups[rtf->depth];
	rtf->depth++;
}

static void close_group(struct rtf *rtf)
{
	const char *property = group(rtf)->property;

	rtf->to_skip = 0;
	if (rtf->overflow > 0) {
		rtf->overflow--;
		return;
	}
	end_run(rtf);
	rtf->depth--;
	if (property && !group(rtf)->property) {
		rtf->property_value[rtf->property_length] = '\0';
		if (rtf->result == 0 && rtf->property_length > 0 && rtf->handler->property)
			rtf->result = rtf->handler->property(rtf->context, property, rtf->property_value);
	}
	if (rtf->depth <= 1)
		rtf->is_font_table = false;
}

static void read_token(struct rtf *rtf)
{
	uint8_t c = *rtf->at++;

	if (c == '{')
		open_group(rtf);
	else if (c == '}')
		close_group(rtf);
	else if (c == '\\' && rtf->at < rtf->end) {
		if (isalpha(*rtf->at))
			read_word(rtf);
		else
			read_symbol(rtf);
	} else if (c != '\n' && c != '\r' && c != '\0')
		put_byte(rtf, current_code_page(rtf), c);
}

int rtf_read(const uint8_t *bytes, size_t length, const struct rtf_handler *handler, void *context)
{
	struct rtf rtf = {.at = bytes,
			  .end = bytes + length,
			  .handler = handler,
			  .context = context,
			  .document_code_page = CODE_PAGE_DEFAULT,
			  .defined_font = -1,
			  .converter = (iconv_t)-1};

	if (length < 6 || memcmp(bytes, "{\\rtf", 5) != 0)
		return -EBADMSG;
	rtf.groups[0].unicode_skip = 1;
	open_group(&rtf);
	rtf.at++;
	while (rtf.at < rtf.end && rtf.depth > 0 && rtf.result == 0)
		read_token(&rtf);
	end_run(&rtf);
	if (rtf.converter != (iconv_t)-1)
		iconv_close(rtf.converter);
	if (rtf.result != 0)
		return rtf.result;
	return rtf.depth > 0 ? -ENODATA : 0;
}
