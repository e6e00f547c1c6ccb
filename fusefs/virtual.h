/* Files made when they are opened: .stats, and what lies in .extract. The text lives in the handle. */
#pragma once
#include "fusefs/request.h"
#include "shared/base/buf.h"

/* Replies to an open with a handle that holds the text; takes it over. direct: its size is not known beforehand. */
int text_open(struct request *request, struct buf *text, bool direct);
int text_read(struct request *request);
void text_release(struct request *request);

int stats_open(struct request *request);
int stats_read(struct request *request);
void stats_release(struct request *request);
