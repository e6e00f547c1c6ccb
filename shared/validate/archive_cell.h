/* A process from which nothing can be reached but what it was handed. Private to shared/validate. */
#pragma once
#include <stdint.h>
#include "shared/validate/archive.h"

/* For the judge: no descriptor but keep_fd and the standard ones (which become /dev/null), no privilege, no core.
 * -errno. */
int cell_prepare(int keep_fd);
/* For a child that reads one archive: memory, time and system calls limited for good. -errno: do not go on. */
int cell_enter(const struct archive_limits *limits);
