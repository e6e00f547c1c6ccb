/* libFuzzer: the token reader. What it accepts must have been signed with the key, which no input here is. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/buf.h"
#include "shared/model/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Signs header.payload as it stands, so that the reader comes as far as the claims. */
static void try_signed(const struct jwt_key *key, const char *text, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	autobuf struct buf token = BUF_INIT(1 << 16);
	struct jwt_claims claims;
	uint8_t mac[33] = {0};

	buf_puts(&token, "eyJhbGciOiJIUzI1NiJ9.");
	for (size_t i = 0; i < length; i += 3) {
		uint32_t bits = (uint32_t)(uint8_t)text[i] << 16;

		bits |= i + 1 < length ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
		bits |= i + 2 < length ? (uint32_t)(uint8_t)text[i + 2] : 0;
		for (size_t j = 0; j < (length - i > 2 ? 4 : length - i + 1); j++)
			buf_putc(&token, digits[bits >> (18 - 6 * j) & 63]);
	}
	if (buf_error(&token) < 0 || jwt_key_sign(key, token.data, token.length, mac) < 0)
		return;
	buf_putc(&token, '.');
	for (int i = 0; i < 43; i++) {
		unsigned bit = (unsigned)i * 6;
		unsigned pair = (unsigned)mac[bit / 8] << 8 | mac[bit / 8 + 1];

		buf_putc(&token, digits[pair >> (10 - bit % 8) & 63]);
	}
	if (jwt_verify(key, token.data, token.length, 0, &claims) == 0 && claims.subject[0] == '\0')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct jwt_key *key;
	struct jwt_claims claims;

	if (!key && jwt_key_new("0123456789abcdef0123456789abcdef", 32, &key) < 0)
		abort();
	if (jwt_verify(key, (const char *)bytes, length, 0, &claims) == 0)
		abort();
	if (length < 4096)
		try_signed(key, (const char *)bytes, length);
	return 0;
}
