/* Whether an archive may be taken: how deep it is nested, and to what it unpacks. Private to shared/validate. */
#pragma once
#include "shared/validate/content_type.h"

#define ARCHIVE_INFLATED_FLOOR (128ULL << 20)

enum archive_finding {
	ARCHIVE_FINE,
	ARCHIVE_TOO_DEEP,
	ARCHIVE_TOO_BIG,    /* unpacks to more than it may */
	ARCHIVE_TOO_MANY,   /* entries */
	ARCHIVE_TOO_SLOW,   /* takes more processor time than any honest archive of its size */
	ARCHIVE_TOO_HUNGRY, /* takes more memory */
	ARCHIVE_CORRUPT,
	ARCHIVE_UNREADABLE /* no finding: the descriptor failed, or memory ran out; error says how */
};

struct archive_limits {
	int depth_max;		  /* archives on the way to an entry, the outermost not counted */
	uint64_t inflated_max;	  /* bytes, all levels together */
	uint32_t entries_max;	  /* all levels together */
	int64_t processor_max_ns; /* of this thread */
	uint64_t buffered_max;	  /* bytes of inner archives that must be read out of order, in memory */
};

enum { ARCHIVE_WORDS_SIZE = 160 };

struct archive_report {
	enum archive_finding finding;
	int error; /* negative errno of ARCHIVE_UNREADABLE */
	int depth; /* the deepest level seen */
	uint32_t entries;
	uint64_t inflated;
	char words[ARCHIVE_WORDS_SIZE]; /* the entry concerned, or what the reader says is corrupt; "" */
};

/* What an honest archive of that size stays within; archive.c gives the reasons. */
void archive_limits_set(struct archive_limits *limits, uint64_t size_bytes, int depth_max);
/* archive_declared.c: bytes, a lower bound; 0: it does not say. */
uint64_t archive_declared(int fd, uint64_t size_bytes, enum archive_kind kind, bool *ret_is_certain);
/* Reads with pread; the descriptor's offset stays. kind: not ARCHIVE_NONE. */
void archive_examine(int fd, uint64_t size_bytes, enum archive_kind kind, const struct archive_limits *limits,
		     struct archive_report *ret_report);
/* archive_judge.c: the same in a process of its own, once validate_start_judge() has been called. */
void archive_judge(int fd, uint64_t size_bytes, enum archive_kind kind, const struct archive_limits *limits,
		   struct archive_report *ret_report);
