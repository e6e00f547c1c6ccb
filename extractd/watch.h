/*
 * The second hint beside NOTIFY: libinotifytools on the backing tree. A new object in a month folder wakes the queue.
 * It only ever saves time: what inotify loses (its queue overflows, a folder is new, the limit of watches is reached)
 * is in the database.
 */
#pragma once
#include "extractd/exchange.h"

/* Starts a thread that ends with the process (it sleeps in read()). A machine without inotify is warned of, no more. */
void watch_start(const char *base_path, struct exchange *exchange);
