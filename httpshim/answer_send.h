/* Handing a finished answer to libmicrohttpd, or, while the body still comes in, straight to the socket. */
#pragma once
#include <stdbool.h>

struct request;

/* On the epoll thread, in the final callback (or the first one, which closes the connection). False: close it. */
bool answer_send(struct request *request);
/*
 * libmicrohttpd takes no answer while a body is coming in. This writes one to the socket itself, which ends what may be sent on
 * this connection; the rest of the body is read and thrown away for a moment so that the client gets to see the answer.
 */
bool answer_send_raw(struct request *request);
