/* Threads that take no signals: those are for the main thread, which waits for them. */
#pragma once
#include <pthread.h>

/* Negative errno. stack_bytes 0: as the system has it. */
int thread_start(pthread_t *ret_thread, size_t stack_bytes, void *(*run)(void *context), void *context);
