/* The table of extractors, in the order in which they are asked: one line each, and one file in extractors/. */
#include "extractd/worker/extractor.h"
#include "extractd/worker/run.h"

/* X(NAME) is `const struct extractor extractor_NAME` in extractors/NAME.c. Texts need few libraries and are many: they
 * have a worker of their own (extract-worker-text), which is this file compiled with TEXTS_ONLY. */
#define EXTRACTORS_OF_TEXTS(X)                                                                                         \
	X(text)                                                                                                        \
	X(csv)                                                                                                         \
	X(json)
#define EXTRACTORS_OF_DOCUMENTS(X)                                                                                     \
	X(pdf)                                                                                                         \
	X(docx)                                                                                                        \
	X(pptx)                                                                                                        \
	X(xlsx)                                                                                                        \
	X(ods)                                                                                                         \
	X(xls)                                                                                                         \
	X(odf)                                                                                                         \
	X(epub)                                                                                                        \
	X(html)                                                                                                        \
	X(xml)                                                                                                         \
	X(rtf)                                                                                                         \
	X(doc)                                                                                                         \
	X(encrypted)                                                                                                   \
	X(email)                                                                                                       \
	X(image)                                                                                                       \
	X(archive)

#ifdef TEXTS_ONLY
#define EXTRACTORS(X) EXTRACTORS_OF_TEXTS(X)
const bool extractors_are_all = false;
#else
#define EXTRACTORS(X) EXTRACTORS_OF_TEXTS(X) EXTRACTORS_OF_DOCUMENTS(X)
const bool extractors_are_all = true;
#endif

#define DECLARE(name) extern const struct extractor extractor_##name;
EXTRACTORS(DECLARE)
#undef DECLARE

#define ENTRY(name) &extractor_##name,
const struct extractor *const extractors[] = {EXTRACTORS(ENTRY) NULL};
#undef ENTRY
