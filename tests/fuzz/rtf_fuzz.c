/* libFuzzer: the RTF reader on any bytes. */
#include <stddef.h>
#include <stdint.h>
#include "extractd/worker/formats/rtf_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int on_text(void *context, const char *bytes, size_t length)
{
	volatile char last = length > 0 ? bytes[length - 1] : 0;

	(void)context;
	(void)last;
	return 0;
}

static int on_mark(void *context)
{
	(void)context;
	return 0;
}

static int on_property(void *context, const char *name, const char *value)
{
	(void)context;
	(void)name;
	(void)value;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct rtf_handler handler = {on_text, on_mark, on_mark, on_mark, on_property};

	rtf_read(bytes, length, &handler, NULL);
	return 0;
}
