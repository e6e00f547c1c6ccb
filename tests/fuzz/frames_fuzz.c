/*
 * libFuzzer: extractd's reader of what workers answer. The first byte says in pieces of what size the rest arrives.
 *
 * Beyond not crashing: what is kept is always fit for PostgreSQL, and does not depend on how the bytes were cut.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "extractd/attempt.h"
#include "shared/base/json_check.h"
#include "shared/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct extraction_bounds bounds = {.text_bytes = 2000, .data_bytes = 2000, .pages = 8};

static int feed(struct attempt *attempt, const uint8_t *bytes, size_t length, size_t piece)
{
	int r = 0;

	extraction_init(&attempt->found, &bounds);
	while (length > 0 && r == 0) {
		size_t step = length < piece ? length : piece;
		uint8_t *copy = malloc(step); /* its own, so that reading beyond it is seen */

		if (!copy)
			abort();
		memcpy(copy, bytes, step);
		r = attempt_take(attempt, copy, step);
		free(copy);
		bytes += step;
		length -= step;
	}
	return r;
}

static void check_json(const struct buf *inside, const char *brackets)
{
	struct buf json = BUF_INIT(8000 + EXTRACTION_WARNINGS_MAX * 8000);
	enum json_kind kind;

	buf_putc(&json, brackets[0]);
	buf_append(&json, inside->data, inside->length);
	buf_putc(&json, brackets[1]);
	if (buf_error(&json) == 0 && json_check(json.data, json.length, FRAME_JSON_DEPTH + 1, &kind) < 0)
		abort();
	buf_release(&json);
}

static void check(const struct extraction *found)
{
	if (!utf8_is_valid(found->text.data, found->text.length) || memchr(found->text.data, '\0', found->text.length))
		abort();
	for (uint32_t i = 0; i < found->page_count; i++)
		if (found->pages[i] > found->text.length || (i > 0 && found->pages[i] < found->pages[i - 1]))
			abort();
	check_json(&found->metadata, "{}");
	check_json(&found->data, "{}");
	if (found->warnings.length < 8000)
		check_json(&found->warnings, "[]");
	if (found->confidence > FRAME_CONFIDENCE_MAX)
		abort();
}

static void release(struct attempt *attempt)
{
	extraction_release(&attempt->found);
	free(attempt->unread);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct attempt whole = {.socket = -1, .pidfd = -1}, pieces = {.socket = -1, .pidfd = -1};
	int one, other;

	if (length < 1)
		return 0;
	one = feed(&whole, bytes + 1, length - 1, length);
	other = feed(&pieces, bytes + 1, length - 1, (size_t)bytes[0] % 61 + 1);
	check(&whole.found);
	check(&pieces.found);
	/* Cut in pieces it may end before what stands behind DONE has come. */
	if (one >= 0 && one != other)
		abort();
	if (whole.found.text.length != pieces.found.text.length)
		abort();
	release(&whole);
	release(&pieces);
	return 0;
}
