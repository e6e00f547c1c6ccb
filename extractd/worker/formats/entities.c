/* Finds what a reader of business papers looks for: addresses, links, dates, amounts, account and invoice numbers. */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/entity.h"
#include "shared/base/text.h"

struct search {
	struct entity_text text;
	struct buf *json;
	unsigned count, max;
	size_t done; /* what lies before belongs to an entity already */
};

bool entity_has_word(const struct entity_text *text, size_t at, const char *word)
{
	for (; *word; word++, at++) {
		unsigned char c = entity_at(text, at);

		if ((entity_is_letter(c) ? c | 0x20 : c) != (unsigned char)*word)
			return false;
	}
	return true;
}

size_t entity_digits(const struct entity_text *text, size_t at)
{
	size_t begin = at;

	while (entity_is_digit(entity_at(text, at)))
		at++;
	return at - begin;
}

static void put(struct search *search, const char *type, size_t begin, size_t length)
{
	struct buf *json = search->json;

	buf_puts(json, search->count++ > 0 ? ",{\"type\":\"" : "{\"type\":\"");
	buf_puts(json, type);
	buf_puts(json, "\",\"value\":");
	json_put_string(json, search->text.bytes + begin, length);
	buf_printf(json, ",\"offset\":%zu}", begin);
	search->done = begin + length;
}

static bool try_number(struct search *search, size_t at)
{
	size_t length = entity_date(&search->text, at);

	if (length > 0) {
		put(search, "date", at, length);
		return true;
	}
	length = entity_amount(&search->text, at);
	if (length > 0) {
		put(search, "amount", at, length);
		return true;
	}
	length = entity_phone(&search->text, at);
	if (length > 0)
		put(search, "phone", at, length);
	return length > 0;
}

static bool try_invoice(struct search *search, size_t at)
{
	size_t begin = at, length = entity_invoice(&search->text, at, &begin);

	if (length > 0)
		put(search, "invoice_number", begin, length);
	return length > 0;
}

static bool try_word(struct search *search, size_t at)
{
	static const struct {
		const char *type;
		size_t (*match)(const struct entity_text *text, size_t at);
	} matchers[] = {
		{"iban", entity_iban}, {"vat_number", entity_vat}, {"amount", entity_amount}, {"date", entity_date}};
	unsigned char first = entity_at(&search->text, at), lower = first | 0x20;
	size_t length = 0;

	if (lower == 'h' || lower == 'w' || lower == 'f')
		length = entity_url(&search->text, at);
	if (length > 0) {
		put(search, "url", at, length);
		return true;
	}
	for (size_t i = 0; entity_is_upper(first) && i < sizeof(matchers) / sizeof(matchers[0]); i++) {
		length = matchers[i].match(&search->text, at);
		if (length == 0)
			continue;
		put(search, matchers[i].type, at, length);
		return true;
	}
	return (lower == 'i' || lower == 'r' || lower == 'f') && try_invoice(search, at);
}

static bool try_email(struct search *search, size_t at)
{
	size_t begin = at, length = entity_email(&search->text, at, &begin);

	if (length == 0 || begin < search->done)
		return false;
	put(search, "email", begin, length);
	return true;
}

/* A byte that may begin an entity; what follows a letter or digit begins none, except the @ of an address. */
static bool try_at(struct search *search, size_t at, bool is_word_start)
{
	unsigned char c = (unsigned char)search->text.bytes[at];

	if (c == '@')
		return try_email(search, at);
	if (!is_word_start)
		return false;
	if (entity_is_digit(c) || c == '+' || c == '(')
		return try_number(search, at);
	if (entity_is_letter(c))
		return try_word(search, at);
	if (c == '$' || c == 0xE2 || c == 0xC2) {
		size_t length = entity_amount(&search->text, at);

		if (length > 0)
			put(search, "amount", at, length);
		return length > 0;
	}
	return false;
}

int entities_find(const char *text, size_t length, unsigned max, struct buf *ret_json)
{
	struct search search = {.text = {text, length}, .json = ret_json, .max = max};
	bool was_word = false;

	buf_putc(ret_json, '[');
	for (size_t at = 0; at < length && search.count < max;) {
		unsigned char c = (unsigned char)text[at];

		if (try_at(&search, at, !was_word) && search.done > at) {
			at = search.done;
			was_word = entity_is_word((unsigned char)text[at - 1]);
			continue;
		}
		/* A currency sign is no part of a word. */
		was_word = entity_is_word(c) && c != 0xC2;
		at++;
	}
	return buf_putc(ret_json, ']');
}
