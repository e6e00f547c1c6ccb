/*
 * Writing a document as Markdown text while its structure is read: headings, paragraphs, lists, tables. Beside the text
 * it keeps "elements", [{"type","level","offset","bytes"}…], that say where in the text each stands. For DOCX, PPTX,
 * ODF, EPUB, HTML.
 *
 * Blocks do not nest: a block that begins inside another (a text box in a paragraph) ends the outer one first. Inside a
 * table blocks fill the current cell; a table within a cell is read as text of that cell. Errors of the sink stick and
 * are returned by document_end() and document_finish().
 */
#pragma once
#include "extractd/worker/sink.h"

enum document_kind {
	DOCUMENT_PARAGRAPH,
	DOCUMENT_HEADING,
	DOCUMENT_LIST_ITEM,
	DOCUMENT_NOTE,
	DOCUMENT_COMMENT,
	DOCUMENT_CODE,
	DOCUMENT_TITLE
};

struct document {
	struct sink *sink;
	struct buf block, cell, row, elements;
	enum document_kind kind;
	unsigned level; /* of a heading (1 to 6) or a list item (0 is outermost) */
	unsigned table_depth, rows, row_cells, element_count;
	uint64_t table_offset;
	bool is_open, elements_are_full, was_list_item;
	int error;
};

void document_init(struct document *document, struct sink *sink);
void document_release(struct document *document);
/* Gives the elements to the sink. 0, or what the sink said first (-ETIME, -EPIPE, -ENOMEM). */
int document_finish(struct document *document);

void document_begin(struct document *document, enum document_kind kind, unsigned level);
/* What kind the open block is can become known after it began. */
void document_set_kind(struct document *document, enum document_kind kind, unsigned level);
/* Text of the open block (a paragraph is opened when none is). White space is kept as it is given. */
void document_text(struct document *document, const char *bytes, size_t length);
void document_puts(struct document *document, const char *text);
/* 0 to go on, else the error that sticks. An empty block leaves nothing. */
int document_end(struct document *document);

void document_table_begin(struct document *document);
void document_row_begin(struct document *document);
void document_cell_begin(struct document *document);
void document_cell_end(struct document *document);
void document_row_end(struct document *document);
void document_table_end(struct document *document);
