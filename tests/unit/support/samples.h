/* Records for tests: typical ones, and random ones that are valid in themselves. */
#pragma once
#include "shared/model/change.h"

/* Creates a file `name` with one object below parent_inode: what one cp of a small file writes. */
void sample_file(struct buf *record, int64_t inode, int64_t parent_inode, const char *name, int64_t sequence);
/* Its removal. */
void sample_unlink(struct buf *record, int64_t inode, int64_t parent_inode, const char *name);
void sample_file_id(char ret_id[FILE_ID_SIZE], int64_t number);

/* A small generator whose sequence depends on the seed alone. */
struct sample_random {
	uint64_t state;
};
uint64_t sample_next(struct sample_random *random);
uint64_t sample_below(struct sample_random *random, uint64_t bound);

/*
 * A record of up to eight changes over few keys (inodes 100 to 139, names a to z, objects 1 to 60), so that they meet
 * again and again. *next_sequence and *next_object grow.
 */
struct sample_space {
	struct sample_random random;
	int64_t next_sequence, next_object;
};
void sample_record(struct sample_space *space, struct buf *record);
