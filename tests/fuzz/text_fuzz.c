/*
 * libFuzzer: what is asked of every text: its media type, its characters, its entities. The first byte chooses the
 * name.
 *
 * Beyond not crashing: entities are JSON and lie within the text; what is converted is UTF-8.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/charset.h"
#include "shared/base/json_check.h"
#include "shared/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const names[] = {"", "x.csv", "x.json", "x.jsonl", "x.xml", "x.html", "x.docx", "x.xls"};

static void try_entities(const char *text, size_t length)
{
	autobuf struct buf json = BUF_INIT(16 << 20);
	enum json_kind kind;

	if (!utf8_is_valid(text, length) || memchr(text, '\0', length))
		return;
	if (entities_find(text, length, 1000, &json) < 0)
		return;
	if (json_check(json.data, json.length, 10, &kind) < 0)
		abort();
}

static void try_conversion(struct extract_input *in, const struct charset *charset)
{
	struct charset_stream *stream = malloc(sizeof(*stream));
	char piece[64];
	ssize_t n;

	if (!stream)
		return;
	charset_stream_init(stream, in, charset);
	while ((n = charset_stream_read(stream, piece, sizeof(piece))) > 0)
		if (!charset->is_utf8 && !utf8_is_valid(piece, (size_t)n))
			abort();
	charset_stream_release(stream);
	free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct limits limits;
	struct extract_input in = {.limits = &limits, .fd = -1};
	char media_type[EXTRACT_MEDIA_TYPE_SIZE];
	struct charset charset;

	if (length < 2)
		return 0;
	in.name = names[bytes[0] % (sizeof(names) / sizeof(names[0]))];
	in.memory = bytes + 1;
	in.size_bytes = length - 1;
	if (detect_media_type(&in, media_type) < 0 || !strchr(media_type, '/'))
		abort();
	if (charset_detect(&in, &charset) == 0)
		try_conversion(&in, &charset);
	try_entities((const char *)bytes + 1, length - 1);
	return 0;
}
