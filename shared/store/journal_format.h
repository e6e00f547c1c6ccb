/*
 * What a journal looks like on disk; the files journal*.c and their tests alone include this. Numbers are in the
 * machine's own byte order: a journal is read where its bytes are, and a foreign one fails its checksums.
 *
 * <tenant_id>.<epoch> has two areas of equal size. The second begins to be used when the first is full, the first again
 * when all of it is released (in PostgreSQL and in .kept), and so on in turns; while the committer keeps up only the
 * beginning of the first is ever used. An area is a header of a page, then frames without gaps: the frame of position p
 * stands p - base behind the header. So a stale frame of an earlier turn is told by its position, and a good frame
 * behind a damaged one is found wherever it stands.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/cleanup.h"
#include "shared/model/change.h"
#include "shared/store/journal_base.h"

enum { JOURNAL_AREAS = 2, JOURNAL_HEADER_BYTES = 4096, JOURNAL_NAME_SIZE = 64 };

struct area_header {
	char magic[8];
	int64_t tenant_id, epoch;
	uint64_t area_bytes; /* of each area, header and all */
	uint64_t base;	     /* position of the first frame */
	uint64_t released;   /* when this was written: all before it is in PostgreSQL and in .kept */
	uint64_t salt;
	char boot_id[JOURNAL_BOOT_ID_SIZE];
	uint64_t checksum; /* XXH3 of what stands before */
};

/* A frame holds one record, padded to 8 bytes with zeros. */
struct frame_header {
	uint32_t magic;
	uint32_t length; /* of the record */
	int64_t epoch;	 /* 0: made by a compaction */
	uint64_t position;
	uint64_t synced; /* known to be on disk when this was written: damage before it is no power loss */
	uint64_t record_checksum;
	uint64_t checksum; /* XXH3 of what stands before, xor the salt */
};

enum { FRAME_ALIGN = 8 };
#define FRAME_MAGIC	    0x46534a54U
#define FRAME_MAX_BYTES	    (sizeof(struct frame_header) + RECORD_MAX_BYTES)
#define AREA_MIN_BYTES	    (JOURNAL_HEADER_BYTES + 2 * FRAME_MAX_BYTES)
#define JOURNAL_FIRST_BYTES ((uint64_t)1 << 20) /* preallocated at first, then doubled */

/* Bytes a record takes with its header and padding. */
static inline uint64_t frame_bytes(size_t record_length)
{
	return sizeof(struct frame_header) + ((record_length + FRAME_ALIGN - 1) & ~(size_t)(FRAME_ALIGN - 1));
}

void frame_make(struct frame_header *ret_frame, uint64_t salt, int64_t epoch, uint64_t position, uint64_t synced,
		const void *record, size_t length);
/* The header alone is what frame_make() made; nothing is said about the record behind it. */
bool frame_header_is_valid(const struct frame_header *frame, uint64_t salt);
/* Header and record; available counts the bytes that can be read from frame on. */
bool frame_is_valid(const void *frame, uint64_t available, uint64_t salt);

enum header_state { HEADER_NONE, HEADER_VALID, HEADER_DAMAGED };
/* Fills in magic, boot_id and checksum; the rest is the caller's. */
void area_header_seal(struct area_header *header);
enum header_state area_header_check(const struct area_header *header, int64_t tenant_id, int64_t epoch);

void journal_name(char ret_name[JOURNAL_NAME_SIZE], int64_t tenant_id, int64_t epoch);

/* --- reading a file by pieces --- */
struct window {
	int fd;
	uint64_t salt;
	uint64_t size; /* of the file */
	char *data;
	uint64_t offset; /* of data in the file */
	size_t length, capacity;
};
#define autowindow cleanup(window_release)
int window_init(struct window *window, int fd);
void window_release(struct window *window);
/* Wanted bytes from offset on: *ret_bytes borrows until the next call, *ret_available is at least wanted unless the
 * file ends before that. */
int window_get(struct window *window, uint64_t offset, size_t wanted, const char **ret_bytes, size_t *ret_available);

/* What stands at offset. *ret_frame borrows from the window, the record behind it whole. */
enum frame_state { FRAME_VALID, FRAME_ABSENT /* zeros or the end of the file */, FRAME_DAMAGED };
int window_frame(struct window *window, uint64_t offset, enum frame_state *ret_state,
		 const struct frame_header **ret_frame);
/* The next offset from `from` on where a valid frame begins, UINT64_MAX for none before end. */
int window_find_frame(struct window *window, uint64_t from, uint64_t end, uint64_t *ret_offset,
		      const struct frame_header **ret_frame);

static inline const void *frame_record(const struct frame_header *frame)
{
	return frame + 1;
}

/* --- where the frames of an epoch's file are --- */
struct area_layout {
	bool is_there;
	uint64_t offset; /* of the header */
	uint64_t base, released;
	char boot_id[JOURNAL_BOOT_ID_SIZE];
};
struct journal_layout {
	uint64_t area_bytes, salt;
	struct area_layout newest, older; /* older.is_there only when the newest goes on from it */
	int newest_index;
};
/* Sets window->salt too. -ENODATA: no area was ever begun. -EBADMSG: a header is damaged. */
int layout_read(struct window *window, int64_t tenant_id, int64_t epoch, struct journal_layout *ret_layout);

/* --- <tenant_id>.kept: a header, then frames as they were in the journals, of one epoch after another --- */
struct kept;
/* Opens or creates, and finds out how far it goes. A new one takes the salt given. */
int kept_open(int journal_dir_fd, int64_t tenant_id, uint64_t salt, struct kept **ret_kept);
void kept_close(struct kept *kept);
/* The salt of a tenant's .kept; -ENOENT: there is none. */
int kept_salt(int journal_dir_fd, int64_t tenant_id, uint64_t *ret_salt);
/* The last record in it. */
void kept_reached(struct kept *kept, int64_t *ret_epoch, uint64_t *ret_position);
/* Adds the frames in [offset, offset + length) of another file of that salt, which end at position. Thread-safe. */
int kept_append(struct kept *kept, int fd, uint64_t salt, uint64_t offset, uint64_t length, int64_t epoch,
		uint64_t position);
int kept_sync(struct kept *kept);
/* See journal_compact(). May run while another thread appends. */
int kept_compact(struct kept *kept, bool is_idle);
