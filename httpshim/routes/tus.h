/*
 * tus 1.0 under /api/v1/uploads: creation, creation-with-upload, expiration, checksum, termination, concatenation.
 *
 * An upload is a working file that grows; how far it is, the mount knows best, so the offset is always asked there. One request
 * at a time appends to it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "httpshim/multipart.h"
#include "httpshim/upload_rows.h"
#include "httpshim/working_file.h"

struct leased_db;
struct request;

#define TUS_VERSION	 "1.0.0"
#define TUS_EXTENSIONS	 "creation,creation-with-upload,expiration,checksum,termination,concatenation"
#define TUS_CHECKSUMS	 "sha1,sha256,md5"
#define TUS_CONTENT_TYPE "application/offset+octet-stream"

enum { TUS_HEADER_BYTES = 8192, TUS_PARTS_MAX = 64 };

/* Tus-Resumable is as it must be. False: 412 is set. */
bool tus_check_version(struct request *request);
/* A header that is a number; -1: absent. False: malformed, 400 is set. */
bool tus_number(struct request *request, const char *name, const char *text, int64_t *ret_number);
/* Upload-Expires. */
void tus_put_expires(struct request *request, int64_t expires_ns);
/* The caller's upload. -ENOENT: none, or not theirs. */
int tus_find(struct request *request, struct leased_db *leased, const char *upload_id, struct upload_row *ret_row);
/* Where it stands, by its file. -ENOENT: the file is gone. */
int tus_offset(struct request *request, const struct upload_row *row, int64_t *ret_offset);

/* --- metadata (tus_metadata.c) --- */

/*
 * Upload-Metadata as a JSON object of texts: {"filename": …}. -EINVAL: malformed, no UTF-8, a key twice.
 */
int tus_metadata_parse(const char *header, json_t **ret_metadata);
/* What the file is called and the folder below the month it goes to ("" or "a/b"). NULL: fine; else why not. */
const char *tus_metadata_name(const json_t *metadata, struct bytes *ret_name, struct bytes *ret_folder);

/* --- the end (tus_finish.c) --- */

/* All bytes are there: gives the file its name. Answers errors; 0 or -ECANCELED. */
int tus_finish(struct request *request, const struct upload_row *row, struct working_file *file);
int tus_append(struct request *request); /* PATCH */
extern const struct route_hooks tus_append_hooks;
