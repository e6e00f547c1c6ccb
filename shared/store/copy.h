/* The bytes of one file into another, empty one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/*
 * The first size_bytes of from, which is longer or as long: reflink when has_reflink, else copy_file_range, else read
 * and write. Holes stay holes. Moves the offset of from. -EIO: from is shorter. After an error the file behind to is
 * empty again.
 */
int copy_bytes(int from_fd, int to_fd, uint64_t size_bytes, bool has_reflink);
/* 1: the first size_bytes of both are equal; 0: they differ; or an error. */
int copy_is_equal(int first_fd, int second_fd, uint64_t size_bytes);
