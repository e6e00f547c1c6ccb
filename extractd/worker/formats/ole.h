/* Compound files of old Office programs (OLE2), through libgsf. */
#pragma once
#include <gsf/gsf.h>
#include "extractd/worker/extractor.h"

/* gsf_init(), once in the zygote. */
int ole_preload(void);
/* Opens the compound file of an input; g_object_unref() ends it. -EBADMSG: none, or damaged. The input's bytes must
 * outlive it. */
int ole_open(struct extract_input *in, GsfInfile **ret_file);
/* One stream as bytes (g_free() is not needed: free()). -ENOENT; -EFBIG: longer than max_bytes; -EBADMSG; -ENOMEM. */
int ole_read(GsfInfile *file, const char *name, size_t max_bytes, uint8_t **ret_bytes, size_t *ret_length);
/* Title, author, dates and the like of the two property streams into the sink's metadata. */
void ole_put_properties(GsfInfile *file, struct sink *sink);

static inline uint16_t ole_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t ole_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}
