/* Many records, and finding the one that cannot be applied. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shared/meta/apply.h"

bool apply_is_refused(int error)
{
	return error < 0 && error != -EAGAIN && error != -EINPROGRESS && error != -ESTALE && error != -ENOMEM;
}

static int apply_once(struct db *db, const struct apply_target *target, const struct apply_record *records, int count)
{
	cleanup(apply_removed_release) struct apply_removed removed = {0};
	cleanup(apply_equal_release) struct apply_equal equal = {0};
	int r = apply_batch(db, target->tenant_id, target->epoch, target->journal_epoch, records, count,
			    target->extractor_version, &removed, &equal);

	if (r == 0)
		target->done(target->context, &records[count - 1], count, &removed, &equal);
	return r;
}

/* How many of the records were applied before: an ambiguous commit took place, and more was appended since. */
static int count_applied(struct db *db, const struct apply_target *target, const struct apply_record *records,
			 int count)
{
	int64_t journal_epoch;
	uint64_t position;
	int applied = 0, r = apply_position(db, target->tenant_id, &journal_epoch, &position);

	if (r < 0)
		return r;
	while (journal_epoch == target->journal_epoch && applied < count && records[applied].position <= position)
		applied++;
	/* The fence said that some were. */
	return applied > 0 ? applied : -EPROTO;
}

int apply_records(struct db *db, const struct apply_target *target, const struct apply_record *records, int count)
{
	int batch = count, first = 0;

	/* After a refusal the batch is halved, and stays so small until the record is found or all is done. */
	while (first < count) {
		int size = batch < count - first ? batch : count - first;
		int r = apply_once(db, target, records + first, size);

		if (r == -EALREADY) {
			/* Those again, as a batch that the fence knows: what is to be removed after them is told so. */
			size = count_applied(db, target, records + first, size);
			r = size < 0 ? size : apply_once(db, target, records + first, size);
		}
		if (r == 0) {
			first += size;
			continue;
		}
		if (!apply_is_refused(r) || size <= 1)
			return r;
		batch = size / 2;
	}
	return 0;
}

void apply_describe(const struct apply_record *record, char ret_text[128])
{
	static const char *const names[CHANGE_KIND_COUNT] = {
		[CHANGE_NODE_PUT] = "node",
		[CHANGE_NODE_DELETE] = "node-delete",
		[CHANGE_ENTRY_PUT] = "entry",
		[CHANGE_ENTRY_DELETE] = "entry-delete",
		[CHANGE_OBJECT_PUT] = "object",
		[CHANGE_OBJECT_DELETE] = "object-delete",
		[CHANGE_ATTRIBUTE_PUT] = "attribute",
		[CHANGE_ATTRIBUTE_DELETE] = "attribute-delete",
		[CHANGE_REJECTION] = "rejection",
		[CHANGE_USAGE] = "usage",
		[CHANGE_EXTRACT] = "extract",
		[CHANGE_EVENT] = "event",
		[CHANGE_SPOOL] = "spool",
	};
	struct change change;
	size_t cursor = 0, length = 0;
	int r;

	ret_text[0] = '\0';
	while ((r = record_next(record->bytes, record->length, &cursor, &change)) == 1 && length < 100)
		length += (size_t)snprintf(ret_text + length, 128 - length, "%s%s", length > 0 ? "+" : "",
					   names[change.kind]);
	if (r < 0)
		snprintf(ret_text + length, 128 - length, "%sunreadable", length > 0 ? "+" : "");
}
