/*
 * Words that very many inodes share (media types, extensions, who uploaded): each is kept once, so that an inode holds
 * a pointer to it and equal words are equal pointers. Words live until words_free(). Thread-safe.
 */
#pragma once
#include <stddef.h>
#include "shared/base/table.h"

struct words;

struct words *words_new(void); /* NULL on no memory */
void words_free(struct words *words);
/* NULL for no bytes at all (length 0), and on no memory: a word that is lost this way is read again with the next load.
 */
const char *words_keep(struct words *words, const char *bytes, size_t length);
