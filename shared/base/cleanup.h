/*
 * Ownership in the declaration: what is declared autoclose or autofree is given back when its scope ends, unless it was
 * handed over with take_fd() or take_ptr().
 */
#pragma once
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define cleanup(function) __attribute__((__cleanup__(function)))
#define autoclose	  cleanup(cleanup_fd)
#define autofree	  cleanup(cleanup_free)
#define take_ptr(pointer)                                                                                              \
	({                                                                                                             \
		__auto_type taken_ = *(pointer);                                                                       \
		*(pointer) = NULL;                                                                                     \
		taken_;                                                                                                \
	})
