#include "fusefs/extraction.h"

#include <stdlib.h>
#include <string.h>

static struct bytes copy_bytes(char **at, struct bytes bytes)
{
	struct bytes copy = {.data = *at, .length = bytes.length};

	if (!bytes.data)
		return (struct bytes){0};
	memcpy(*at, bytes.data, bytes.length);
	(*at)[bytes.length] = '\0';
	*at += bytes.length + 1;
	return copy;
}

enum { STRING_COUNT = 8 };

static void strings_of(struct loaded_extraction *row, struct bytes *ret_strings[STRING_COUNT])
{
	struct bytes *strings[STRING_COUNT] = {&row->text,  &row->metadata, &row->data,	     &row->summary,
					       &row->error, &row->warnings, &row->extractor, &row->media_type};

	memcpy(ret_strings, strings, sizeof(strings));
}

struct extraction *extraction_new(const struct loaded_extraction *row)
{
	struct loaded_extraction copy = *row;
	size_t pages_size = (size_t)row->page_count * sizeof(row->pages[0]), size = pages_size;
	struct bytes *strings[STRING_COUNT];
	struct extraction *extraction;
	char *at;

	strings_of(&copy, strings);
	for (int i = 0; i < STRING_COUNT; i++)
		size += strings[i]->length + 1;
	extraction = malloc(sizeof(*extraction) + size);
	if (!extraction)
		return NULL;
	at = (char *)(extraction + 1);
	if (pages_size > 0) {
		memcpy(at, row->pages, pages_size);
		copy.pages = (const int64_t *)(const void *)at;
		at += pages_size;
	}
	for (int i = 0; i < STRING_COUNT; i++)
		*strings[i] = copy_bytes(&at, *strings[i]);
	atomic_init(&extraction->references, 1);
	extraction->bytes = size;
	extraction->row = copy;
	return extraction;
}

struct extraction *extraction_ref(struct extraction *extraction)
{
	if (extraction)
		atomic_fetch_add(&extraction->references, 1);
	return extraction;
}

void extraction_unref(struct extraction *extraction)
{
	if (extraction && atomic_fetch_sub(&extraction->references, 1) == 1)
		free(extraction);
}

bool extraction_is_final(const struct extraction *extraction)
{
	char status = extraction->row.status;

	return status == 'd' || status == 'f' || status == 'x';
}

const char *extraction_status(const struct extraction *extraction)
{
	switch (extraction->row.status) {
	case 'q':
		return "pending";
	case 'r':
		return "processing";
	case 'd':
		return "completed";
	case 'f':
	case 'x':
		return "failed";
	default:
		return NULL;
	}
}
