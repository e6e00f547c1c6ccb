/* Rows of the outbox: what happened, for the stream of events. */
#include <string.h>
#include "fusefs/open_file.h"
#include "shared/base/digest.h"
#include "shared/base/text.h"

static void put_text(struct buf *json, const char *key, const char *bytes, size_t length)
{
	json_put_key(json, key);
	json_put_string(json, bytes, length);
}

static void put_number(struct buf *json, const char *key, int64_t value)
{
	json_put_key(json, key);
	buf_printf(json, "%lld", (long long)value);
}

static void put_event(struct edit *edit, const char *kind)
{
	struct buf *json = &edit->tenant->json;
	struct change change = {.kind = CHANGE_EVENT};

	if (edit->error == 0)
		edit->error = buf_error(json);
	change.event.kind = (struct bytes){kind, strlen(kind)};
	change.event.payload = (struct bytes){json->data, json->length};
	edit_change(edit, &change);
}

void edit_event_file(struct edit *edit, const char *kind, const struct file *file, const struct file_values *values,
		     const char *name, size_t name_length, int64_t size)
{
	struct buf *json = &edit->tenant->json;
	char id[FILE_ID_SIZE], hex[DIGEST_HEX_SIZE];

	file_id_text(file, id);
	buf_reset(json);
	buf_putc(json, '{');
	put_text(json, "file_id", id, strlen(id));
	put_text(json, "tenant", edit->tenant->code, strlen(edit->tenant->code));
	put_text(json, "name", name, name_length);
	put_number(json, "size", size);
	if (values->object_id != 0) {
		hex_encode(values->sha256, DIGEST_SIZE, hex);
		put_text(json, "sha256", hex, DIGEST_HEX_SIZE - 1);
	}
	if (values->media_type)
		put_text(json, "media_type", values->media_type, strlen(values->media_type));
	put_number(json, "uid", file->inode.attributes.uid);
	buf_putc(json, '}');
	put_event(edit, kind);
}

static void put_rejected(struct edit *edit, const struct refused *refused)
{
	struct buf *json = &edit->tenant->json;

	buf_reset(json);
	buf_putc(json, '{');
	if (refused->file_id[0])
		put_text(json, "file_id", refused->file_id, strlen(refused->file_id));
	put_text(json, "tenant", edit->tenant->code, strlen(edit->tenant->code));
	put_text(json, "name", refused->name, refused->name_length);
	put_text(json, "rule", refused->rule, strlen(refused->rule));
	put_text(json, "reason", refused->reason, strlen(refused->reason));
	put_number(json, "uid", refused->uid);
	buf_putc(json, '}');
	put_event(edit, "file.rejected");
}

void edit_refusal(struct edit *edit, const struct refused *refused)
{
	struct change change = {.kind = CHANGE_REJECTION};

	memcpy(change.rejection.file_id, refused->file_id, strlen(refused->file_id) + 1);
	change.rejection.name = (struct bytes){refused->name, refused->name_length};
	change.rejection.rule = (struct bytes){refused->rule, strlen(refused->rule)};
	change.rejection.reason = (struct bytes){refused->reason, strlen(refused->reason)};
	change.rejection.uid = refused->uid;
	change.rejection.rejected_at_ns = edit->now_ns;
	edit_change(edit, &change);
	put_rejected(edit, refused);
}
