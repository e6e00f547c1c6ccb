/* What an XLSX workbook says beside its sheets: their names and places, which styles are dates, the shared strings. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "extractd/worker/formats/zip_parts.h"

enum { XLSX_NAME_SIZE = 256, XLSX_PATH_SIZE = 256, XLSX_STYLES_MAX = 65536, XLSX_STRINGS_MAX_BYTES = 256 << 20 };

struct xlsx_sheet {
	char name[XLSX_NAME_SIZE];
	char id[64];		   /* of the relation */
	char path[XLSX_PATH_SIZE]; /* in the archive; "" when it is not there */
	bool is_hidden;
};

struct xlsx_book {
	struct xlsx_sheet *sheets;
	unsigned sheet_count;
	bool is_1904;
	bool *is_date; /* by style number */
	unsigned style_count;
	struct buf strings;    /* one behind the other */
	uint32_t *string_ends; /* where each ends */
	uint32_t string_count, string_capacity;
};

bool xlsx_book_wants(const char *path); /* parts that xlsx_book_read() looks at */
/* -EBADMSG: no workbook; else what reading gave. Release it in any case. */
int xlsx_book_read(struct xlsx_book *book, struct extract_input *in, struct sink *sink, const struct zip_parts *parts);
void xlsx_book_release(struct xlsx_book *book);
/* NULL: there is no such string. */
const char *xlsx_string(const struct xlsx_book *book, uint64_t number, size_t *ret_length);
