#!/usr/bin/env python3
"""Answers of workers to begin with: frames-seeds.py FOLDER. Right ones, and ones that are just a little wrong."""
import struct
import sys
from pathlib import Path

MEDIA_TYPE, EXTRACTOR, TEXT, PAGE, METADATA, DATA, SUMMARY, LETTERS, CONFIDENCE, WARNING, ERROR, WANT_OCR, DONE = range(2, 15)


def frame(kind, payload=b""):
    return struct.pack("<IBxxx", len(payload), kind) + payload


text = frame(MEDIA_TYPE, b"text/plain") + frame(EXTRACTOR, b"text 1") + frame(TEXT, "größer\n".encode())
pages = frame(PAGE) + frame(TEXT, b"one") + frame(PAGE) + frame(TEXT, b"two")
facts = frame(METADATA, b'{"dc:title":"t"}') + frame(DATA, b'{"a":[1,{"b":null}]}') + frame(SUMMARY, b"**2** rows")
numbers = frame(LETTERS, struct.pack("<26Q", *range(26))) + frame(CONFIDENCE, struct.pack("<I", 900))
end = frame(WARNING, b"only a part") + frame(DONE)
seeds = {
    "text": text + numbers + end,
    "pages": text + pages + facts + end,
    "ocr": text + frame(WANT_OCR) + end,
    "error": text + frame(ERROR, b"encrypted") + frame(DONE),
    "behind": text + end + frame(TEXT, b"more"),
    "job": frame(1, b'{"size":1}') + end,
    "cut": (text + facts)[:-3],
    "length": struct.pack("<IBxxx", 1 << 20, TEXT) + b"x",
}
for name, content in seeds.items():
    Path(sys.argv[1], name).write_bytes(content)
