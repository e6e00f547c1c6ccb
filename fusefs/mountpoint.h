/* Whether a folder can be mounted on, said in words before anything else is done. */
#pragma once
#include <stddef.h>

/* Makes path absolute in ret_path (PATH_MAX). Negative errno and a sentence in ret_error. */
int mountpoint_check(const char *path, char *ret_path, char *ret_error, size_t error_size);
/* The stored bytes inside the mount, or the mount among them: neither. */
int mountpoint_check_base(const char *mountpoint, const char *base_path, char *ret_error, size_t error_size);
