/* Stores for tests: fresh ones on disk and in memory, and short ways to put something in and look at it. */
#pragma once
#include <sys/stat.h>
#include "shared/store/store.h"

struct store_fixture {
	struct store *store;
	char base[64]; /* "" in memory */
};

/* cmocka setup functions: *state becomes a struct store_fixture. */
int open_local(void **state);
int open_local_named(void **state); /* as on a file system without O_TMPFILE */
int open_mem(void **state);
/* The teardown: closes, removes the folder. */
int close_fixture(void **state);

void make_spool(struct store *store, struct spool *ret_spool, const char *text);
void publish_text(struct store *store, const char *tenant_code, const char *path, const char *text);
void assert_text(struct store *store, const char *tenant_code, const char *path, const char *text);
void assert_spool(const struct spool *spool, const char *text);
int visit_count(const char *path, const struct stat *stat, void *context); /* context: int */
int count_spools(struct store *store);
void remove_tree(const char *path);
