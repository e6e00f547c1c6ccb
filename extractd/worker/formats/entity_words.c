/* Addresses and numbers that begin with letters: URLs, e-mail, IBAN, VAT and invoice numbers. */
#include <string.h>
#include "extractd/worker/formats/entity.h"

enum { EMAIL_LOCAL_MAX = 64, EMAIL_MAX = 254, URL_MAX = 2048, IBAN_MAX = 34, INVOICE_MAX = 32, INVOICE_GAP_MAX = 24 };

/* --- URLs --- */

static bool is_url_byte(unsigned char c)
{
	return c > ' ' && c != 0x7F && !strchr("<>\"`{}|\\^", c);
}

/* A sentence's punctuation and a closing bracket that was opened before are not part of the address. */
static size_t trim_url(const struct entity_text *text, size_t at, size_t length)
{
	while (length > 0) {
		unsigned char last = entity_at(text, at + length - 1);

		if (last == ')' && memchr(text->bytes + at, '(', length))
			break;
		if (!strchr(".,;:!?'*)]_", last))
			break;
		length--;
	}
	return length;
}

size_t entity_url(const struct entity_text *text, size_t at)
{
	static const char *const beginnings[] = {"https://", "http://", "ftp://", "www."};
	size_t length = 0, host;

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]) && length == 0; i++)
		if (entity_has_word(text, at, beginnings[i]))
			length = strlen(beginnings[i]);
	if (length == 0)
		return 0;
	host = length;
	while (length < URL_MAX && is_url_byte(entity_at(text, at + length)))
		length++;
	length = trim_url(text, at, length);
	if (length <= host || !entity_is_word(entity_at(text, at + host)))
		return 0;
	/* www. alone is no address, www.example is none either */
	return entity_at(text, at) != 'h' && entity_has_word(text, at, "www.") &&
			       !memchr(text->bytes + at + 4, '.', length - 4)
		       ? 0
		       : length;
}

/* --- e-mail --- */

static bool is_local_byte(unsigned char c)
{
	return entity_is_digit(c) || entity_is_letter(c) || (c != 0 && strchr("._%+-", c));
}

/* Labels and points up to the last label of two letters or more; 0 when there is no point before it. */
static size_t domain_length(const struct entity_text *text, size_t at)
{
	size_t end = at, label = at, found = 0;
	unsigned labels = 0;

	for (;; end++) {
		unsigned char c = entity_at(text, end);

		if (entity_is_digit(c) || entity_is_letter(c) || (c == '-' && end > label))
			continue;
		if (end == label)
			break;
		labels++;
		if (labels > 1 && end - label >= 2 && entity_is_letter(entity_at(text, label)) &&
		    entity_is_letter(entity_at(text, end - 1)))
			found = end - at;
		if (c != '.')
			break;
		label = end + 1;
	}
	return found;
}

size_t entity_email(const struct entity_text *text, size_t at, size_t *ret_begin)
{
	size_t begin = at, domain;

	while (begin > 0 && at - begin < EMAIL_LOCAL_MAX && is_local_byte((unsigned char)text->bytes[begin - 1]))
		begin--;
	while (begin < at && !entity_is_word(entity_at(text, begin)))
		begin++;
	if (begin == at || entity_at(text, at - 1) == '.')
		return 0;
	domain = domain_length(text, at + 1);
	if (domain == 0 || at + 1 + domain - begin > EMAIL_MAX)
		return 0;
	*ret_begin = begin;
	return at + 1 + domain - begin;
}

/* --- IBAN --- */

/* The lengths of the registry (ISO 13616), by country. */
static size_t iban_length(const struct entity_text *text, size_t at)
{
	static const char lengths[] = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28"
				      "EE20EG29ES24FI18FK18FO18"
				      "FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
				      "LI21LT20LU20LV21LY25MC27"
				      "MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24"
				      "SC31SD18SE24SI19SK24SM27"
				      "SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

	for (const char *entry = lengths; *entry; entry += 4)
		if (entity_at(text, at) == (unsigned char)entry[0] &&
		    entity_at(text, at + 1) == (unsigned char)entry[1])
			return (size_t)(entry[2] - '0') * 10 + (size_t)(entry[3] - '0');
	return 0;
}

/* The remainder of the number by 97, the first four characters moved behind: 1 for a right one (ISO 7064). */
static unsigned iban_remainder(const char *characters, size_t length)
{
	unsigned remainder = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)characters[(i + 4) % length];

		if (entity_is_digit(c))
			remainder = (remainder * 10 + (c - '0')) % 97;
		else
			remainder = (remainder * 100 + (unsigned)(c - 'A') + 10) % 97;
	}
	return remainder;
}

size_t entity_iban(const struct entity_text *text, size_t at)
{
	char characters[IBAN_MAX];
	size_t wanted, count = 0, end = at;

	if (!entity_is_upper(entity_at(text, at + 1)) || !entity_is_digit(entity_at(text, at + 2)) ||
	    !entity_is_digit(entity_at(text, at + 3)))
		return 0;
	wanted = iban_length(text, at);
	while (count < wanted) {
		unsigned char c = entity_at(text, end);

		if (entity_is_digit(c) || entity_is_upper(c))
			characters[count++] = (char)c;
		else if (c != ' ' || entity_at(text, end + 1) == ' ')
			return 0;
		end++;
	}
	if (count == 0 || entity_is_word(entity_at(text, end)) || iban_remainder(characters, count) != 1)
		return 0;
	return end - at;
}

/* --- VAT numbers --- */

/* 9: a digit, A: a letter, X: either, [: what follows may be absent. */
static const char *const vat_patterns[] = {
	"ATU99999999",	   "BE0999999999",    "BE1999999999",	"BG999999999[9", "CY99999999A",	 "CZ99999999[99",
	"DE999999999",	   "DK99999999",      "EE999999999",	"EL999999999",	 "ESX9999999X",	 "FI99999999",
	"FRXX999999999",   "GB999999999[999", "HR99999999999",	"HU99999999",	 "IE9999999A[A", "IE9X99999A",
	"IT99999999999",   "LT999999999[999", "LU99999999",	"LV99999999999", "MT99999999",	 "NL999999999B99",
	"PL9999999999",	   "PT999999999",     "SE999999999999", "SI99999999",	 "SK9999999999", "XI999999999",
	"CHE-999.999.999", "CHE999999999",
};

static size_t match_pattern(const struct entity_text *text, size_t at, const char *pattern)
{
	size_t length = 0, shortest = 0;

	for (; *pattern; pattern++) {
		unsigned char c = entity_at(text, at + length);

		if (*pattern == '[') {
			shortest = length;
			continue;
		}
		if ((*pattern == '9' && entity_is_digit(c)) || (*pattern == 'A' && length > 1 && entity_is_upper(c)) ||
		    (*pattern == 'X' && length > 1 && (entity_is_digit(c) || entity_is_upper(c))) ||
		    (*pattern != '9' && c == (unsigned char)*pattern)) {
			length++;
			continue;
		}
		length = shortest;
		break;
	}
	return length > 0 && !entity_is_word(entity_at(text, at + length)) ? length : 0;
}

size_t entity_vat(const struct entity_text *text, size_t at)
{
	unsigned char first = entity_at(text, at), second = entity_at(text, at + 1);

	if (!entity_is_upper(second))
		return 0;
	for (size_t i = 0; i < sizeof(vat_patterns) / sizeof(vat_patterns[0]); i++) {
		size_t length;

		if ((unsigned char)vat_patterns[i][0] != first || (unsigned char)vat_patterns[i][1] != second)
			continue;
		length = match_pattern(text, at, vat_patterns[i]);
		if (length > 0)
			return length;
	}
	return 0;
}

/* --- invoice numbers --- */

static size_t word_for_invoice(const struct entity_text *text, size_t at)
{
	static const char *const words[] = {"invoice", "rechnungsnummer", "rechnung", "facture",
					    "factura", "fattura",	  "factuur"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (entity_has_word(text, at, words[i]))
			return strlen(words[i]);
	return 0;
}

/* What may stand between the word and the number: "No.", "Nr:", "-Nummer", "#", "n°". */
static size_t skip_label(const struct entity_text *text, size_t at)
{
	static const char *const labels[] = {"number", "nummer", "num",	      "nro",	  "no",
					     "nr",     "id",	 "n\xC2\xBA", "n\xC2\xB0"};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t length = strlen(labels[i]);

		if (entity_has_word(text, at, labels[i]) && !entity_is_letter(entity_at(text, at + length)))
			return length;
	}
	return 0;
}

static bool is_number_byte(unsigned char c)
{
	return entity_is_digit(c) || entity_is_letter(c) || c == '-' || c == '/' || c == '_' || c == '.';
}

size_t entity_invoice(const struct entity_text *text, size_t at, size_t *ret_begin)
{
	size_t word = word_for_invoice(text, at), begin = at + word, end, label;
	bool has_label = word == strlen("rechnungsnummer");
	unsigned digits = 0;

	if (word == 0)
		return 0;
	while (begin - at - word < INVOICE_GAP_MAX) {
		unsigned char c = entity_at(text, begin);

		label = skip_label(text, begin);
		if (label == 0 && (c == 0 || !strchr(" \t.:#-", c)))
			break;
		has_label |= label > 0 || c == '#' || c == ':';
		begin += label > 0 ? label : 1;
	}
	for (end = begin; end - begin < INVOICE_MAX && is_number_byte(entity_at(text, end)); end++)
		digits += entity_is_digit(entity_at(text, end));
	while (end > begin && strchr(".-/_", entity_at(text, end - 1)))
		end--;
	if (!has_label || digits < 2 || end - begin < 3 || begin == at + word)
		return 0;
	*ret_begin = begin;
	return end - begin;
}
