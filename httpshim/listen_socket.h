/* Sockets to listen on, from "host:port", "[v6]:port", ":port" or "unix:/path". */
#pragma once
#include <stdbool.h>

/* -EINVAL: no such form; else what the system says. The socket is the caller's. */
int listen_socket_open(const char *address, int *ret_socket);
/* Whether only this machine can reach it. */
bool listen_socket_is_local(const char *address);
