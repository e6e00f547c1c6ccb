/*
 * Putting a chunked upload together: its chunks, in the order of their index, into the file whose id the client was given.
 *
 * May be broken off at any point and begun again by another shim: the chunks stay until the file has its name, and a file that
 * has it is only noted.
 */
#pragma once
#include <stdbool.h>

struct db;
struct request;
struct server;
struct tenant;
struct upload_row;

/* Takes one upload that waits, if there is one, and assembles it. 1: there was one; 0: none; -EAGAIN. */
int assembly_run_one(struct server *server, const char *worker);
/* The empty file that will hold it, made before the client is answered, for its id. */
int assembly_make_file(struct server *server, struct tenant *tenant, const struct upload_row *row, const char *extension,
		       char *ret_file_id);
/* Removes an upload's folder with all that is in it. */
int assembly_remove_folder(struct server *server, struct tenant *tenant, const char *folder);
/* "…/.upload-UUID" and 3 → "…/.upload-UUID/.3". */
enum { CHUNK_PATH_SIZE = 160 };
void assembly_chunk_path(const char *folder, long long index, char ret_path[CHUNK_PATH_SIZE]);
