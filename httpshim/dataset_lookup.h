/* The datasets of the caller. */
#pragma once
#include "httpshim/file_view.h"
#include "shared/meta/files.h"

struct db;
struct request;

struct dataset_list {
	struct file_list files; /* what the views borrow from */
	struct dataset_view *views;
};
#define autodatasets cleanup(dataset_list_release)
void dataset_list_release(struct dataset_list *list);
/* By name, by file, or all (both NULL). The files are there; none is no error. */
int dataset_list_find(const struct request *request, struct db *db, const char *name, const char *file_id,
		      struct dataset_list *ret_list);
