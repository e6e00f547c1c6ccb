/* EXIF of photos, wherever a format keeps it, through libexif. */
#pragma once
#include "extractd/worker/sink.h"

/*
 * Finds the EXIF block of a JPEG, PNG, WebP or TIFF and gives it to the sink's metadata as exif:NAME, with the place as
 * geo:lat and geo:long in degrees. 0; -ENOENT: there is none.
 */
int exif_put(const uint8_t *bytes, size_t length, struct sink *sink);
