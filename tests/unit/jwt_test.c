/* Tokens: shared/model/jwt.c. What is signed elsewhere was made with openssl dgst -sha256 -hmac. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/buf.h"
#include "shared/model/jwt.h"

#define SECRET "a-secret-of-thirty-two-bytes-000"
enum { NOW_S = 1000000 };

static struct jwt_key *key;

static int start(void **state)
{
	(void)state;
	return jwt_key_new(SECRET, strlen(SECRET), &key);
}

static int stop(void **state)
{
	(void)state;
	jwt_key_free(key);
	return 0;
}

static const struct jwt_claims ann = {
	.subject = "ann", .tenant = "acme", .id = "7", .role = ROLE_READER, .expires_at_s = NOW_S + 60};

/* The token of these claims, which the caller may change in place. */
static void make(const struct jwt_claims *claims, char ret_token[1024])
{
	autobuf struct buf token = BUF_INIT(1024);

	assert_int_equal(jwt_create(key, claims, NOW_S, &token), 0);
	assert_true(token.length < 1024);
	memcpy(ret_token, token.data, token.length + 1);
}

static int verify(const char *token, struct jwt_claims *claims)
{
	return jwt_verify(key, token, strlen(token), NOW_S, claims);
}

static void a_token_carries_its_claims(void **state)
{
	struct jwt_claims claims;
	char token[1024];

	(void)state;
	make(&ann, token);
	assert_int_equal(verify(token, &claims), 0);
	assert_string_equal(claims.subject, "ann");
	assert_string_equal(claims.tenant, "acme");
	assert_string_equal(claims.id, "7");
	assert_int_equal(claims.role, ROLE_READER);
	assert_int_equal(claims.expires_at_s, NOW_S + 60);
}

static void names_with_quotes_and_umlauts_come_back(void **state)
{
	struct jwt_claims odd = ann, claims;
	char token[1024];

	(void)state;
	snprintf(odd.subject, sizeof(odd.subject), "%s", "A\"n\\n ä 日");
	make(&odd, token);
	assert_int_equal(verify(token, &claims), 0);
	assert_string_equal(claims.subject, odd.subject);
}

static void every_changed_character_is_noticed(void **state)
{
	struct jwt_claims claims;
	char token[1024];

	(void)state;
	make(&ann, token);
	for (size_t i = 0; token[i] != '\0'; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_true(verify(token, &claims) < 0);
		token[i] = was;
	}
	assert_int_equal(verify(token, &claims), 0);
}

static void another_key_and_an_expired_one_are_refused(void **state)
{
	struct jwt_claims claims = {0};
	struct jwt_key *other;
	char token[1024];

	(void)state;
	make(&ann, token);
	assert_int_equal(jwt_key_new("another-secret-of-32-bytes-00000", 32, &other), 0);
	assert_int_equal(jwt_verify(other, token, strlen(token), NOW_S, &claims), -EKEYREJECTED);
	jwt_key_free(other);
	assert_int_equal(jwt_verify(key, token, strlen(token), NOW_S + 59, &claims), 0);
	memset(&claims, 0, sizeof(claims));
	assert_int_equal(jwt_verify(key, token, strlen(token), NOW_S + 60, &claims), -EKEYEXPIRED);
	assert_string_equal(claims.subject, "ann");
	assert_int_equal(jwt_key_new(SECRET, 31, &other), -EINVAL);
}

static void what_is_no_token_is_refused(void **state)
{
	static const char *const tokens[] = {
		"",
		".",
		"..",
		"...",
		"a.b",
		"a.b.c",
		"e30.e30.e30",
		"=.=.=",
		/* alg none, unsigned */
		"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.",
		/* alg RS256 */
		"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.AAAA",
	};
	struct jwt_claims claims;

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		assert_int_equal(verify(tokens[i], &claims), -EBADMSG);
}

static void a_token_needs_a_subject_and_a_role(void **state)
{
	autobuf struct buf token = BUF_INIT(1024);
	struct jwt_claims claims = ann;

	(void)state;
	claims.subject[0] = '\0';
	assert_int_equal(jwt_create(key, &claims, NOW_S, &token), -EINVAL);
	claims = ann;
	claims.role = ROLE_NONE;
	assert_int_equal(jwt_create(key, &claims, NOW_S, &token), -EINVAL);
	assert_int_equal(token.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_carries_its_claims),
		cmocka_unit_test(names_with_quotes_and_umlauts_come_back),
		cmocka_unit_test(every_changed_character_is_noticed),
		cmocka_unit_test(another_key_and_an_expired_one_are_refused),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_token_needs_a_subject_and_a_role),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
