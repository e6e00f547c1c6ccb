/* The system calls that a child may make, as a seccomp program. */
#pragma once
#include <stdbool.h>
#include <linux/filter.h>

struct syscall_filter {
	struct sock_fprog program;
};

/* may_open: whether files may be opened at all (Landlock says which). The program is kept for the life of the process.
 */
int syscall_filter_build(bool may_open, struct syscall_filter *ret_filter);
/* For this thread and for good. no_new_privs must be set. */
int syscall_filter_apply(const struct syscall_filter *filter);
