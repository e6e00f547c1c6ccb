/*
 * A record is one operation: the final values it leaves behind, as a list of changes that are applied together or not at
 * all. It is what the journal keeps, what the committer sends to PostgreSQL and what a replay or a rebuild reads again. Because
 * a change holds final values, applying one twice gives the same rows.
 */
#pragma once
#include "shared/base/buf.h"
#include "shared/model/rows.h"

enum change_kind {
	CHANGE_NODE_PUT = 1,
	CHANGE_NODE_DELETE,	 /* inode; its attributes go with it */
	CHANGE_ENTRY_PUT,	 /* an entry of the same parent and name is replaced */
	CHANGE_ENTRY_DELETE,	 /* parent_inode, name */
	CHANGE_OBJECT_PUT,
	CHANGE_OBJECT_DELETE,	 /* object_id, path: the bytes are removed after the commit */
	CHANGE_ATTRIBUTE_PUT,
	CHANGE_ATTRIBUTE_DELETE, /* inode, name */
	CHANGE_REJECTION,
	CHANGE_USAGE,		 /* absolute counters of the tenant after this record */
	CHANGE_EXTRACT,		 /* queue the extraction of an object: job in the same transaction */
	CHANGE_EVENT,		 /* a row of the outbox */
	CHANGE_SPOOL,		 /* fsync of an open file: the spool linked under this name holds inode's next content */
	CHANGE_KIND_COUNT
};

struct change {
	enum change_kind kind;
	union {
		struct node_row node;
		struct entry_row entry;
		struct object_row object;
		struct attribute_row attribute;
		struct rejection_row rejection;
		struct {
			int64_t used_bytes, file_count;
		} usage;
		struct {
			int64_t object_id, size_bytes;
			uint8_t sha256[DIGEST_SIZE];
		} extract;
		struct {
			struct bytes kind, payload; /* payload: JSON */
		} event;
		struct {
			int64_t inode, size_bytes;
			struct bytes spool_name; /* in <base>/.tenantfs/spool/; empty: no longer */
		} spool;
	};
};

#define RECORD_MAX_BYTES (1U << 20)

/*
 * Appends one change to a record under construction: buf made with BUF_INIT(RECORD_MAX_BYTES). Errors stick in the buf: -EINVAL
 * for what PostgreSQL or the store would refuse later (text that is no UTF-8 or holds NUL, a name with a slash, a path that
 * leaves the tenant's folder …), which is checked here because what was answered cannot be taken back. Of JSON only the text is
 * checked; whether it is JSON the caller knows. A delete needs the fields named above alone.
 */
void record_put(struct buf *record, const struct change *change);
/*
 * Reads the changes of a record one after another: 1 and *ret_change, 0 at the end, -EBADMSG for anything record_put() would
 * not have written. *cursor is 0 at first. Strings point into the record and end without NUL.
 */
int record_next(const void *record, size_t length, size_t *cursor, struct change *ret_change);
