/* libFuzzer: the multipart reader on any bytes, whole and in pieces, which must read the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/multipart.h"
#include "shared/base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct told {
	uint64_t parts, bytes, sum;
};

static int begin(void *context, const struct multipart_part *part)
{
	struct told *told = context;

	told->parts++;
	told->sum = told->sum * 31 + checksum_xxh3(part->file_name, strlen(part->file_name)) + strlen(part->name);
	return 0;
}

static int data(void *context, const void *bytes, size_t length)
{
	struct told *told = context;
	const uint8_t *at = bytes;

	told->bytes += length;
	for (size_t i = 0; i < length; i++)
		told->sum = told->sum * 31 + at[i];
	return 0;
}

static int end(void *context)
{
	struct told *told = context;

	told->sum = told->sum * 31 + told->parts;
	return 0;
}

static int read_in_steps(const uint8_t *bytes, size_t length, size_t step, struct told *told)
{
	static const struct multipart_events events = {begin, data, end};
	struct multipart *multipart;
	int r = 0;

	if (multipart_new("b", &events, told, &multipart) < 0)
		abort();
	for (size_t at = 0; at < length && r == 0; at += step)
		r = multipart_feed(multipart, bytes + at, length - at < step ? length - at : step);
	if (r == 0)
		r = multipart_finish(multipart);
	multipart_free(multipart);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct told whole = {0}, pieces = {0};
	int r = read_in_steps(bytes, length, length ? length : 1, &whole);

	if (read_in_steps(bytes, length, 1 + length % 7, &pieces) != r)
		abort();
	if (r == 0 && memcmp(&whole, &pieces, sizeof(whole)) != 0)
		abort();
	return 0;
}
