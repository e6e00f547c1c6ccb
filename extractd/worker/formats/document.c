#include "extractd/worker/formats/document.h"

#include <errno.h>
#include <string.h>
#include "shared/base/frame.h"

enum {
	BLOCK_MAX_BYTES = 16 << 20,
	ELEMENTS_MAX_BYTES = FRAME_PAYLOAD_MAX / 2,
	HEADING_LEVEL_MAX = 6,
	LIST_LEVEL_MAX = 12
};

static const char *const kind_names[] = {"paragraph", "heading", "list_item", "note", "comment", "code", "title"};

void document_init(struct document *document, struct sink *sink)
{
	*document = (struct document){.sink = sink,
				      .block = BUF_INIT(BLOCK_MAX_BYTES),
				      .cell = BUF_INIT(BLOCK_MAX_BYTES),
				      .row = BUF_INIT(BLOCK_MAX_BYTES),
				      .elements = BUF_INIT(ELEMENTS_MAX_BYTES)};
}

void document_release(struct document *document)
{
	buf_release(&document->block);
	buf_release(&document->cell);
	buf_release(&document->row);
	buf_release(&document->elements);
}

static void put(struct document *document, const char *bytes, size_t length)
{
	int r = document->error == 0 ? sink_text(document->sink, bytes, length) : 0;

	if (r < 0)
		document->error = r;
}

static void put_element(struct document *document, const char *type, unsigned level, uint64_t offset)
{
	struct buf *elements = &document->elements;
	size_t before = elements->length;

	if (document->elements_are_full)
		return;
	buf_printf(elements, "%s{\"type\":\"%s\"", before > 0 ? "," : "", type);
	if (level > 0)
		buf_printf(elements, ",\"level\":%u", level);
	buf_printf(elements, ",\"offset\":%llu,\"bytes\":%llu}", (unsigned long long)offset,
		   (unsigned long long)(sink_text_offset(document->sink) - offset));
	if (buf_error(elements) == 0)
		return;
	elements->length = before;
	elements->error = 0;
	document->elements_are_full = true;
	sink_warning(document->sink, "the list of elements is too long and was cut");
}

int document_finish(struct document *document)
{
	autobuf struct buf array = BUF_INIT(ELEMENTS_MAX_BYTES + 8);

	document_end(document);
	while (document->table_depth > 0)
		document_table_end(document);
	if (document->elements.length > 0) {
		buf_printf(&array, "[%.*s]", (int)document->elements.length, document->elements.data);
		if (buf_error(&array) == 0)
			sink_data_member(document->sink, "elements", array.data, array.length);
	}
	return document->error;
}

void document_begin(struct document *document, enum document_kind kind, unsigned level)
{
	document_end(document);
	document->is_open = true;
	document_set_kind(document, kind, level);
}

void document_set_kind(struct document *document, enum document_kind kind, unsigned level)
{
	document->kind = kind;
	document->level = level;
}

void document_text(struct document *document, const char *bytes, size_t length)
{
	if (!document->is_open)
		document_begin(document, DOCUMENT_PARAGRAPH, 0);
	if (buf_append(&document->block, bytes, length) < 0 && document->block.error == -ENOMEM)
		document->error = -ENOMEM;
}

void document_puts(struct document *document, const char *text)
{
	document_text(document, text, strlen(text));
}

static bool is_blank(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr(" \t\r\n", bytes[i]) || !bytes[i])
			return false;
	return true;
}

static void put_prefix(struct document *document)
{
	static const char hashes[] = "######", spaces[] = "                        ";
	unsigned level = document->level;

	switch (document->kind) {
	case DOCUMENT_HEADING:
	case DOCUMENT_TITLE:
		level = level < 1 ? 1 : level > HEADING_LEVEL_MAX ? HEADING_LEVEL_MAX : level;
		put(document, hashes, level);
		put(document, " ", 1);
		break;
	case DOCUMENT_LIST_ITEM:
		put(document, spaces, 2 * (size_t)(level > LIST_LEVEL_MAX ? LIST_LEVEL_MAX : level));
		put(document, "- ", 2);
		break;
	case DOCUMENT_NOTE:
	case DOCUMENT_COMMENT:
		put(document, "> ", 2);
		break;
	case DOCUMENT_CODE:
		put(document, "```\n", 4);
		break;
	default:
		break;
	}
}

static void put_block(struct document *document)
{
	const char *bytes = document->block.data;
	size_t length = document->block.length;
	uint64_t offset;

	while (length > 0 && strchr(" \t\r\n", bytes[length - 1]))
		length--;
	if (document->kind != DOCUMENT_CODE)
		for (; length > 0 && strchr(" \t\r\n", *bytes); bytes++)
			length--;
	if (document->was_list_item && document->kind != DOCUMENT_LIST_ITEM)
		put(document, "\n", 1);
	document->was_list_item = document->kind == DOCUMENT_LIST_ITEM;
	offset = sink_text_offset(document->sink);
	put_prefix(document);
	put(document, bytes, length);
	put_element(document, kind_names[document->kind],
		    document->kind == DOCUMENT_LIST_ITEM ? document->level + 1 : document->level, offset);
	if (document->kind == DOCUMENT_CODE)
		put(document, "\n```", 4);
	put(document, "\n\n", document->kind == DOCUMENT_LIST_ITEM ? 1 : 2);
}

int document_end(struct document *document)
{
	struct buf *block = &document->block;

	if (document->is_open && !is_blank(block->data, block->length)) {
		if (document->table_depth > 0) {
			if (document->cell.length > 0)
				buf_putc(&document->cell, ' ');
			buf_append(&document->cell, block->data, block->length);
		} else {
			put_block(document);
		}
	}
	buf_reset(block);
	document->is_open = false;
	return document->error;
}

void document_table_begin(struct document *document)
{
	document_end(document);
	if (document->table_depth++ > 0)
		return;
	if (document->was_list_item)
		put(document, "\n", 1);
	document->was_list_item = false;
	document->rows = 0;
	document->table_offset = sink_text_offset(document->sink);
}

void document_row_begin(struct document *document)
{
	document_end(document);
	if (document->table_depth > 1)
		return;
	buf_reset(&document->row);
	document->row_cells = 0;
}

void document_cell_begin(struct document *document)
{
	document_end(document);
	if (document->table_depth <= 1)
		buf_reset(&document->cell);
}

/* A cell is one line: bars are escaped, breaks become spaces. */
void document_cell_end(struct document *document)
{
	struct buf *cell = &document->cell;

	document_end(document);
	if (document->table_depth > 1)
		return;
	buf_puts(&document->row, "| ");
	for (size_t i = 0; i < cell->length; i++) {
		char c = cell->data[i];

		if (c == '|')
			buf_putc(&document->row, '\\');
		buf_putc(&document->row, c == '\n' || c == '\r' || c == '\t' ? ' ' : c);
	}
	buf_putc(&document->row, ' ');
	buf_reset(cell);
	document->row_cells++;
}

void document_row_end(struct document *document)
{
	document_end(document);
	if (document->table_depth != 1 || document->row_cells == 0)
		return;
	buf_puts(&document->row, "|\n");
	put(document, document->row.data, document->row.length);
	if (document->rows++ > 0)
		return;
	for (unsigned i = 0; i < document->row_cells; i++)
		put(document, "| --- ", 6);
	put(document, "|\n", 2);
}

void document_table_end(struct document *document)
{
	document_end(document);
	if (document->table_depth == 0 || --document->table_depth > 0)
		return;
	if (document->cell.length > 0 && document->rows == 0) { /* text outside any row */
		put(document, document->cell.data, document->cell.length);
		buf_reset(&document->cell);
	}
	if (sink_text_offset(document->sink) > document->table_offset)
		put_element(document, "table", 0, document->table_offset);
	put(document, "\n", 1);
}
