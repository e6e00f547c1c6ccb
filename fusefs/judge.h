/*
 * Whether a file may have another name: the extension, and its published content against it. Reading the content must
 * not happen under the lock, so the operation is left, the content judged, and the operation begun again, which finds
 * the verdict in the request.
 */
#pragma once
#include "fusefs/tenant.h"

enum { JUDGE_FIRST = 2 };

/*
 * Lock held. 0: it may. -EPERM: it may not, recorded. -EAGAIN. JUDGE_FIRST: unlock, call judge_now() and begin again
 * while that returns 0.
 */
int judge_new_name(struct request *request, struct tenant *tenant, struct file *file, const char *name, size_t length);
int judge_now(struct request *request);
