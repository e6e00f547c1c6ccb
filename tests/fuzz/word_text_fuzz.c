/* libFuzzer: the piece table of .doc. The first two bytes part the input into the document stream and the table stream. */
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/formats/word_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct buf text = BUF_INIT(1 << 20);
	size_t document_length;

	if (length < 2)
		return 0;
	document_length = (size_t)(bytes[0] | bytes[1] << 8);
	bytes += 2;
	length -= 2;
	if (document_length > length)
		document_length = length;
	word_text(bytes, document_length, bytes + document_length, length - document_length, &text);
	buf_release(&text);
	return 0;
}
