/*
 * The bounds of one extraction. A limit that is reached makes the result partial, with a warning; it is not a failure.
 * The daemon sends them with the job (retries get lower ones); the command-line mode uses the defaults.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct limits {
	uint64_t text_bytes;	 /* of all text together */
	uint64_t data_bytes;	 /* of metadata and data together, as JSON */
	uint64_t inflated_bytes; /* everything decompressed, counted as it comes out: declared sizes lie */
	uint64_t memory_bytes;	 /* RLIMIT_AS of the worker beside the mapped input */
	uint32_t pages;
	uint32_t depth;	  /* files within files */
	uint32_t entries; /* embedded files and attachments, all levels together */
	uint32_t time_ms; /* wall clock; the extractor is asked to stop at four fifths and killed at the end */
};

#define LIMITS_DEFAULT                                                                                                 \
	((struct limits){.text_bytes = 16U << 20,                                                                      \
			 .data_bytes = 16U << 20,                                                                      \
			 .inflated_bytes = 1U << 30,                                                                   \
			 .memory_bytes = 1U << 30,                                                                     \
			 .pages = 10000,                                                                               \
			 .depth = 10,                                                                                  \
			 .entries = 50000,                                                                             \
			 .time_ms = 60000})
#define LIMITS_OCR_MEMORY_BYTES (2ULL << 30)
#define LIMITS_OCR_TIME_MS	300000
