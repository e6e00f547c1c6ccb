/* Going into the background so that whoever started it learns whether it worked. */
#pragma once

/*
 * Forks; only the child returns, with *ret_ready_fd to be told. The parent waits: it exits with 0 once the child has
 * called daemon_ready(), with 1 when the child ended before. Before any thread or connection is made. Negative errno.
 */
int daemon_start(int *ret_ready_fd);
/* The mount answers: the parent may go. The terminal is let go of, too. */
void daemon_ready(int ready_fd);
