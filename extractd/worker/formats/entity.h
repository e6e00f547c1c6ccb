/*
 * Inside of entities_find(): each matcher looks at one place of a text, where a word begins, and returns the length of
 * what it recognises there, 0 for nothing.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A text with a place in it. Reading beyond either end gives 0. */
struct entity_text {
	const char *bytes;
	size_t length;
};

static inline unsigned char entity_at(const struct entity_text *text, size_t at)
{
	return at < text->length ? (unsigned char)text->bytes[at] : 0;
}

static inline bool entity_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool entity_is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool entity_is_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Letters of other scripts count as parts of a word. */
static inline bool entity_is_word(unsigned char c)
{
	return entity_is_digit(c) || entity_is_letter(c) || c >= 0x80;
}

/* The word (ASCII, lower case) stands here, in any case. */
bool entity_has_word(const struct entity_text *text, size_t at, const char *word);
/* As many digits as stand here. */
size_t entity_digits(const struct entity_text *text, size_t at);

size_t entity_url(const struct entity_text *text, size_t at);
/* at: the @. The length, and where it begins. */
size_t entity_email(const struct entity_text *text, size_t at, size_t *ret_begin);
size_t entity_date(const struct entity_text *text, size_t at);
size_t entity_phone(const struct entity_text *text, size_t at);
/* Begins with a currency sign or code, or with a number that one follows. */
size_t entity_amount(const struct entity_text *text, size_t at);
size_t entity_iban(const struct entity_text *text, size_t at);
size_t entity_vat(const struct entity_text *text, size_t at);
/* at: the word for invoice. The number behind it, and where it begins. */
size_t entity_invoice(const struct entity_text *text, size_t at, size_t *ret_begin);
