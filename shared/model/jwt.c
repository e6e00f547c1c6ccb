#include "shared/model/jwt.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "shared/base/cleanup.h"
#include "shared/base/text.h"

enum { MAC_SIZE = 32, JSON_BYTES_MAX = 6144 };

struct jwt_key {
	size_t length;
	uint8_t secret[];
};

int jwt_key_new(const void *secret, size_t length, struct jwt_key **ret_key)
{
	struct jwt_key *key;

	if (length < JWT_KEY_BYTES_MIN)
		return -EINVAL;
	key = malloc(sizeof(*key) + length);
	if (!key)
		return -ENOMEM;
	key->length = length;
	memcpy(key->secret, secret, length);
	*ret_key = key;
	return 0;
}

void jwt_key_free(struct jwt_key *key)
{
	if (key)
		OPENSSL_cleanse(key->secret, key->length);
	free(key);
}

int jwt_key_sign(const struct jwt_key *key, const void *bytes, size_t length, uint8_t ret_mac[32])
{
	unsigned size = 0;

	if (!HMAC(EVP_sha256(), key->secret, (int)key->length, bytes, length, ret_mac, &size) || size != MAC_SIZE)
		return -ENOMEM;
	return 0;
}

static int sextet(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

/*
 * base64url without padding. -EBADMSG: another character, an impossible length, or bits left over that are not zero
 * (two texts must not mean the same bytes).
 */
static int base64url_decode(const char *text, size_t length, uint8_t *ret_bytes, size_t size, size_t *ret_length)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		int value = sextet(text[i]);

		if (value < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		if (used == size)
			return -EBADMSG;
		ret_bytes[used++] = (uint8_t)(bits >> bit_count);
		bits &= (1U << bit_count) - 1;
	}
	if (length % 4 == 1 || bits != 0)
		return -EBADMSG;
	*ret_length = used;
	return 0;
}

static void base64url_encode(struct buf *out, const void *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *byte = bytes;
	uint32_t bits = 0;
	unsigned bit_count = 0;

	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | byte[i];
		for (bit_count += 8; bit_count >= 6; bit_count -= 6)
			buf_putc(out, digits[bits >> (bit_count - 6) & 63]);
		bits &= (1U << bit_count) - 1;
	}
	if (bit_count > 0)
		buf_putc(out, digits[bits << (6 - bit_count) & 63]);
}

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

static json_t *decode_object(const char *text, size_t length)
{
	uint8_t bytes[JSON_BYTES_MAX];
	size_t size;
	json_t *json;

	if (base64url_decode(text, length, bytes, sizeof(bytes), &size) < 0)
		return NULL;
	json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	if (json && !json_is_object(json)) {
		json_decref(json);
		json = NULL;
	}
	return json;
}

static int check_header(const char *text, size_t length)
{
	json_t *header cleanup(cleanup_json) = decode_object(text, length);
	const char *algorithm, *type;

	if (!header)
		return -EBADMSG;
	algorithm = json_string_value(json_object_get(header, "alg"));
	type = json_string_value(json_object_get(header, "typ"));
	if (!algorithm || strcmp(algorithm, "HS256") != 0)
		return -EBADMSG;
	if (json_object_get(header, "typ") && (!type || strcasecmp(type, "JWT") != 0))
		return -EBADMSG;
	/* crit names extensions that must be understood, and none is. b64 would change what is signed. */
	if (json_object_get(header, "crit") || json_object_get(header, "b64"))
		return -EBADMSG;
	return 0;
}

static int check_signature(const struct jwt_key *key, const char *token, size_t signed_length, const char *signature,
			   size_t length)
{
	uint8_t expected[MAC_SIZE], given[MAC_SIZE];
	size_t size;

	if (base64url_decode(signature, length, given, sizeof(given), &size) < 0 || size != MAC_SIZE)
		return -EBADMSG;
	if (jwt_key_sign(key, token, signed_length, expected) < 0)
		return -ENOMEM;
	return CRYPTO_memcmp(expected, given, MAC_SIZE) == 0 ? 0 : -EKEYREJECTED;
}

/* A NumericDate; fractions are cut. False: not there, no number, or none that fits. */
static bool take_date(const json_t *claims, const char *name, int64_t *ret_seconds)
{
	const json_t *value = json_object_get(claims, name);
	double number;

	if (!json_is_number(value))
		return false;
	number = json_number_value(value);
	if (!isfinite(number) || number < 0 || number > 1e15)
		return false;
	*ret_seconds = (int64_t)number;
	return true;
}

/* A text claim; *ret_text is "" when the claim is absent. -EINVAL: no string, too long, control characters. */
static int take_text(const json_t *claims, const char *name, char *ret_text, size_t size)
{
	const json_t *value = json_object_get(claims, name);
	size_t length = json_string_length(value);
	const char *text = json_string_value(value);

	ret_text[0] = '\0';
	if (!value)
		return 0;
	if (!text || length >= size || strlen(text) != length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return -EINVAL;
	}
	memcpy(ret_text, text, length + 1);
	return 0;
}

enum role role_parse(const char *name)
{
	if (strcmp(name, "admin") == 0)
		return ROLE_ADMIN;
	if (strcmp(name, "user") == 0)
		return ROLE_USER;
	return strcmp(name, "reader") == 0 ? ROLE_READER : ROLE_NONE;
}

const char *role_name(enum role role)
{
	static const char *const names[] = {"none", "reader", "user", "admin"};

	return names[role];
}

static int take_claims(const json_t *json, int64_t now_s, struct jwt_claims *claims)
{
	int64_t not_before_s = 0;
	char role[16];

	if (take_text(json, "sub", claims->subject, sizeof(claims->subject)) < 0 || claims->subject[0] == '\0')
		return -EINVAL;
	if (take_text(json, "tenant", claims->tenant, sizeof(claims->tenant)) < 0 ||
	    take_text(json, "jti", claims->id, sizeof(claims->id)) < 0 ||
	    take_text(json, "role", role, sizeof(role)) < 0)
		return -EINVAL;
	if (json_object_get(json, "tenant") && claims->tenant[0] == '\0')
		return -EINVAL;
	claims->role = json_object_get(json, "role") ? role_parse(role) : ROLE_USER;
	if (claims->role == ROLE_NONE)
		return -EINVAL;
	if (!take_date(json, "exp", &claims->expires_at_s))
		return -EINVAL;
	if (json_object_get(json, "nbf") && !take_date(json, "nbf", &not_before_s))
		return -EINVAL;
	return now_s >= claims->expires_at_s || now_s < not_before_s ? -EKEYEXPIRED : 0;
}

int jwt_verify(const struct jwt_key *key, const char *token, size_t length, int64_t now_s,
	       struct jwt_claims *ret_claims)
{
	const char *first_dot, *second_dot, *end = token + length;
	struct jwt_claims claims = {0};
	int r;

	if (length > JWT_TOKEN_BYTES_MAX)
		return -EBADMSG;
	first_dot = memchr(token, '.', length);
	second_dot = first_dot ? memchr(first_dot + 1, '.', (size_t)(end - first_dot - 1)) : NULL;
	if (!second_dot || memchr(second_dot + 1, '.', (size_t)(end - second_dot - 1)))
		return -EBADMSG;
	r = check_header(token, (size_t)(first_dot - token));
	if (r < 0)
		return r;
	r = check_signature(key, token, (size_t)(second_dot - token), second_dot + 1, (size_t)(end - second_dot - 1));
	if (r < 0)
		return r;
	json_t *json cleanup(cleanup_json) = decode_object(first_dot + 1, (size_t)(second_dot - first_dot - 1));
	if (!json)
		return -EINVAL;
	r = take_claims(json, now_s, &claims);
	if (r == 0 || r == -EKEYEXPIRED)
		*ret_claims = claims;
	return r;
}

static void put_claims(struct buf *json, const struct jwt_claims *claims, int64_t issued_at_s)
{
	buf_puts(json, "{\"sub\":");
	json_put_string(json, claims->subject, strlen(claims->subject));
	if (claims->tenant[0] != '\0') {
		buf_puts(json, ",\"tenant\":");
		json_put_string(json, claims->tenant, strlen(claims->tenant));
	}
	if (claims->id[0] != '\0') {
		buf_puts(json, ",\"jti\":");
		json_put_string(json, claims->id, strlen(claims->id));
	}
	buf_printf(json, ",\"role\":\"%s\",\"iat\":%lld,\"exp\":%lld}", role_name(claims->role), (long long)issued_at_s,
		   (long long)claims->expires_at_s);
}

int jwt_create(const struct jwt_key *key, const struct jwt_claims *claims, int64_t issued_at_s, struct buf *ret_token)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	autobuf struct buf json = BUF_INIT(JSON_BYTES_MAX), token = BUF_INIT(JWT_TOKEN_BYTES_MAX);
	uint8_t mac[MAC_SIZE];
	int r;

	if (claims->subject[0] == '\0' || claims->role == ROLE_NONE)
		return -EINVAL;
	put_claims(&json, claims, issued_at_s);
	if (buf_error(&json) < 0)
		return buf_error(&json);
	base64url_encode(&token, header, strlen(header));
	buf_putc(&token, '.');
	base64url_encode(&token, json.data, json.length);
	r = jwt_key_sign(key, token.data, token.length, mac);
	if (r < 0)
		return r;
	buf_putc(&token, '.');
	base64url_encode(&token, mac, sizeof(mac));
	r = buf_error(&token);
	return r < 0 ? r : buf_append(ret_token, token.data, token.length);
}

const char *jwt_reason(int error)
{
	switch (error) {
	case -EKEYREJECTED:
		return "the signature does not match";
	case -EKEYEXPIRED:
		return "the token has expired";
	case -EINVAL:
		return "a claim is missing or malformed";
	default:
		return "not a token signed with HS256";
	}
}
