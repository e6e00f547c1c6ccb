/* One file's answer, from memory, Redis or PostgreSQL. */
#pragma once
#include <stdbool.h>

struct file_list;
struct leased_db;
struct request;

/* Answers with the file's JSON when it is in memory; never waits. */
bool file_lookup_fast(struct request *request, const char *tenant_code, const char *file_id);
/* Answers with the file's JSON. 0 or a negative errno; -ENOENT: no such file in the request's tenant. */
int file_lookup_answer(struct request *request, int status, const char *file_id);
/* The same for a file that was made or changed just now: past what is kept, and not kept. */
int file_lookup_answer_fresh(struct request *request, int status, const char *file_id);
/* The row itself, without its path, on a connection of the caller's. */
int file_lookup_row(struct request *request, struct leased_db *leased, const char *file_id, struct file_list *ret_list);
