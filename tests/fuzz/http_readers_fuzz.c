/* libFuzzer: what reads paths, queries, ranges, dates and header values. The first byte chooses which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "httpshim/header_value.h"
#include "httpshim/multipart.h"
#include "httpshim/query.h"
#include "httpshim/range.h"
#include "shared/base/buf.h"
#include "shared/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void try_query(const char *text, size_t length)
{
	struct query query;
	char segment[64];

	if (query_decode_segment(text, length, segment, sizeof(segment)) == 0 &&
	    (strchr(segment, '/') || !utf8_is_valid(segment, strlen(segment))))
		abort();
	if (query_parse(text, length, &query) < 0)
		return;
	for (int i = 0; i < query.count; i++) {
		if (strlen(query.pairs[i].value) != query.pairs[i].value_length)
			abort();
	}
	query_release(&query);
}

static void try_range(const char *text)
{
	struct conditions conditions = {.if_range = text, .if_none_match = text, .if_modified_since = text};
	int64_t seconds;
	struct range range;

	range_parse(text, 1000, &range);
	if (range.kind == RANGE_PART && (range.length == 0 || range.first + range.length > 1000))
		abort();
	conditions_check(&conditions, "\"a\"", 0);
	conditions_allow_range(&conditions, "\"a\"", 0);
	http_date_parse(text, &seconds);
}

static void try_header(const char *text, size_t length)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1], decoded[64];
	struct header_parameter parameter;
	const char *cursor = text;

	while (header_parameter_next(&cursor, &parameter) == 1)
		;
	multipart_boundary(text, boundary);
	header_extended_decode(text, decoded, sizeof(decoded));
	header_accepts(text, "application/problem+json");
	autobuf struct buf buf = BUF_INIT(1 << 16);
	if (header_put_disposition(&buf, false, text, length) == 0 && strpbrk(buf.data, "\r\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *text;

	if (length == 0)
		return 0;
	text = malloc(length);
	if (!text)
		return 0;
	memcpy(text, bytes + 1, length - 1);
	text[length - 1] = '\0';
	switch (bytes[0] % 3) {
	case 0:
		try_query(text, length - 1);
		break;
	case 1:
		try_range(text);
		break;
	default:
		try_header(text, strlen(text));
		break;
	}
	free(text);
	return 0;
}
