#include "extractd/worker/formats/word_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	FIB_MAGIC = 0xa5ec,
	FIB_FLAGS = 0x0a,
	FIB_TEXT_BEGIN = 0x18,
	FIB_TEXT_END = 0x1c,
	FIB_PIECES = 0x1a2, /* fcClx, lcbClx */
	FIB_SIZE = 0x1aa,
	FIB_WORD_97 = 0xc1,
	FIB_WORD_6 = 0x65,
	FLAG_ENCRYPTED = 0x0100,
	FLAG_TABLE_1 = 0x0200,
	FLAG_COMPLEX = 0x0004,
	PIECE_IS_BYTES = 0x40000000,
};

/* Windows-1252 between 0x80 and 0x9f. */
static const uint16_t windows_1252[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
					  0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
					  0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
					  0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

struct writer {
	struct buf *text;
	unsigned instruction_depth; /* inside field instructions that many deep */
	unsigned field_depth;
	bool has_instruction[32];
	bool was_cell;
	uint16_t high_surrogate;
};

static uint16_t u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t u32(const uint8_t *bytes)
{
	return (uint32_t)u16(bytes) | (uint32_t)u16(bytes + 2) << 16;
}

char word_table_digit(const uint8_t *document, size_t document_length)
{
	if (document_length < FIB_FLAGS + 2)
		return 0;
	return u16(document + FIB_FLAGS) & FLAG_TABLE_1 ? '1' : '0';
}

static void put_code_point(struct buf *text, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(text, (char)c);
	} else if (c < 0x800) {
		buf_putc(text, (char)(0xc0 | c >> 6));
		buf_putc(text, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_putc(text, (char)(0xe0 | c >> 12));
		buf_putc(text, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(text, (char)(0x80 | (c & 63)));
	} else {
		buf_putc(text, (char)(0xf0 | c >> 18));
		buf_putc(text, (char)(0x80 | (c >> 12 & 63)));
		buf_putc(text, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(text, (char)(0x80 | (c & 63)));
	}
}

/* Fields are 19 instruction 20 result 21, nested; only results are text. True: the character was one of the marks. */
static bool is_field_mark(struct writer *writer, uint32_t c)
{
	if (c < 19 || c > 21)
		return false;
	if (c == 19) {
		if (writer->field_depth < sizeof(writer->has_instruction))
			writer->has_instruction[writer->field_depth] = true;
		writer->field_depth++;
		writer->instruction_depth++;
		return true;
	}
	if (writer->field_depth == 0)
		return true;
	if (writer->field_depth <= sizeof(writer->has_instruction) &&
	    writer->has_instruction[writer->field_depth - 1]) {
		writer->has_instruction[writer->field_depth - 1] = false;
		writer->instruction_depth--;
	}
	if (c == 21)
		writer->field_depth--;
	return true;
}

static void put_character(struct writer *writer, uint32_t c)
{
	bool was_cell = writer->was_cell;

	if (is_field_mark(writer, c) || writer->instruction_depth > 0)
		return;
	writer->was_cell = c == 7;
	switch (c) {
	case 7: /* the end of a cell; twice: of the row */
		buf_puts(writer->text, was_cell ? "\n" : " | ");
		writer->was_cell = !was_cell;
		break;
	case 11:
	case 12:
	case 13:
	case 14:
		buf_putc(writer->text, '\n');
		break;
	case 9:
		buf_putc(writer->text, '\t');
		break;
	case 30:
		buf_putc(writer->text, '-');
		break;
	case 160:
		buf_putc(writer->text, ' ');
		break;
	default:
		if (c >= 32) /* the rest: pictures, notes, soft hyphens */
			put_code_point(writer->text, c);
	}
}

static void put_utf16(struct writer *writer, uint16_t unit)
{
	if (writer->high_surrogate && unit >= 0xdc00 && unit < 0xe000) {
		put_character(writer, 0x10000 + ((uint32_t)(writer->high_surrogate - 0xd800) << 10) +
					      (uint32_t)(unit - 0xdc00));
		writer->high_surrogate = 0;
		return;
	}
	writer->high_surrogate = 0;
	if (unit >= 0xd800 && unit < 0xdc00)
		writer->high_surrogate = unit;
	else if (unit < 0xd800 || unit >= 0xe000)
		put_character(writer, unit);
}

static void put_byte(struct writer *writer, uint8_t byte)
{
	put_character(writer, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
}

/* A run of characters that lies at an offset of the document stream. -EBADMSG: not inside it. */
static int put_piece(struct writer *writer, const uint8_t *document, size_t length, uint32_t place, uint32_t characters)
{
	bool is_bytes = place & PIECE_IS_BYTES;
	size_t offset = is_bytes ? (place & ~(uint32_t)PIECE_IS_BYTES) / 2 : place;
	size_t unit = is_bytes ? 1 : 2;

	if (offset > length || characters > (length - offset) / unit)
		return -EBADMSG;
	for (uint32_t i = 0; i < characters && buf_error(writer->text) == 0; i++) {
		if (is_bytes)
			put_byte(writer, document[offset + i]);
		else
			put_utf16(writer, u16(document + offset + 2 * (size_t)i));
	}
	return 0;
}

/* The piece table within the Clx: behind any number of property lists. */
static int find_pieces(const uint8_t *clx, size_t length, const uint8_t **ret_pieces, size_t *ret_count)
{
	size_t at = 0;

	while (at + 3 <= length && clx[at] == 1)
		at += 3 + (size_t)u16(clx + at + 1);
	if (at + 5 > length || clx[at] != 2)
		return -EBADMSG;
	size_t size = u32(clx + at + 1);

	if (size > length - at - 5 || size < 16 || (size - 4) % 12 != 0)
		return -EBADMSG;
	*ret_pieces = clx + at + 5;
	*ret_count = (size - 4) / 12;
	return 0;
}

static int put_pieces(struct writer *writer, const uint8_t *document, size_t document_length, const uint8_t *table,
		      size_t table_length)
{
	uint32_t offset = u32(document + FIB_PIECES), length = u32(document + FIB_PIECES + 4);
	const uint8_t *pieces;
	size_t count;
	int r;

	if (offset > table_length || length > table_length - offset)
		return -EBADMSG;
	r = find_pieces(table + offset, length, &pieces, &count);
	for (size_t i = 0; i < count && r == 0 && buf_error(writer->text) == 0; i++) {
		uint32_t from = u32(pieces + 4 * i), to = u32(pieces + 4 * (i + 1));
		const uint8_t *piece = pieces + 4 * (count + 1) + 8 * i;

		r = to < from ? -EBADMSG : put_piece(writer, document, document_length, u32(piece + 2), to - from);
	}
	return r;
}

int word_text(const uint8_t *document, size_t document_length, const uint8_t *table, size_t table_length,
	      struct buf *ret_text)
{
	struct writer writer = {.text = ret_text};
	uint16_t flags, version;
	int r;

	if (document_length < FIB_SIZE || u16(document) != FIB_MAGIC)
		return -EBADMSG;
	flags = u16(document + FIB_FLAGS);
	version = u16(document + 2);
	if (flags & FLAG_ENCRYPTED)
		return -EACCES;
	if (version < FIB_WORD_6)
		return -ENOTSUP;
	if (version >= FIB_WORD_97 && u32(document + FIB_PIECES + 4) > 0) {
		r = put_pieces(&writer, document, document_length, table, table_length);
	} else { /* Word 6 and 95, saved in one go: bytes from here to there */
		uint32_t begin = u32(document + FIB_TEXT_BEGIN), end = u32(document + FIB_TEXT_END);

		if (flags & FLAG_COMPLEX)
			return -ENOTSUP;
		r = end < begin || begin >= PIECE_IS_BYTES / 2
			    ? -EBADMSG
			    : put_piece(&writer, document, document_length, (begin * 2) | PIECE_IS_BYTES, end - begin);
	}
	return r < 0 ? r : buf_error(ret_text);
}
