#include "tests/unit/support/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

uint64_t sample_next(struct sample_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint64_t sample_below(struct sample_random *random, uint64_t bound)
{
	return sample_next(random) % bound;
}

void sample_file_id(char ret_id[FILE_ID_SIZE], int64_t number)
{
	struct sample_random random = {(uint64_t)number};

	memcpy(ret_id, "fs_", 3);
	for (int i = 3; i < FILE_ID_SIZE - 1; i++)
		ret_id[i] = base62[sample_below(&random, 62)];
	ret_id[FILE_ID_SIZE - 1] = '\0';
}

static struct bytes text(const char *string)
{
	return (struct bytes){string, strlen(string)};
}

static void put_node(struct buf *record, int64_t inode, char kind, int64_t object_id, int64_t time_ns)
{
	struct change change = {.kind = CHANGE_NODE_PUT};
	struct node_row *node = &change.node;

	node->inode = inode;
	node->kind = kind;
	node->mode = kind == 'd' ? 0770 : 0640;
	node->nlink = 1;
	node->uid = node->gid = 1000;
	node->size_bytes = kind == 'f' ? 10240 : 0;
	node->atime_ns = node->mtime_ns = node->ctime_ns = node->btime_ns = time_ns;
	node->visibility = 'r';
	if (kind == 'f') {
		sample_file_id(node->file_id, inode);
		node->object_id = object_id;
		node->status = 'p';
		node->validation = 'o';
		node->uploaded_at_ns = time_ns;
		node->uploaded_by = text("1000");
	}
	record_put(record, &change);
}

static void put_object(struct buf *record, int64_t object_id, int64_t inode)
{
	struct change change = {.kind = CHANGE_OBJECT_PUT};
	struct sample_random random = {(uint64_t)object_id * 77};

	change.object = (struct object_row){.object_id = object_id, .inode = inode, .size_bytes = 10240};
	change.object.media_type = text("application/pdf");
	change.object.published_at_ns = INT64_C(1795000000000000000);
	snprintf(change.object.path, sizeof(change.object.path), "2026-11/o%" PRId64 ".pdf", object_id);
	for (int i = 0; i < DIGEST_SIZE; i++)
		change.object.sha256[i] = (uint8_t)sample_next(&random);
	record_put(record, &change);
	{
		struct change extract = {.kind = CHANGE_EXTRACT};

		extract.extract.object_id = object_id;
		extract.extract.size_bytes = 10240;
		memcpy(extract.extract.sha256, change.object.sha256, DIGEST_SIZE);
		record_put(record, &extract);
	}
}

static void put_usage(struct buf *record, int64_t files)
{
	struct change change = {.kind = CHANGE_USAGE};

	change.usage.used_bytes = files * 10240;
	change.usage.file_count = files;
	record_put(record, &change);
}

static void put_event(struct buf *record, const char *kind, int64_t inode)
{
	struct change change = {.kind = CHANGE_EVENT};
	char id[FILE_ID_SIZE], payload[128];

	sample_file_id(id, inode);
	snprintf(payload, sizeof(payload), "{\"file_id\": \"%s\", \"size\": 10240}", id);
	change.event.kind = text(kind);
	change.event.payload = text(payload);
	record_put(record, &change);
}

void sample_file(struct buf *record, int64_t inode, int64_t parent_inode, const char *name, int64_t sequence)
{
	struct change entry = {.kind = CHANGE_ENTRY_PUT};
	int64_t now = INT64_C(1795000000000000000) + sequence * 1000;

	put_node(record, inode, 'f', inode, now);
	entry.entry =
		(struct entry_row){.parent_inode = parent_inode, .inode = inode, .kind = 'f', .sequence = sequence};
	entry.entry.name = text(name);
	record_put(record, &entry);
	put_object(record, inode, inode);
	put_node(record, parent_inode, 'd', 0, now);
	put_usage(record, sequence);
	put_event(record, "file.uploaded", inode);
}

void sample_unlink(struct buf *record, int64_t inode, int64_t parent_inode, const char *name)
{
	struct change change = {.kind = CHANGE_ENTRY_DELETE};

	change.entry.parent_inode = parent_inode;
	change.entry.name = text(name);
	record_put(record, &change);
	change = (struct change){.kind = CHANGE_NODE_DELETE};
	change.node.inode = inode;
	record_put(record, &change);
	change = (struct change){.kind = CHANGE_OBJECT_DELETE};
	change.object.object_id = inode;
	snprintf(change.object.path, sizeof(change.object.path), "2026-11/o%" PRId64 ".pdf", inode);
	record_put(record, &change);
	put_event(record, "file.deleted", inode);
}

/* --- random --- */

static int64_t any_inode(struct sample_space *space)
{
	return 100 + (int64_t)sample_below(&space->random, 40);
}

static void random_attribute(struct sample_space *space, struct buf *record, bool is_put)
{
	struct change change = {.kind = is_put ? CHANGE_ATTRIBUTE_PUT : CHANGE_ATTRIBUTE_DELETE};
	char name[2] = {(char)('a' + sample_below(&space->random, 4)), '\0'}, value[20];

	snprintf(value, sizeof(value), "%" PRIx64, sample_next(&space->random));
	change.attribute.inode = any_inode(space);
	change.attribute.name = text(name);
	if (is_put && sample_below(&space->random, 5) > 0)
		change.attribute.value = text(value);
	record_put(record, &change);
}

static void random_entry(struct sample_space *space, struct buf *record, bool is_put)
{
	struct change change = {.kind = is_put ? CHANGE_ENTRY_PUT : CHANGE_ENTRY_DELETE};
	char name[2] = {(char)('a' + sample_below(&space->random, 26)), '\0'};

	change.entry.parent_inode = 100 + (int64_t)sample_below(&space->random, 3);
	change.entry.name = text(name);
	change.entry.inode = any_inode(space);
	change.entry.kind = 'f';
	change.entry.sequence = space->next_sequence++;
	record_put(record, &change);
}

static void random_object(struct sample_space *space, struct buf *record)
{
	if (sample_below(&space->random, 3) > 0 || space->next_object == 1) {
		put_object(record, space->next_object++, any_inode(space));
	} else {
		struct change change = {.kind = CHANGE_OBJECT_DELETE};

		change.object.object_id = 1 + (int64_t)sample_below(&space->random, (uint64_t)space->next_object - 1);
		snprintf(change.object.path, sizeof(change.object.path), "2026-11/o%" PRId64 ".pdf",
			 change.object.object_id);
		record_put(record, &change);
	}
}

static void random_rejection(struct sample_space *space, struct buf *record)
{
	struct change change = {.kind = CHANGE_REJECTION};

	sample_file_id(change.rejection.file_id, (int64_t)sample_next(&space->random));
	change.rejection.name = text("bad\xff.exe");
	change.rejection.rule = text("extension");
	change.rejection.reason = text("no \xc3\xa4 allowed");
	change.rejection.uid = 1000;
	change.rejection.rejected_at_ns =
		INT64_C(1795000000000000000) + (int64_t)sample_below(&space->random, 1000000000) * 1000;
	record_put(record, &change);
}

static void random_spool(struct sample_space *space, struct buf *record)
{
	struct change change = {.kind = CHANGE_SPOOL};
	char name[24];

	snprintf(name, sizeof(name), "s%" PRIu64, sample_below(&space->random, 1000));
	change.spool.inode = any_inode(space);
	change.spool.size_bytes = (int64_t)sample_below(&space->random, 100000);
	change.spool.spool_name = text(sample_below(&space->random, 3) == 0 ? "" : name);
	record_put(record, &change);
}

static void random_change(struct sample_space *space, struct buf *record)
{
	struct change change = {0};

	switch (sample_below(&space->random, 12)) {
	case 0:
	case 1:
		put_node(record, any_inode(space), 'f', 0, (int64_t)sample_below(&space->random, INT64_MAX));
		break;
	case 2:
		change.kind = CHANGE_NODE_DELETE;
		change.node.inode = any_inode(space);
		record_put(record, &change);
		break;
	case 3:
	case 4:
		random_entry(space, record, true);
		break;
	case 5:
		random_entry(space, record, false);
		break;
	case 6:
		random_object(space, record);
		break;
	case 7:
		random_attribute(space, record, true);
		break;
	case 8:
		random_attribute(space, record, false);
		break;
	case 9:
		put_usage(record, (int64_t)sample_below(&space->random, 1000));
		break;
	case 10:
		random_spool(space, record);
		break;
	default:
		if (sample_below(&space->random, 2))
			random_rejection(space, record);
		else
			put_event(record, "file.uploaded", any_inode(space));
		break;
	}
}

void sample_record(struct sample_space *space, struct buf *record)
{
	uint64_t count = 1 + sample_below(&space->random, 8);

	for (uint64_t i = 0; i < count; i++)
		random_change(space, record);
}
