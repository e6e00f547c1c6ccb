/*
 * extract-worker with extractors that attack: built from the worker's own objects and this table instead of the real
 * one. A file whose first line is `attack NAME [ARGUMENT]` is read by the attack of that name; any other is passed
 * through as text.
 *
 * An attack that only tries something says as text what came of it: "refused: ERRNO" or "SUCCEEDED". The others never
 * get to say anything.
 */
#include "tests/sandbox/hostile.h"
#include "extractd/worker/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct attack *const attack_tables[] = {attacks_on_system, attacks_on_daemon};

/* The first line, cut into the name and the argument. */
static bool read_order(struct extract_input *in, struct order *ret_order)
{
	long got = input_read(in, ret_order->line, sizeof(ret_order->line) - 1, 0);
	char *end, *space;

	if (got < 8 || memcmp(ret_order->line, "attack ", 7) != 0)
		return false;
	ret_order->line[got] = '\0';
	end = strchr(ret_order->line, '\n');
	if (end)
		*end = '\0';
	ret_order->name = ret_order->line + 7;
	space = strchr(ret_order->line + 7, ' ');
	if (space)
		*space = '\0';
	ret_order->argument = space ? space + 1 : "";
	return true;
}

void tell(struct sink *sink, long result)
{
	if (result < 0)
		sink_printf(sink, "refused: %s\n", strerrorname_np(errno));
	else
		sink_puts(sink, "SUCCEEDED\n");
}

static int attack(struct extract_input *in, struct sink *sink)
{
	struct order order;

	if (!read_order(in, &order))
		return -EBADMSG;
	for (size_t table = 0; table < sizeof(attack_tables) / sizeof(*attack_tables); table++)
		for (const struct attack *each = attack_tables[table]; each->name; each++)
			if (strcmp(each->name, order.name) == 0)
				return each->run(in, sink, order.argument);
	return sink_error(sink, "no such attack: %s", order.name);
}

static int copy(struct extract_input *in, struct sink *sink)
{
	const uint8_t *bytes = input_bytes(in);

	return bytes ? sink_text(sink, (const char *)bytes, in->size_bytes) : -ENOMEM;
}

static const char *const attack_types[] = {"application/x-attack", NULL};
static const char *const text_types[] = {"text/", NULL};
static const struct extractor extractor_attack = {
	.name = "attack", .version = 7, .media_types = attack_types, .extract = attack};
static const struct extractor extractor_text = {
	.name = "text", .version = 1, .media_types = text_types, .extract = copy};
const bool extractors_are_all = true;
const struct extractor *const extractors[] = {&extractor_attack, &extractor_text, NULL};

/* --- what formats/ does in the real one --- */

int detect_preload(void)
{
	return 0;
}

int detect_media_type(struct extract_input *in, char ret_media_type[EXTRACT_MEDIA_TYPE_SIZE])
{
	struct order order;

	snprintf(ret_media_type, EXTRACT_MEDIA_TYPE_SIZE, "%s",
		 read_order(in, &order) ? "application/x-attack" : "text/plain");
	return 0;
}

int entities_find(const char *text, size_t length, unsigned max, struct buf *ret_json)
{
	(void)text, (void)length, (void)max;
	return buf_puts(ret_json, "[]");
}

int language_preload(void)
{
	return 0;
}

int language_find(const char *text, size_t length, char ret_language[LANGUAGE_SIZE])
{
	(void)text, (void)length, (void)ret_language;
	return -ENOENT;
}
