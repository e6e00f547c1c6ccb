/* The child of a zygote: puts the sandbox on, waits for one job, does it, ends. */
#pragma once
#include <sys/types.h>

/* Never returns. socket_fd: its end of the pair with the daemon. */
__attribute__((noreturn)) void child_main(int socket_fd, pid_t parent);
