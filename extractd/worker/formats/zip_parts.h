/* The parts of a zipped document (OOXML, ODF, EPUB): one pass over the archive keeps those that are wanted, in memory,
 * charged. */
#pragma once
#include "extractd/worker/extractor.h"

struct zip_part {
	char *path; /* as in the archive, without a leading slash */
	char *bytes;
	size_t length;
};

struct zip_parts {
	struct zip_part *parts; /* sorted by path, numbers within by value: slide2 before slide10 */
	int count, capacity;
	bool is_damaged; /* some parts could not be read */
};

/*
 * 0; -EBADMSG: no zip; -EACCES: encrypted; -ENOMEM; -ETIME. Over the sink's budget the rest is left out (the sink has
 * warned).
 */
int zip_parts_read(struct extract_input *in, struct sink *sink, bool (*is_wanted)(const char *path),
		   struct zip_parts *ret_parts);
void zip_parts_release(struct zip_parts *parts);
const struct zip_part *zip_part_find(const struct zip_parts *parts, const char *path);
/*
 * Gives the bytes of one part to put(), piece by piece, charged, without keeping them: for parts of any size. 0;
 * -ENOENT; -EFBIG over the sink's budget; -EBADMSG damaged (what came before was given); -EACCES; what put() returned
 * when not 0.
 */
int zip_part_stream(struct extract_input *in, struct sink *sink, const char *path,
		    int (*put)(void *context, const char *bytes, size_t length), void *context);
