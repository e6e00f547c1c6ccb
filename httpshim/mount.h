/*
 * The mount, as the shim uses it: every change of a file goes through here, with the ids of the tenant's owner and never over a
 * symbolic link.
 *
 * Paths are below the tenant's folder: "2026-11/.upload-…". Calls wait for the file system, so they are for workers. Errors are
 * negative errno; -ENOTCONN: the mount is away.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mount;
struct tenant;

int mount_new(const char *path, struct mount **ret_mount);
void mount_free(struct mount *mount);
/* Whether something is mounted there and answers. */
bool mount_is_up(struct mount *mount);

/*
 * From here to identity_leave() this thread's file system calls are the tenant owner's, when the process is root; an ordinary user
 * can only be itself.
 */
void identity_enter(const struct tenant *tenant);
void identity_leave(void);

/* flags and mode as open(2). The descriptor is the caller's. */
int mount_open(struct mount *mount, const struct tenant *tenant, const char *path, int flags, mode_t mode, int *ret_fd);
/* A file by its id, whatever it is called: read-only, or O_RDWR | O_TRUNC. */
int mount_open_file(struct mount *mount, const struct tenant *tenant, const char *file_id, int flags, int *ret_fd);
int mount_make_folder(struct mount *mount, const struct tenant *tenant, const char *path);
int mount_remove_folder(struct mount *mount, const struct tenant *tenant, const char *path);
int mount_remove(struct mount *mount, const struct tenant *tenant, const char *path);
int mount_remove_file(struct mount *mount, const struct tenant *tenant, const char *file_id);
/* Calls visit for every name in a folder but . and ..; it may remove what it is given. Ends with its first error. */
int mount_list(struct mount *mount, const struct tenant *tenant, const char *path, int (*visit)(const char *name, void *context),
	       void *context);
/* Over what has the name, if anything. */
int mount_replace(struct mount *mount, const struct tenant *tenant, const char *from, const char *to);
/* -EEXIST: to is taken. */
int mount_rename(struct mount *mount, const struct tenant *tenant, const char *from, const char *to);
/* Waits until everything answered for this tenant is in PostgreSQL. */
int mount_wait_committed(struct mount *mount, const struct tenant *tenant);

/* By id: sets a user's attribute (tags, description, metadata, visibility). length 0 removes it. */
int mount_set_attribute(struct mount *mount, const struct tenant *tenant, const char *file_id, const char *name,
			const void *value, size_t length);
/* What only the shim may say of a file it writes: uploaded_by, original_name. As the daemon, not as the owner. */
int mount_set_privileged(int fd, const char *name, const void *value, size_t length);
int mount_set_privileged_at(struct mount *mount, const struct tenant *tenant, const char *path, const char *name,
			    const void *value, size_t length);
/* Reads a short text attribute of an open file. */
int mount_get_attribute(int fd, const char *name, char *ret_text, size_t size);

/* The bytes of the file system below, for the health report. */
int mount_space(struct mount *mount, uint64_t *ret_total_bytes, uint64_t *ret_free_bytes);
