/* A file as JSON, with the names of both seeds: id and file_id, original_filename and file_name, file_size and file_size_bytes, …. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "httpshim/schema.h"

struct buf;
struct file_row;
struct request;
struct server;
struct tenant;

extern const struct schema file_schema, file_list_schema;

/* What stands in a kept answer where the address of this server belongs; no JSON text holds this byte. */
#define FILE_VIEW_BASE_MARK "\x01"

/* How the client reaches this server: PUBLIC_URL, else by its Host. Without a slash at the end. */
void url_base(const struct request *request, char *ret_base, size_t size);

/* What a dataset has beyond its file, or instead: its name without extension, its description. */
struct dataset_view {
	const char *name, *description, *summary; /* summary: NULL when there is none yet */
	const char *mount_path;			  /* where the tenants' folders are */
};
extern const struct schema dataset_schema, dataset_list_schema;

/* base: url_base() or FILE_VIEW_BASE_MARK. Errors stick in the buffer. */
void dataset_view_put(struct buf *buf, const struct server *server, const struct tenant *tenant, const char *base,
		      const struct file_row *row, const struct dataset_view *dataset);
void file_view_put(struct buf *buf, const struct server *server, const struct tenant *tenant, const char *base,
		   const struct file_row *row);
/* The link that opens a file: signed, or plain when it is public. */
void file_view_put_url(struct buf *buf, const struct server *server, const char *tenant_code, const char *base,
		       const char *file_id, bool is_public);
/* A text that holds the mark, with the address in its place. */
int file_view_put_based(struct buf *buf, const char *text, size_t length, const char *base);
