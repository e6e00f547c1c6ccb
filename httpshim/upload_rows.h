/* Unfinished uploads as rows: chunked ones and tus. What they hold lies in the mount, under the folder named here. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "httpshim/uuid.h"
#include "shared/base/digest.h"

struct db;
struct request;

enum { UPLOAD_FOLDER_SIZE = 96 /* "2026-11/.upload-UUID.extension" */ };

struct upload_row {
	char upload_id[UUID_SIZE];
	char protocol;	/* c t */
	char state[16]; /* open assembling done failed */
	char subject[256];
	char file_id[FILE_ID_SIZE]; /* "": none yet */
	char folder[UPLOAD_FOLDER_SIZE];
	int64_t size_bytes; /* -1: not told yet */
	json_t *request, *credential;
	char *error; /* NULL: none */
	bool is_partial, is_worked_on, is_expired;
	int64_t expires_ns;
};
#define autoupload cleanup(upload_row_release)
void upload_row_release(struct upload_row *row);

/* By its id, or, with upload_id NULL, by an id of its file. -ENOENT. */
int upload_row_find(struct db *db, int64_t tenant_id, const char *upload_id, const char *file_id, struct upload_row *ret_row);

struct upload_creation {
	char protocol;
	const char *upload_id, *folder;
	int64_t size_bytes; /* -1: not told yet */
	const json_t *request;
	bool is_partial;
};
/* For the caller of this request. */
int upload_row_create(const struct request *request, struct db *db, const struct upload_creation *creation,
		      int64_t *ret_expires_ns);
int upload_row_delete(struct db *db, int64_t tenant_id, const char *upload_id);

struct upload_chunk {
	int64_t index, size_bytes;
};
/* *ret_chunks is the caller's to free; in the order of their index. */
int upload_row_chunks(struct db *db, int64_t tenant_id, const char *upload_id, struct upload_chunk **ret_chunks, int *ret_count);

/* The month's folder name and the working name of an upload. */
void upload_folder(const char *upload_id, char ret_folder[UPLOAD_FOLDER_SIZE]);
