/* The active file of a user in a session: a row, and the same in Redis for who reads it there. */
#pragma once

struct db;
struct file_row;
struct request;
struct dataset_view;

extern const struct schema active_file_schema;
/* Makes a dataset the active one. */
int active_file_set(struct request *request, struct db *db, const char *session_id, const struct file_row *row,
		    const struct dataset_view *dataset);
/* Its dataset is gone. */
void active_file_forget(struct request *request, const char *session_id);
int active_file_get_answer(struct request *request); /* GET /api/v1/files/active/{session} */
int active_file_set_answer(struct request *request); /* POST */
