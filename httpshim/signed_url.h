/*
 * Links that open one file for a while without a token: expires and signature in the query. What is signed names its purpose,
 * so that no signature can be used as, or made from, a token's.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_SIZE = 44 /* 43 of base64url and the NUL */ };

struct jwt_key;
int signed_url_make(const struct jwt_key *key, const char *tenant_code, const char *file_id, int64_t expires_at_s,
		    char ret_signature[SIGNATURE_SIZE]);
/* 0; -EKEYREJECTED: not ours, or for another file; -EKEYEXPIRED. */
int signed_url_check(const struct jwt_key *key, const char *tenant_code, const char *file_id, int64_t expires_at_s,
		     const char *signature, int64_t now_s);
