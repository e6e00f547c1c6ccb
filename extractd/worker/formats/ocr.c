#include "extractd/worker/formats/ocr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tesseract/capi.h>
#include "shared/base/text.h"

enum { WORD_COUNT_MAX = 20000, RESOLUTION_DEFAULT = 300, RESOLUTION_LEAST = 70, SIDE_LEAST_PIXELS = 8 };

/* The zygote's, shared by its children; a process serves one file, so a static is a context here. */
static TessBaseAPI *engine;

int ocr_preload(bool is_ocr)
{
	if (!is_ocr || engine)
		return 0;
	/* Before tesseract's first parallel region: OpenMP reads it once. */
	setenv("OMP_THREAD_LIMIT", "1", 1);
	engine = TessBaseAPICreate();
	if (!engine)
		return -ENOMEM;
	if (TessBaseAPIInit3(engine, NULL, ocr_languages()) != 0) {
		TessBaseAPIDelete(engine);
		engine = NULL;
		return -ENOENT;
	}
	TessBaseAPISetVariable(engine, "debug_file", "/dev/null");
	return 0;
}

static bool is_stopped(void *context, int words)
{
	(void)words;
	return sink_should_stop(context);
}

/* One word with its place; returns its confidence in percent, or -1 for none. */
static double put_word(TessResultIterator *iterator, struct buf *words)
{
	char *text = TessResultIteratorGetUTF8Text(iterator, RIL_WORD);
	double confidence = (double)TessResultIteratorConfidence(iterator, RIL_WORD);
	int left, top, right, bottom;

	if (!text)
		return -1;
	if (words && TessPageIteratorBoundingBox(TessResultIteratorGetPageIterator(iterator), RIL_WORD, &left, &top,
						 &right, &bottom)) {
		if (words->length > 0 && words->data[words->length - 1] == ']')
			buf_putc(words, ',');
		buf_putc(words, '[');
		json_put_string(words, text, strlen(text));
		buf_printf(words, ",%.1f,%d,%d,%d,%d]", confidence, left, top, right - left, bottom - top);
	}
	TessDeleteText(text);
	return confidence;
}

static void put_words(struct sink *sink, struct buf *words)
{
	TessResultIterator *iterator = TessBaseAPIGetIterator(engine);
	double sum = 0;
	unsigned count = 0;

	if (!iterator)
		return;
	do {
		double confidence = put_word(iterator, count < WORD_COUNT_MAX ? words : NULL);

		if (confidence >= 0) {
			sum += confidence;
			count++;
		}
	} while (TessResultIteratorNext(iterator, RIL_WORD));
	TessResultIteratorDelete(iterator);
	if (count > 0)
		sink_confidence(sink, (unsigned)(sum / count * 10), "text was recognised in a picture");
}

static int recognise(struct sink *sink, struct buf *words)
{
	ETEXT_DESC *monitor = TessMonitorCreate();
	char *text;
	int r;

	if (!monitor)
		return -ENOMEM;
	TessMonitorSetCancelFunc(monitor, is_stopped);
	TessMonitorSetCancelThis(monitor, sink);
	r = TessBaseAPIRecognize(engine, monitor);
	TessMonitorDelete(monitor);
	if (r != 0)
		return sink_should_stop(sink) ? -ETIME : -EIO;
	text = TessBaseAPIGetUTF8Text(engine);
	if (!text)
		return -EIO;
	r = sink_puts(sink, text);
	TessDeleteText(text);
	if (r >= 0)
		put_words(sink, words);
	return r < 0 ? r : 0;
}

int ocr_picture(PIX *picture, struct sink *sink, struct buf *words)
{
	int r;

	if (!engine)
		return -ENOTSUP;
	if (pixGetWidth(picture) < SIDE_LEAST_PIXELS || pixGetHeight(picture) < SIDE_LEAST_PIXELS)
		return 0; /* nothing to read, and tesseract complains */
	TessBaseAPISetImage2(engine, picture);
	if (pixGetXRes(picture) < RESOLUTION_LEAST)
		TessBaseAPISetSourceResolution(engine, RESOLUTION_DEFAULT);
	r = recognise(sink, words);
	TessBaseAPIClear(engine);
	return r;
}
