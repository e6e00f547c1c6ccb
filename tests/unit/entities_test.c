#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/extractor.h"

/* "type=value; " of everything found, without the offsets. */
static void expect(const char *text, const char *wanted)
{
	autobuf struct buf json = BUF_INIT(1 << 16), told = BUF_INIT(1 << 16);

	assert_int_equal(entities_find(text, strlen(text), 100, &json), 0);
	for (const char *at = json.data; (at = strstr(at, "\"type\":\"")) != NULL;) {
		const char *type = at + 8, *value = strstr(type, "\"value\":\"") + 9;

		buf_printf(&told, "%s%.*s=%.*s", told.length > 0 ? "; " : "", (int)strcspn(type, "\""), type,
			   (int)strcspn(value, "\""), value);
		at = value;
	}
	assert_string_equal(told.length > 0 ? told.data : "", wanted);
}

static void addresses_and_links_end_before_the_punctuation(void **state)
{
	(void)state;
	expect("Write to john.doe+x@mail.example.com.", "email=john.doe+x@mail.example.com");
	expect("a@b, x@y.z1, @me, me@", "");
	expect("2@", "");
	expect("See https://example.org/a_(b)?c=d, or www.example.com/x.",
	       "url=https://example.org/a_(b)?c=d; url=www.example.com/x");
	expect("http:// and www.nothing", "");
	expect("(http://a.example/)", "url=http://a.example/");
}

static void dates_in_figures_and_words(void **state)
{
	(void)state;
	expect("2024-11-03, 03.11.2024, 11/3/24? 3/11/2024", "date=2024-11-03; date=03.11.2024; date=3/11/2024");
	expect("at 2024-11-03T10:22:31Z", "date=2024-11-03T10:22:31Z");
	expect("3 November 2024; 3. M\xC3\xA4rz 2024; 3rd of May 2021",
	       "date=3 November 2024; date=3. M\xC3\xA4rz 2024; date=3rd of May 2021");
	expect("November 3, 2024 and March 2023", "date=November 3, 2024; date=March 2023");
	expect("2024-13-03 45.11.2024 1.2.3.4", "");
}

static void amounts_have_a_currency(void **state)
{
	(void)state;
	expect("\xE2\x82\xAC 1.234,56 and 99,50 \xE2\x82\xAC",
	       "amount=\xE2\x82\xAC 1.234,56; amount=99,50 \xE2\x82\xAC");
	expect("$12 or USD 1,200.00 or 15 EUR", "amount=$12; amount=USD 1,200.00; amount=15 EUR");
	expect("12 EURO 12 apples", "");
}

static void phone_numbers_are_not_any_digits(void **state)
{
	(void)state;
	expect("+49 (0)89 1234-5678, 089/1234567, (030) 123 456",
	       "phone=+49 (0)89 1234-5678; phone=089/1234567; phone=(030) 123 456");
	expect("555-123-4567", "phone=555-123-4567");
	expect("1234567890 and 192.168.10.20 and 0.5 and 007", "");
}

static void ibans_are_checked(void **state)
{
	(void)state;
	expect("DE89 3704 0044 0532 0130 00 BIC", "iban=DE89 3704 0044 0532 0130 00");
	expect("IBAN GB29NWBK60161331926819.", "iban=GB29NWBK60161331926819");
	expect("DE89 3704 0044 0532 0130 01", "");
	expect("DE8937040044053201300", "");
}

static void vat_and_invoice_numbers(void **state)
{
	(void)state;
	expect("VAT DE123456789, ATU12345678, NL123456789B01",
	       "vat_number=DE123456789; vat_number=ATU12345678; vat_number=NL123456789B01");
	expect("DE12345678 DE1234567890", "");
	expect("Invoice No. INV-2024/0815 of today", "invoice_number=INV-2024/0815");
	expect("Rechnungsnummer: 4711-A", "invoice_number=4711-A");
	expect("invoice 2024 paid; the invoice number is missing", "");
}

static void offsets_are_bytes_of_the_text(void **state)
{
	autobuf struct buf json = BUF_INIT(1024);
	const char text[] = "\xC3\xA9\xC3\xA9 a@b.de";

	(void)state;
	assert_int_equal(entities_find(text, strlen(text), 10, &json), 0);
	assert_string_equal(json.data, "[{\"type\":\"email\",\"value\":\"a@b.de\",\"offset\":5}]");
}

static void no_more_are_told_than_asked_for(void **state)
{
	autobuf struct buf json = BUF_INIT(1024);

	(void)state;
	assert_int_equal(entities_find("$1 $2 $3 $4", 11, 2, &json), 0);
	assert_null(strstr(json.data, "$3"));
	assert_non_null(strstr(json.data, "$2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_links_end_before_the_punctuation),
		cmocka_unit_test(dates_in_figures_and_words),
		cmocka_unit_test(amounts_have_a_currency),
		cmocka_unit_test(phone_numbers_are_not_any_digits),
		cmocka_unit_test(ibans_are_checked),
		cmocka_unit_test(vat_and_invoice_numbers),
		cmocka_unit_test(offsets_are_bytes_of_the_text),
		cmocka_unit_test(no_more_are_told_than_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
