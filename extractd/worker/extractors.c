/* The table of extractors, in the order in which they are asked: one line each, and one file in extractors/. */
#include "extractd/worker/extractor.h"

/* X(NAME) is `const struct extractor extractor_NAME` in extractors/NAME.c. */
#define EXTRACTORS(X)                                                                                                  \
	X(text)                                                                                                        \
	X(csv)                                                                                                         \
	X(json)                                                                                                        \
	X(pdf)                                                                                                         \
	X(docx)                                                                                                        \
	X(pptx)                                                                                                        \
	X(xlsx)                                                                                                        \
	X(odf)                                                                                                         \
	X(epub)                                                                                                        \
	X(html)                                                                                                        \
	X(rtf)                                                                                                         \
	X(doc)                                                                                                         \
	X(email)                                                                                                       \
	X(image)                                                                                                       \
	X(archive)

#define DECLARE(name) extern const struct extractor extractor_##name;
EXTRACTORS(DECLARE)
#undef DECLARE

#define ENTRY(name) &extractor_##name,
const struct extractor *const extractors[] = {EXTRACTORS(ENTRY) NULL};
#undef ENTRY
