/* Opening stored content for reading: below the base folder only, whatever a row says. */
#pragma once

/* A descriptor of <base>. Negative errno. */
int object_base_open(const char *base_path);
/*
 * <base>/<tenant_code>/<path>, read-only, never through a symbolic link or out of the folder. The descriptor is the
 * caller's. -ENOENT: the object is gone. -EINVAL: no regular file.
 */
int object_open(int base_fd, const char *tenant_code, const char *path, int *ret_fd);
