/* Cutting or growing an open file. No lock held. 0, REQUEST_PARKED, or the errors of bytes_begin() and the store. */
#pragma once
#include "fusefs/open_file.h"

int truncate_open(struct request *request, struct open_file *open, int64_t size);
