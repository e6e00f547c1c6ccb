/* Lists of files: of a tenant, and by search. */
#pragma once
#include "httpshim/schema.h"

struct request;

extern const struct field file_list_query[];
extern const struct schema file_page_schema, file_search_schema, file_search_answer_schema;
int file_list_answer(struct request *request);
int file_search_answer(struct request *request);
