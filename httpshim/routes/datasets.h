/* Datasets: CSV files with a name of their own for each user, summarised before the answer; and the active one of a session. */
#pragma once

struct request;
struct upload_sink;

/* The end of POST /api/v1/files with a dataset in it. May park the request until the summary is there. */
int dataset_store(struct request *request, struct upload_sink *sink);
/* GET and DELETE of /api/v1/files/{name}. */
int dataset_answer(struct request *request, const char *name);
int dataset_remove(struct request *request, const char *name);
