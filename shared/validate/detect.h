/* The media type of content, and what it says about it. Private to shared/validate. */
#pragma once
#include "shared/validate/content_type.h"
#include "shared/validate/validate.h"
#include "shared/validate/zip_index.h"

struct content {
	char media_type[MEDIA_TYPE_SIZE];
	enum archive_kind kind;
	bool is_text;
	bool is_open;	      /* a container whose inside decides: only the whole content can tell */
	bool is_document;     /* a ZIP that is an OOXML, ODF or EPUB document */
	struct zip_index zip; /* of a ZIP, from detect_content() */
};

/* The first bytes alone; is_whole: there are no more. detector NULL: by signatures and as text only. */
void detect_head(struct detector *detector, const void *head, size_t length, bool is_whole,
		 struct content *ret_content);
/* The whole content. -EIO and the like: it cannot be read. */
int detect_content(struct detector *detector, int fd, uint64_t size_bytes, struct content *ret_content);
/* ZIP_BUFFER_BYTES, for whoever has the detector. */
char *detector_buffer(struct detector *detector);
