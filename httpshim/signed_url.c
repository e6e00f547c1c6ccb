#include "httpshim/signed_url.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include "shared/model/jwt.h"

int signed_url_make(const struct jwt_key *key, const char *tenant_code, const char *file_id, int64_t expires_at_s,
		    char ret_signature[SIGNATURE_SIZE])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[256];
	uint8_t mac[32];
	uint32_t bits = 0;
	unsigned bit_count = 0, used = 0;
	int length, r;

	/* The separator is no character of a code or an id, nor of base64url: no token's signed part looks like this. */
	length = snprintf(text, sizeof(text), "download\n%s\n%s\n%" PRId64, tenant_code, file_id, expires_at_s);
	if (length < 0 || (size_t)length >= sizeof(text))
		return -ENAMETOOLONG;
	r = jwt_key_sign(key, text, (size_t)length, mac);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(mac); i++) {
		bits = bits << 8 | mac[i];
		for (bit_count += 8; bit_count >= 6; bit_count -= 6)
			ret_signature[used++] = digits[bits >> (bit_count - 6) & 63];
	}
	ret_signature[used++] = digits[bits << (6 - bit_count) & 63];
	ret_signature[used] = '\0';
	return 0;
}

int signed_url_check(const struct jwt_key *key, const char *tenant_code, const char *file_id, int64_t expires_at_s,
		     const char *signature, int64_t now_s)
{
	char expected[SIGNATURE_SIZE];
	int r;

	r = signed_url_make(key, tenant_code, file_id, expires_at_s, expected);
	if (r < 0 || strlen(signature) != SIGNATURE_SIZE - 1)
		return -EKEYREJECTED;
	if (CRYPTO_memcmp(expected, signature, SIGNATURE_SIZE - 1) != 0)
		return -EKEYREJECTED;
	return now_s < expires_at_s ? 0 : -EKEYEXPIRED;
}
