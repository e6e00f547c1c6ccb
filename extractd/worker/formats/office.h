/* What the zipped office formats have in common: document properties, and how a package that cannot be opened is
 * reported. */
#pragma once
#include "extractd/worker/formats/zip_parts.h"

/* docProps/core.xml and app.xml (OOXML) or meta.xml (ODF), those that are there, into the sink's metadata. */
void office_put_properties(const struct zip_parts *parts, struct sink *sink);
/* Turns an error of zip_parts_read() into the sink's terminal one where it is; returns what the extractor returns. */
int office_open_error(int error, struct sink *sink);
