/* Inside of an input: how the dispatcher makes one. */
#pragma once
#include "extractd/worker/extractor.h"

/* The memory file that input_path() fills; made before the sandbox closes. */
int input_prepare_copy(void);
int input_copy_fd(void);
void input_set_copy_fd(int fd);
/* Unmaps what input_bytes() mapped. The descriptor is the caller's. */
void input_release(struct extract_input *in);
