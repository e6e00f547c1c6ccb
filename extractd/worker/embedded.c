/* Files within files: the same table, the same budget, one object for the containing extractor's data. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "extractd/worker/input.h"
#include "extractd/worker/run.h"
#include "shared/base/text.h"

static void put_text_member(struct buf *json, const char *key, const char *value, size_t length)
{
	if (length == 0)
		return;
	json_put_key(json, key);
	json_put_string(json, value, length);
}

static void put_members(struct buf *json, const char *key, const struct buf *members, const char *brackets)
{
	if (members->length == 0)
		return;
	json_put_key(json, key);
	buf_putc(json, brackets[0]);
	buf_append(json, members->data, members->length);
	buf_putc(json, brackets[1]);
}

static void put_found(struct buf *json, const struct extract_input *in, const struct extractor *extractor,
		      const struct sink *inner, uint64_t text_offset)
{
	uint64_t text_bytes = sink_text_offset(inner) - text_offset;

	put_text_member(json, "media_type", in->media_type, strlen(in->media_type));
	if (extractor)
		put_text_member(json, "extractor", extractor->name, strlen(extractor->name));
	if (text_bytes > 0) {
		json_put_key(json, "text_offset");
		buf_printf(json, "%llu", (unsigned long long)text_offset);
		json_put_key(json, "text_bytes");
		buf_printf(json, "%llu", (unsigned long long)text_bytes);
	}
	put_members(json, "metadata", &inner->metadata, "{}");
	put_members(json, "data", &inner->data, "{}");
	put_members(json, "warnings", &inner->warnings, "[]");
	put_text_member(json, "error", inner->terminal.data, inner->terminal.length);
}

static int look_inside(struct extract_input *in, struct sink *inner, const struct extractor **ret_extractor)
{
	const struct extractor *extractor = extractor_find(in->media_type);
	int r;

	if (!extractor)
		return 0;
	*ret_extractor = extractor;
	r = extractor_run(extractor, in, inner);
	if (r == 1)
		*ret_extractor = NULL;
	return r < 0 ? r : 0;
}

static bool may_enter(const struct extract_input *container, struct sink *sink)
{
	struct limits *left = &sink->budget->limits;

	if (container->depth >= left->depth) {
		sink_warning(sink, "files nested deeper than %u levels are listed, not read", left->depth);
		return false;
	}
	if (left->entries == 0) {
		sink_warning(sink, "only %u of the files inside were read", container->limits->entries);
		return false;
	}
	left->entries--;
	return true;
}

static int extract_inner(struct extract_input *container, struct sink *sink, const char *path, const void *bytes,
			 size_t length, struct buf *json)
{
	char media_type[EXTRACT_MEDIA_TYPE_SIZE] = "application/octet-stream";
	const struct extractor *extractor = NULL;
	struct extract_input in = {.name = path,
				   .media_type = media_type,
				   .size_bytes = length,
				   .limits = container->limits,
				   .is_ocr = container->is_ocr,
				   .depth = container->depth + 1,
				   .fd = -1,
				   .memory = length > 0 ? bytes : path};
	uint64_t text_offset = sink_text_offset(sink);
	struct sink inner;
	int r;

	sink_init(&inner, sink->budget, sink, NULL);
	r = detect_media_type(&in, media_type);
	if (r == 0)
		r = look_inside(&in, &inner, &extractor);
	put_found(json, &in, extractor, &inner, text_offset);
	sink_release(&inner);
	return r;
}

int extract_embedded(struct extract_input *container, struct sink *sink, const char *path, const void *bytes,
		     size_t length, struct buf *ret_json)
{
	int r = 1;

	if (sink_should_stop(sink))
		return -ETIME;
	buf_putc(ret_json, '{');
	put_text_member(ret_json, "path", path, strlen(path));
	json_put_key(ret_json, "size");
	buf_printf(ret_json, "%zu", length);
	if (may_enter(container, sink))
		r = extract_inner(container, sink, path, bytes, length, ret_json);
	buf_putc(ret_json, '}');
	return r < 0 && r != -EPIPE && r != -ENOMEM ? 0 : r;
}
