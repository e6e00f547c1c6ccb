#include "httpshim/page_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/request.h"
#include "shared/base/digest.h"

static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'";

struct loaded {
	struct shared_bytes *bytes;
	char etag[40];
};
static struct loaded *loaded;

int page_files_init(void)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];
	size_t count = 0;

	while (page_files[count].name)
		count++;
	loaded = calloc(count + 1, sizeof(*loaded));
	if (!loaded)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t length = (size_t)(page_files[i].end - page_files[i].begin);

		loaded[i].bytes = shared_bytes_static(page_files[i].begin, length);
		if (!loaded[i].bytes || digest_bytes(page_files[i].begin, length, digest) < 0)
			return -ENOMEM;
		hex_encode(digest, sizeof(digest), hex);
		snprintf(loaded[i].etag, sizeof(loaded[i].etag), "\"%.32s\"", hex);
	}
	return 0;
}

void page_files_release(void)
{
	for (size_t i = 0; loaded && page_files[i].name; i++)
		shared_bytes_unref(loaded[i].bytes);
	free(loaded);
	loaded = NULL;
}

int page_files_answer(struct request *request, const char *name)
{
	const char *known = request_header(request, HEADER_IF_NONE_MATCH);
	size_t i = 0;

	while (page_files[i].name && strcmp(page_files[i].name, name) != 0)
		i++;
	if (!page_files[i].name)
		return -ENOENT;
	if (known && etag_list_has(known, loaded[i].etag, true))
		answer_empty(request, 304);
	else
		answer_shared(request, 200, page_files[i].media_type, loaded[i].bytes);
	answer_header(request, "ETag", loaded[i].etag);
	answer_header(request, "Cache-Control", "no-cache");
	answer_header(request, "Content-Security-Policy", policy);
	answer_header(request, "Referrer-Policy", "no-referrer");
	answer_header(request, "Cross-Origin-Opener-Policy", "same-origin");
	return 0;
}
