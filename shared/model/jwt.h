/*
 * JSON Web Tokens, HS256 exactly (RFC 7519 and the advice of RFC 8725). One algorithm, one key: what a token says about
 * itself never chooses how it is checked.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "shared/base/buf.h"

enum { JWT_KEY_BYTES_MIN = 32, JWT_TOKEN_BYTES_MAX = 8192, JWT_SUBJECT_SIZE = 256, JWT_TENANT_SIZE = 64 };

enum role { ROLE_NONE, ROLE_READER, ROLE_USER, ROLE_ADMIN }; /* in order: each may do what those before it may */

struct jwt_claims {
	char subject[JWT_SUBJECT_SIZE]; /* never empty */
	char tenant[JWT_TENANT_SIZE];	/* a code, "*" for all, "" when the token names none */
	char id[64];			/* jti, "" when it has none */
	enum role role;			/* ROLE_USER when the token names none */
	int64_t expires_at_s;		/* since 1970 */
};

struct jwt_key; /* thread-safe once made */
/* -EINVAL: fewer than JWT_KEY_BYTES_MIN. */
int jwt_key_new(const void *secret, size_t length, struct jwt_key **ret_key);
void jwt_key_free(struct jwt_key *key);

/*
 * -EBADMSG: no token of this kind (form, algorithm, encoding).  -EKEYREJECTED: the signature is not ours.
 * -EKEYEXPIRED: exp is past, or nbf to come.  -EINVAL: signed by us, but a claim is missing or malformed.
 * ret_claims is written on success, and with -EKEYEXPIRED, for a message.
 */
int jwt_verify(const struct jwt_key *key, const char *token, size_t length, int64_t now_s,
	       struct jwt_claims *ret_claims);
/* A token with these claims, appended; iat is issued_at_s. -EINVAL: no subject, or a role of ROLE_NONE. */
int jwt_create(const struct jwt_key *key, const struct jwt_claims *claims, int64_t issued_at_s, struct buf *ret_token);
const char *jwt_reason(int error); /* in words, for WWW-Authenticate and the log */

/* "admin", "user", "reader"; ROLE_NONE for anything else. */
enum role role_parse(const char *name);
const char *role_name(enum role role);

/* HMAC-SHA256 with the key, for tokens and signed URLs. */
int jwt_key_sign(const struct jwt_key *key, const void *bytes, size_t length, uint8_t ret_mac[32]);
