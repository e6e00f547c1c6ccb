/*
 * What a command prints: rows of typed cells, as an aligned table for people or as JSON for programs. Cells are given
 * from left to right; a row is complete when every column has its cell. Names and texts may be any bytes: on a terminal
 * control characters and invalid UTF-8 are escaped, in JSON as shared/base/text.h says.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "shared/model/rows.h"

enum { COLUMN_LEFT = 0, COLUMN_RIGHT = 1, COLUMN_JSON_ONLY = 2 }; /* JSON_ONLY: too much for a table */

struct column {
	const char *key;   /* in JSON */
	const char *title; /* in the table; NULL ends the columns */
	unsigned flags;
};

struct listing;

/* NULL on no memory; columns must outlive it. */
struct listing *listing_new(const struct column *columns);
void listing_free(struct listing *listing);
void listing_cleanup(struct listing **listing);
#define autolisting cleanup(listing_cleanup)

void listing_text(struct listing *listing, const char *text); /* NULL: none */
void listing_bytes(struct listing *listing, struct bytes bytes);
void listing_number(struct listing *listing, int64_t value);
void listing_size(struct listing *listing, int64_t bytes);   /* 1.5 GiB; -1: "no limit", null */
void listing_count(struct listing *listing, int64_t count);  /* 100,000; -1: "no limit", null */
void listing_time(struct listing *listing, int64_t time_ns); /* 0: none */
void listing_bool(struct listing *listing, bool value);
void listing_json(struct listing *listing, struct bytes json); /* as it is; absent: null */
void listing_none(struct listing *listing);

int listing_rows(const struct listing *listing);
/* Prints all rows: a table (empty_words when there is none), or an array of objects. 0 or EXIT_UNAVAILABLE (no memory).
 */
int listing_print(const struct listing *listing, bool json, const char *empty_words, FILE *out);
/* Prints the one row: a line a column, or an object. */
int listing_print_one(const struct listing *listing, bool json, FILE *out);

/* "1.5 GiB" */
enum { SIZE_TEXT_SIZE = 32 };
const char *size_text(int64_t bytes, char ret_text[SIZE_TEXT_SIZE]);

/* A JSON object of figures for people: a line a key, what it holds indented below it. 0 or EXIT_UNAVAILABLE. */
int print_json(const char *json, size_t length);
