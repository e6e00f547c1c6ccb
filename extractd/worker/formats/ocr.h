/*
 * Recognising text in pictures: tesseract behind one function. Only in the zygote of the OCR lane, which loads the
 * models once; its children share them. One thread (OMP_THREAD_LIMIT=1: more make tesseract slower).
 */
#pragma once
#include <leptonica/allheaders.h>
#include "extractd/worker/extractor.h"

/* Nothing when is_ocr is false. -ENOENT: the models of ocr_languages() are not installed. */
int ocr_preload(bool is_ocr);
/*
 * Gives the picture's text to the sink and appends each word as [text, confidence, x, y, width, height] to words (a
 * JSON array under construction; NULL: not wanted). Lowers the sink's confidence to the mean of the words'. 0; -ETIME,
 * -EPIPE; -ENOTSUP: no model was loaded; -EIO: tesseract failed. The picture stays the caller's.
 */
int ocr_picture(PIX *picture, struct sink *sink, struct buf *words);

/* Pixels, above which a picture is not decoded at all: 4 bytes each must fit beside the models. */
#define OCR_PIXELS_MAX (100U * 1000 * 1000)
