/* Office documents with a password: a compound file around an encrypted package, which is all there is to say. */
#include "extractd/worker/extractor.h"

static int extract(struct extract_input *in, struct sink *sink)
{
	(void)in;
	return sink_error(sink, "encrypted: the document needs a password");
}

static const char *const media_types[] = {"application/x-ole-encrypted-package", NULL};

const struct extractor extractor_encrypted = {
	.name = "encrypted", .version = 1, .media_types = media_types, .extract = extract};
