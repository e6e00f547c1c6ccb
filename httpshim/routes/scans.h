/* Scan jobs: how often each letter stands in a file. */
#pragma once

struct request;
struct upload_sink;

int scan_start(struct request *request, struct upload_sink *sink);
int scan_answer(struct request *request, const char *job_id); /* GET /api/v1/files/{job_id} */
