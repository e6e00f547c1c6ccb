/* SHA-256 as the bytes pass, hex, XXH3, file ids. A digest belongs to one thread at a time. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 65, FILE_ID_SIZE = 26 /* fs_ + 22 + NUL */ };

struct digest;

/* NULL on no memory. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);
void digest_reset(struct digest *digest);
void digest_update(struct digest *digest, const void *bytes, size_t length);
/* The digest of what passed so far; the state goes on, so that an append need not read the content again. */
int digest_peek(const struct digest *digest, uint8_t ret_sha256[DIGEST_SIZE]);
/* A copy of the state, NULL on no memory. */
struct digest *digest_clone(const struct digest *digest);
int digest_bytes(const void *bytes, size_t length, uint8_t ret_sha256[DIGEST_SIZE]);
/* Reads size_bytes from fd at offset 0 with pread. Negative errno; -ENODATA: the file ends before. */
int digest_fd(int fd, uint64_t size_bytes, uint8_t ret_sha256[DIGEST_SIZE]);

void hex_encode(const void *bytes, size_t length, char *ret_hex); /* 2 * length + 1 */
int hex_decode(const char *hex, size_t hex_length, void *ret_bytes,
	       size_t size); /* -EINVAL: not exactly size bytes of hex */

uint64_t checksum_xxh3(const void *bytes, size_t length);

/* fs_ and 22 base-62 characters from getrandom(2): 131 bits. */
int file_id_make(char ret_id[FILE_ID_SIZE]);
int file_id_is_valid(const char *id, size_t length);
