#include "shared/base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <xxhash.h>
#include "shared/base/cleanup.h"

enum { READ_BYTES = 256 * 1024 };

struct digest {
	EVP_MD_CTX *state;
	bool is_broken; /* OpenSSL refused something; a peek must never answer a wrong digest */
};

/* Looked up once: each lookup by name costs more than hashing a small file. */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static const EVP_MD *sha256;

static void sha256_find(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		sha256 = EVP_sha256();
}

static struct digest *allocate(void)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return NULL;
	digest->state = EVP_MD_CTX_new();
	if (!digest->state) {
		free(digest);
		return NULL;
	}
	return digest;
}

struct digest *digest_new(void)
{
	struct digest *digest = allocate();

	if (digest)
		digest_reset(digest);
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->state);
	free(digest);
}

void digest_reset(struct digest *digest)
{
	pthread_once(&sha256_once, sha256_find);
	digest->is_broken = EVP_DigestInit_ex(digest->state, sha256, NULL) != 1;
}

void digest_update(struct digest *digest, const void *bytes, size_t length)
{
	if (EVP_DigestUpdate(digest->state, bytes, length) != 1)
		digest->is_broken = true;
}

struct digest *digest_clone(const struct digest *digest)
{
	struct digest *copy = allocate();

	if (!copy)
		return NULL;
	if (EVP_MD_CTX_copy_ex(copy->state, digest->state) != 1) {
		digest_free(copy);
		return NULL;
	}
	copy->is_broken = digest->is_broken;
	return copy;
}

int digest_peek(const struct digest *digest, uint8_t ret_sha256[DIGEST_SIZE])
{
	struct digest *copy;
	unsigned size = 0;
	uint8_t sum[EVP_MAX_MD_SIZE];
	int r = 0;

	if (digest->is_broken)
		return -EIO;
	copy = digest_clone(digest);
	if (!copy)
		return -ENOMEM;
	if (EVP_DigestFinal_ex(copy->state, sum, &size) != 1 || size != DIGEST_SIZE)
		r = -EIO;
	else
		memcpy(ret_sha256, sum, DIGEST_SIZE);
	digest_free(copy);
	return r;
}

int digest_bytes(const void *bytes, size_t length, uint8_t ret_sha256[DIGEST_SIZE])
{
	unsigned size = 0;

	pthread_once(&sha256_once, sha256_find);
	return EVP_Digest(bytes, length, ret_sha256, &size, sha256, NULL) == 1 ? 0 : -EIO;
}

/* 1 with all of it read, 0 at an early end. */
static int read_into(struct digest *digest, int fd, uint64_t size_bytes, uint8_t *room)
{
	for (uint64_t at = 0; at < size_bytes;) {
		size_t wanted = size_bytes - at < READ_BYTES ? (size_t)(size_bytes - at) : READ_BYTES;
		ssize_t got = pread(fd, room, wanted, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		digest_update(digest, room, (size_t)got);
		at += (uint64_t)got;
	}
	return 1;
}

int digest_fd(int fd, uint64_t size_bytes, uint8_t ret_sha256[DIGEST_SIZE])
{
	autofree uint8_t *room = malloc(READ_BYTES);
	struct digest *digest = digest_new();
	int r = -ENOMEM;

	if (room && digest)
		r = read_into(digest, fd, size_bytes, room);
	if (r == 0)
		r = -ENODATA;
	else if (r > 0)
		r = digest_peek(digest, ret_sha256);
	digest_free(digest);
	return r;
}

void hex_encode(const void *bytes, size_t length, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	for (size_t i = 0; i < length; i++) {
		*ret_hex++ = digits[from[i] >> 4];
		*ret_hex++ = digits[from[i] & 15];
	}
	*ret_hex = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *hex, size_t hex_length, void *ret_bytes, size_t size)
{
	uint8_t *to = ret_bytes;

	if (hex_length % 2 != 0 || hex_length / 2 != size)
		return -EINVAL;
	for (size_t i = 0; i < hex_length; i++) {
		if (hex_value(hex[i]) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
	return 0;
}

uint64_t checksum_xxh3(const void *bytes, size_t length)
{
	return XXH3_64bits(bytes, length);
}

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int file_id_make(char ret_id[FILE_ID_SIZE])
{
	char id[FILE_ID_SIZE] = "fs_";
	size_t at = 3;

	while (at < FILE_ID_SIZE - 1) {
		uint8_t random[32];
		ssize_t got = getrandom(random, sizeof(random), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		/* 248 = 4 * 62: what is above would favour the first letters. */
		for (ssize_t i = 0; i < got && at < FILE_ID_SIZE - 1; i++) {
			if (random[i] < 248)
				id[at++] = base62[random[i] % 62];
		}
	}
	memcpy(ret_id, id, FILE_ID_SIZE);
	return 0;
}

int file_id_is_valid(const char *id, size_t length)
{
	if (length != FILE_ID_SIZE - 1 || memcmp(id, "fs_", 3) != 0)
		return 0;
	for (size_t i = 3; i < length; i++) {
		if (id[i] == '\0' || !strchr(base62, id[i]))
			return 0;
	}
	return 1;
}
