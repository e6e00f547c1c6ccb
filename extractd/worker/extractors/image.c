/*
 * Images: size and EXIF always, from the header alone; text by OCR in its lane, with a confidence a word. What an image
 * claims to measure is looked at before anything is decoded.
 */
#include <errno.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/exif.h"
#include "extractd/worker/formats/ocr.h"
#include "shared/base/frame.h"

enum { WORDS_MAX_BYTES = FRAME_PAYLOAD_MAX / 2 };

struct header {
	l_int32 format, width, height, bits, samples, has_colormap;
};

static void put_header(const struct header *header, const char *media_type, struct sink *sink)
{
	sink_metadata_text(sink, "Content-Type", media_type);
	sink_metadata_number(sink, "tiff:ImageWidth", header->width);
	sink_metadata_number(sink, "tiff:ImageLength", header->height);
	sink_metadata_number(sink, "tiff:BitsPerSample", header->bits);
	sink_metadata_number(sink, "tiff:SamplesPerPixel", header->samples);
}

static int recognise(const uint8_t *bytes, size_t length, struct sink *sink)
{
	autobuf struct buf words = BUF_INIT(WORDS_MAX_BYTES), array = BUF_INIT(WORDS_MAX_BYTES + 8);
	PIX *picture = pixReadMem(bytes, length);
	int r;

	if (!picture)
		return sink_error(sink, "corrupt: the picture cannot be decoded");
	r = ocr_picture(picture, sink, &words);
	pixDestroy(&picture);
	if (r == -ENOTSUP || r == -EIO) {
		sink_warning(sink, "the text of the picture could not be recognised");
		return 0;
	}
	if (words.length > 0 && buf_error(&words) == 0) {
		buf_printf(&array, "[%s]", words.data);
		sink_data_member(sink, "words", array.data, array.length);
	}
	return r;
}

/* GIF, which leptonica reads only with a temporary file: the header by hand. */
static bool gif_header(const uint8_t *bytes, size_t length, struct header *ret_header)
{
	if (length < 13 || (memcmp(bytes, "GIF87a", 6) != 0 && memcmp(bytes, "GIF89a", 6) != 0))
		return false;
	*ret_header = (struct header){.format = IFF_GIF,
				      .width = bytes[6] | bytes[7] << 8,
				      .height = bytes[8] | bytes[9] << 8,
				      .bits = (bytes[10] & 7) + 1,
				      .samples = 1};
	return true;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	const uint8_t *bytes = input_bytes(in);
	struct header header = {0};
	int r;

	if (!bytes)
		return -ENOMEM;
	if (!gif_header(bytes, in->size_bytes, &header) &&
	    (pixReadHeaderMem(bytes, in->size_bytes, &header.format, &header.width, &header.height, &header.bits,
			      &header.samples, &header.has_colormap) != 0 ||
	     header.width <= 0 || header.height <= 0)) {
		if (exif_put(bytes, in->size_bytes, sink) == 0)
			sink_warning(sink, "the header of the picture is damaged");
		else
			return sink_error(sink, "corrupt: the header of the picture cannot be read");
		return 0;
	}
	put_header(&header, in->media_type, sink);
	exif_put(bytes, in->size_bytes, sink); /* having none is no fault */
	if ((uint64_t)header.width * (uint64_t)header.height > OCR_PIXELS_MAX) {
		sink_warning(sink, "the picture claims %d x %d pixels and was not decoded", header.width,
			     header.height);
		return 0;
	}
	if (!in->is_ocr) {
		sink_want_ocr(sink);
		return 0;
	}
	r = recognise(bytes, in->size_bytes, sink);
	return r < 0 ? r : 0;
}

static int preload(bool is_ocr)
{
	int r;

	setMsgSeverity(L_SEVERITY_NONE); /* leptonica writes its opinion of broken files to stderr */
	r = ocr_preload(is_ocr);
	return r == -ENOENT ? 0 : r;
}

static const char *const media_types[] = {"image/png",
					  "image/jpeg",
					  "image/tiff",
					  "image/webp",
					  "image/gif",
					  "image/bmp",
					  "image/x-ms-bmp",
					  "image/x-portable-anymap",
					  "image/x-portable-graymap",
					  "image/x-portable-pixmap",
					  "image/x-portable-bitmap",
					  NULL};

const struct extractor extractor_image = {
	.name = "image", .version = 1, .media_types = media_types, .preload = preload, .extract = extract};
