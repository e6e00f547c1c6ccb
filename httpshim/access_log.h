/* One JSON line a request, on stderr. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct request;

/* status 0: the client went away before there was an answer. */
void access_log_write(const struct request *request, int status, uint64_t bytes_out, int64_t duration_ns);
