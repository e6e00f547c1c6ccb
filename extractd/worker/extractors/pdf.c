/*
 * PDF through poppler-glib: text page by page, properties, outline, page sizes, links, form fields, attachments. A page
 * without text is recognised in the OCR lane; elsewhere the file is queued there. What earlier pages gave stays when a
 * later one is too much.
 */
#include <cairo.h>
#include <errno.h>
#include <poppler.h>
#include <string.h>
#include "extractd/worker/extractor.h"
#include "extractd/worker/formats/ocr.h"
#include "extractd/worker/formats/pdf_facts.h"
#include "extractd/worker/formats/pdf_text.h"
#include "shared/base/frame.h"

enum {
	RENDER_DPI = 300,
	RENDER_DPI_LEAST = 72,
	POINTS_PER_INCH = 72,
	PAGE_MAX_BYTES = 16 << 20,
	FACTS_MAX_BYTES = FRAME_PAYLOAD_MAX / 2
};

struct reading {
	struct extract_input *in;
	struct sink *sink;
	PopplerDocument *document;
	struct buf sizes, links, fields;
	unsigned pages_without_text;
};

static int open_document(struct extract_input *in, struct sink *sink, PopplerDocument **ret_document)
{
	const uint8_t *content = input_bytes(in);
	GError *error = NULL;
	GBytes *bytes;
	int r = 0;

	if (!content)
		return -ENOMEM;
	bytes = g_bytes_new_static(content, in->size_bytes);
	*ret_document = poppler_document_new_from_bytes(bytes, NULL, &error);
	g_bytes_unref(bytes);
	if (*ret_document)
		return 0;
	if (g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
		r = sink_error(sink, "encrypted: the PDF needs a password");
	else
		r = sink_error(sink, "corrupt: the PDF cannot be opened (%s)",
			       error ? error->message : "no reason given");
	g_clear_error(&error);
	return r;
}

/* leptonica keeps the bytes of a word the most significant first. */
static void line_put(l_uint32 *line, int x, uint8_t value)
{
	int shift = 24 - 8 * (x & 3);

	line[x >> 2] = (line[x >> 2] & ~(0xFFU << shift)) | (uint32_t)value << shift;
}

static uint8_t grey(uint32_t pixel)
{
	return (uint8_t)(((pixel >> 16 & 255) * 77 + (pixel >> 8 & 255) * 150 + (pixel & 255) * 29) >> 8);
}

/* The page as a grey picture, or NULL when it is too large or memory is short. */
static PIX *render(PopplerPage *page)
{
	double width, height;
	int dpi = RENDER_DPI, columns, rows;
	cairo_surface_t *surface;
	PIX *picture = NULL;
	cairo_t *cairo;

	poppler_page_get_size(page, &width, &height);
	while (dpi > RENDER_DPI_LEAST &&
	       width * height / POINTS_PER_INCH / POINTS_PER_INCH * dpi * dpi > OCR_PIXELS_MAX / 4.0)
		dpi /= 2;
	if (!(width > 0 && height > 0 &&
	      width * height / POINTS_PER_INCH / POINTS_PER_INCH * dpi * dpi <= OCR_PIXELS_MAX / 4.0))
		return NULL;
	columns = (int)(width * dpi / POINTS_PER_INCH + 0.5);
	rows = (int)(height * dpi / POINTS_PER_INCH + 0.5);
	surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
	cairo = cairo_create(surface);
	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	cairo_scale(cairo, (double)dpi / POINTS_PER_INCH, (double)dpi / POINTS_PER_INCH);
	poppler_page_render(page, cairo);
	cairo_surface_flush(surface);
	if (cairo_status(cairo) == CAIRO_STATUS_SUCCESS && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
		picture = pixCreate(columns, rows, 8);
	for (int y = 0; picture && y < rows; y++) {
		const uint8_t *line = cairo_image_surface_get_data(surface) +
				      (size_t)y * (size_t)cairo_image_surface_get_stride(surface);
		l_uint32 *target = pixGetData(picture) + (size_t)y * (size_t)pixGetWpl(picture);

		for (int x = 0; x < columns; x++) {
			uint32_t pixel;

			memcpy(&pixel, line + 4 * (size_t)x, sizeof(pixel));
			line_put(target, x, grey(pixel));
		}
	}
	if (picture)
		pixSetResolution(picture, dpi, dpi);
	cairo_destroy(cairo);
	cairo_surface_destroy(surface);
	return picture;
}

static int recognise_page(struct reading *reading, PopplerPage *page, int number)
{
	PIX *picture = render(page);
	int r;

	if (!picture) {
		sink_warning(reading->sink, "page %d is too large to recognise its text", number);
		return 0;
	}
	r = ocr_picture(picture, reading->sink, NULL);
	pixDestroy(&picture);
	if (r == -ENOTSUP || r == -EIO) {
		sink_warning(reading->sink, "the text of page %d could not be recognised", number);
		return 0;
	}
	return r;
}

static bool has_words(const char *text)
{
	for (; *text; text++)
		if (!strchr(" \t\r\n\f\v", *text))
			return true;
	return false;
}

/* Something drawn without text: a scan. A page with neither stays as it is. */
static bool has_picture(PopplerPage *page)
{
	GList *images = poppler_page_get_image_mapping(page);
	bool is_there = images != NULL;

	poppler_page_free_image_mapping(images);
	return is_there;
}

static int read_page_text(struct reading *reading, PopplerPage *page, int number)
{
	autobuf struct buf text = BUF_INIT(PAGE_MAX_BYTES);
	int r = 0;

	pdf_page_text(page, &text);
	if (has_words(text.data)) {
		buf_putc(&text, '\n');
		r = sink_text(reading->sink, text.data, text.length);
	} else if (has_picture(page)) {
		reading->pages_without_text++;
		if (reading->in->is_ocr)
			r = recognise_page(reading, page, number);
		else
			sink_want_ocr(reading->sink);
	}
	return r;
}

static int read_page(struct reading *reading, int index)
{
	PopplerPage *page = poppler_document_get_page(reading->document, index);
	double width, height;
	int r;

	if (!page) {
		sink_warning(reading->sink, "page %d is damaged and was left out", index + 1);
		return sink_page(reading->sink);
	}
	poppler_page_get_size(page, &width, &height);
	buf_printf(&reading->sizes, "%s[%.1f,%.1f]", reading->sizes.length > 0 ? "," : "", width, height);
	pdf_put_links(page, index + 1, &reading->links);
	pdf_put_fields(page, index + 1, &reading->fields);
	r = sink_page(reading->sink);
	if (r == 0)
		r = read_page_text(reading, page, index + 1);
	g_object_unref(page);
	return r;
}

static void put_list(struct reading *reading, const char *key, struct buf *members)
{
	autobuf struct buf array = BUF_INIT(FACTS_MAX_BYTES + 8);

	if (members->length == 0)
		return;
	if (buf_error(members) < 0) {
		sink_warning(reading->sink, "the list of %s is too long and was left out", key);
		return;
	}
	buf_printf(&array, "[%s]", members->data);
	sink_data_member(reading->sink, key, array.data, array.length);
}

static int read_document(struct reading *reading)
{
	int pages = poppler_document_get_n_pages(reading->document), r = 0;

	pdf_put_properties(reading->document, reading->sink);
	pdf_put_outline(reading->document, reading->sink);
	for (int i = 0; i < pages && r == 0; i++)
		r = read_page(reading, i);
	put_list(reading, "page_sizes", &reading->sizes);
	put_list(reading, "links", &reading->links);
	put_list(reading, "form_fields", &reading->fields);
	if (reading->pages_without_text > 0 && !reading->in->is_ocr)
		sink_confidence(reading->sink, 500, "pages hold pictures whose text was not recognised yet");
	if (r >= 0)
		r = pdf_put_attachments(reading->document, reading->in, reading->sink);
	return r < 0 ? r : 0;
}

static int extract(struct extract_input *in, struct sink *sink)
{
	struct reading reading = {.in = in,
				  .sink = sink,
				  .sizes = BUF_INIT(FACTS_MAX_BYTES),
				  .links = BUF_INIT(FACTS_MAX_BYTES),
				  .fields = BUF_INIT(FACTS_MAX_BYTES)};
	int r = open_document(in, sink, &reading.document);

	if (r < 0)
		return r;
	r = read_document(&reading);
	g_object_unref(reading.document);
	buf_release(&reading.sizes);
	buf_release(&reading.links);
	buf_release(&reading.fields);
	return r;
}

/* Without models a PDF is still read; only its scanned pages are not. */
static int preload(bool is_ocr)
{
	int r = ocr_preload(is_ocr);

	return r == -ENOENT ? 0 : r;
}

static const char *const media_types[] = {"application/pdf", "application/x-pdf", NULL};

const struct extractor extractor_pdf = {
	.name = "pdf", .version = 1, .media_types = media_types, .preload = preload, .extract = extract};
