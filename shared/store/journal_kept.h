/* What journal_kept.c and journal_compact.c share: <tenant_id>.kept on disk, and open. */
#pragma once
#include <pthread.h>
#include "shared/store/journal_format.h"

enum { KEPT_HINT_OFFSET = 2048, KEPT_COPY_BYTES = 256 * 1024 };

struct kept_header {
	char magic[8];
	int64_t tenant_id;
	uint64_t salt;
	uint64_t compacted_bytes; /* how large the last compaction left the file */
	uint64_t checksum;
};

/* Written after the frames it speaks of: it may lag behind, and is never ahead but after a power loss. */
struct kept_hint {
	uint64_t end; /* offset */
	int64_t epoch;
	uint64_t position; /* of the last frame that is no compaction's, behind it */
	uint64_t checksum;
};

struct kept {
	int dir_fd; /* the caller's */
	int64_t tenant_id;

	pthread_mutex_t lock; /* all below; held while records are copied in */
	int fd;
	uint64_t salt, end, compacted_bytes;
	int64_t epoch;
	uint64_t position;

	pthread_mutex_t compaction_lock; /* one compaction at a time; taken before lock */
};

void kept_name(char ret_name[JOURNAL_NAME_SIZE], int64_t tenant_id, const char *suffix);
int kept_write_header(int fd, int64_t tenant_id, uint64_t salt, uint64_t compacted_bytes);
int kept_write_hint(int fd, uint64_t end, int64_t epoch, uint64_t position);
int kept_copy_bytes(int from_fd, uint64_t from, int to_fd, uint64_t to, uint64_t length);

/* Opens <tenant_id>.kept<suffix> for reading; close with kept_close_window(). -ENOENT, -EBADMSG: its header is damaged.
 */
int kept_open_window(int journal_dir_fd, int64_t tenant_id, const char *suffix, struct window *ret_window,
		     struct kept_header *ret_header);
void kept_close_window(struct window *window);

typedef int kept_visit_fn(const struct frame_header *frame, uint64_t offset, void *context);
/* Every valid frame in [from, end) in order. visit returns 0 to go on. Passes over damage: -EBADMSG, after all was
 * visited. */
int kept_walk(struct window *window, uint64_t from, uint64_t end, kept_visit_fn *visit, void *context);
