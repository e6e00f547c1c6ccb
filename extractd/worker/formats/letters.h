/* Counting letters over raw bytes, as fast as they come from memory. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LETTER_COUNT = 26 };

/* Adds the ASCII letters of bytes, without regard to case, to counts (A first). */
void letters_count(const void *bytes, size_t length, uint64_t counts[LETTER_COUNT]);
