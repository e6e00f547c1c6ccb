/* The files of the page, embedded at build time (httpshim/generate-page), each with its entity tag. */
#pragma once
#include <stddef.h>

struct request;

struct page_file {
	const char *name; /* NULL closes the table */
	const char *media_type;
	const char *begin, *end;
};
extern const struct page_file page_files[];

/* Computes the entity tags; once, before requests come. -ENOMEM. */
int page_files_init(void);
void page_files_release(void);
/* Answers with a file of the page: 200, or 304 when the client has it. -ENOENT: none of that name. */
int page_files_answer(struct request *request, const char *name);
