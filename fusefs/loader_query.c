#include "fusefs/loader_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/buf.h"
#include "shared/meta/tenants.h"

enum { REJECTIONS_SHOWN = 20, STATS_MAX_BYTES = 1 << 20 };

static struct bytes bytes_at(const struct db_result *result, int row, int column)
{
	struct bytes bytes = {0};

	bytes.data = db_get_bytes(result, row, column, &bytes.length);
	return bytes;
}

static void copy_text(char *target, size_t size, const struct db_result *result, int row, int column)
{
	struct bytes text = bytes_at(result, row, column);

	if (text.length >= size)
		text.length = size - 1;
	if (text.length > 0)
		memcpy(target, text.data, text.length);
	target[text.length] = '\0';
}

static void read_node(const struct db_result *result, int row, struct node_row *node)
{
	node->inode = db_get_int(result, row, 2);
	node->kind = db_get_char(result, row, 3);
	node->mode = (uint32_t)db_get_int(result, row, 5);
	node->nlink = (int32_t)db_get_int(result, row, 6);
	node->uid = db_get_int(result, row, 7);
	node->gid = db_get_int(result, row, 8);
	node->rdev = db_get_int(result, row, 9);
	node->size_bytes = db_get_int(result, row, 10);
	node->atime_ns = db_get_int(result, row, 11);
	node->mtime_ns = db_get_int(result, row, 12);
	node->ctime_ns = db_get_int(result, row, 13);
	node->btime_ns = db_get_int(result, row, 14);
	node->link_target = bytes_at(result, row, 15);
	copy_text(node->file_id, sizeof(node->file_id), result, row, 16);
	node->object_id = db_get_int(result, row, 17);
	node->status = db_get_char(result, row, 18);
	node->validation = db_get_char(result, row, 19);
	node->uploaded_at_ns = db_get_int(result, row, 20);
	node->uploaded_by = bytes_at(result, row, 21);
	node->original_name = bytes_at(result, row, 22);
	node->visibility = db_get_char(result, row, 23);
	node->tags = bytes_at(result, row, 24);
	node->description = bytes_at(result, row, 25);
	node->metadata = bytes_at(result, row, 26);
}

static void read_object(const struct db_result *result, int row, struct object_row *object, const struct node_row *node)
{
	struct bytes sha256 = bytes_at(result, row, 29);

	if (db_is_null(result, row, 27))
		return;
	object->object_id = node->object_id;
	object->inode = node->inode;
	copy_text(object->path, sizeof(object->path), result, row, 27);
	object->size_bytes = db_get_int(result, row, 28);
	if (sha256.length == sizeof(object->sha256))
		memcpy(object->sha256, sha256.data, sizeof(object->sha256));
	object->media_type = bytes_at(result, row, 30);
	object->published_at_ns = db_get_int(result, row, 31);
}

static void read_entry(const struct db_result *result, int row, struct loaded_entry *entry)
{
	entry->entry.parent_inode = db_get_int(result, row, 0);
	entry->entry.name = bytes_at(result, row, 1);
	entry->entry.inode = db_get_int(result, row, 2);
	entry->entry.kind = db_get_char(result, row, 3);
	entry->entry.sequence = db_get_int(result, row, 4);
	read_node(result, row, &entry->node);
	read_object(result, row, &entry->object, &entry->node);
	entry->attribute_bytes = db_get_int(result, row, 32);
	entry->attribute_count = (int32_t)db_get_int(result, row, 33);
}

static int run_entries(struct db *db, struct pending_load *load, enum query_id query, const struct db_params *params)
{
	autoresult struct db_result *result = NULL;
	autofree struct loaded_entry *entries = NULL;
	int r = db_run(db, query, params, &result), count;

	if (r < 0)
		return r;
	count = db_rows(result);
	entries = calloc((size_t)count + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (int i = 0; i < count; i++)
		read_entry(result, i, &entries[i]);
	if (count == 0 && (load->kind == LOAD_NODE || load->kind == LOAD_FILE))
		load->done.entry(load->context, -ENOENT, NULL, 0, true);
	else
		load->done.entry(load->context, 0, entries, count, load->kind != LOAD_LIST || count < load->limit);
	return 0;
}

static int load_entries(struct db *db, struct pending_load *load)
{
	static const enum query_id query_of[] = {[LOAD_ENTRY] = QUERY_LOAD_ENTRY,
						 [LOAD_LIST] = QUERY_LOAD_LIST,
						 [LOAD_NODE] = QUERY_LOAD_NODE,
						 [LOAD_FILE] = QUERY_LOAD_FILE};
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, load->tenant_id);
	if (load->kind == LOAD_FILE)
		db_param_text_n(&params, load->text, load->length);
	else
		db_param_int(&params, load->number);
	if (load->kind == LOAD_ENTRY)
		db_param_bytes(&params, load->text, load->length);
	if (load->kind == LOAD_LIST) {
		db_param_int(&params, load->value);
		db_param_int(&params, load->limit);
	}
	return run_entries(db, load, query_of[load->kind], &params);
}

static int load_attributes(struct db *db, struct pending_load *load)
{
	autoresult struct db_result *result = NULL;
	autofree struct attribute_row *attributes = NULL;
	autoparams struct db_params params;
	int r;

	db_params_init(&params);
	db_param_int(&params, load->tenant_id);
	db_param_int(&params, load->number);
	r = db_run(db, QUERY_LOAD_ATTRIBUTES, &params, &result);
	if (r < 0)
		return r;
	attributes = calloc((size_t)db_rows(result) + 1, sizeof(*attributes));
	if (!attributes)
		return -ENOMEM;
	for (int i = 0; i < db_rows(result); i++)
		attributes[i] = (struct attribute_row){
			.inode = load->number, .name = bytes_at(result, i, 0), .value = bytes_at(result, i, 1)};
	load->done.attributes(load->context, 0, attributes, db_rows(result));
	return 0;
}

static void read_extraction(const struct db_result *result, struct loaded_extraction *extraction)
{
	extraction->status = db_get_char(result, 0, 0);
	db_get_uuid(result, 0, 1, extraction->job_id);
	extraction->processed_at_ns = db_get_time(result, 0, db_is_null(result, 0, 2) ? 16 : 2);
	extraction->extractor = bytes_at(result, 0, 4);
	extraction->media_type = bytes_at(result, 0, 5);
	extraction->text = bytes_at(result, 0, 6);
	extraction->text_bytes = db_get_int(result, 0, 7);
	extraction->metadata = bytes_at(result, 0, 9);
	extraction->data = bytes_at(result, 0, 10);
	extraction->summary = bytes_at(result, 0, 11);
	extraction->confidence = db_get_double(result, 0, 12);
	extraction->warnings = bytes_at(result, 0, 13);
	extraction->error = bytes_at(result, 0, db_is_null(result, 0, 14) ? 3 : 14);
	extraction->duration_ms = db_get_int(result, 0, 15);
	extraction->text_was_loaded = extraction->text.data || extraction->text_bytes == 0;
}

static int load_extraction(struct db *db, struct pending_load *load)
{
	autoresult struct db_result *result = NULL;
	struct loaded_extraction extraction = {0};
	autoparams struct db_params params;
	autofree int64_t *pages = NULL;
	int r;

	db_params_init(&params);
	db_param_int(&params, load->tenant_id);
	db_param_bytes(&params, load->sha256, sizeof(load->sha256));
	db_param_int(&params, load->value);
	r = db_run(db, QUERY_LOAD_EXTRACTION, &params, &result);
	if (r == 0)
		r = db_get_int_array(result, 0, 8, &pages, &extraction.page_count);
	if (r < 0)
		return r;
	extraction.pages = pages;
	read_extraction(result, &extraction);
	load->done.extraction(load->context, 0, &extraction);
	return 0;
}

/* A code in any case but its own is another one, and a UUID, which tenant_find() takes too, is none. */
static int load_one_tenant(struct db *db, struct pending_load *load)
{
	autotenants struct tenant_list list = {0};
	int r = load->kind == LOAD_TENANT ? tenant_find(db, load->text, &list)
					  : tenant_find_by_id(db, load->tenant_id, &list);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT || (load->kind == LOAD_TENANT && strcmp(list.rows[0].code, load->text) != 0))
		load->done.tenants(load->context, -ENOENT, NULL, 0);
	else
		load->done.tenants(load->context, 0, list.rows, list.count);
	return 0;
}

/* All of them at once: a mount has them all in memory anyway. */
static int load_tenants(struct db *db, struct pending_load *load)
{
	autotenants struct tenant_list list = {0};
	int r = tenant_list(db, NULL, 0, INT64_MAX, &list);

	if (r == 0)
		load->done.tenants(load->context, 0, list.rows, list.count);
	return r;
}

static int load_rejections(struct db *db, struct pending_load *load)
{
	autoresult struct db_result *result = NULL;
	autoparams struct db_params params;
	struct bytes json;
	int r;

	db_params_init(&params);
	db_param_int(&params, load->tenant_id);
	db_param_int(&params, REJECTIONS_SHOWN);
	r = db_run(db, QUERY_LOAD_REJECTIONS, &params, &result);
	if (r < 0)
		return r;
	json = bytes_at(result, 0, 0);
	load->done.text(load->context, 0, json.data, json.length);
	return 0;
}

static int load_stats(struct db *db, struct pending_load *load)
{
	autobuf struct buf json = BUF_INIT(STATS_MAX_BYTES);
	int r = tenant_stats(db, load->tenant_id, &json);

	if (r < 0 && r != -ENOENT)
		return r;
	load->done.text(load->context, r, json.data, json.length);
	return 0;
}

int load_run(struct db *db, struct pending_load *load)
{
	switch (load->kind) {
	case LOAD_ENTRY:
	case LOAD_LIST:
	case LOAD_NODE:
	case LOAD_FILE:
		return load_entries(db, load);
	case LOAD_ATTRIBUTES:
		return load_attributes(db, load);
	case LOAD_EXTRACTION:
		return load_extraction(db, load);
	case LOAD_TENANT:
	case LOAD_TENANT_BY_ID:
		return load_one_tenant(db, load);
	case LOAD_TENANTS:
		return load_tenants(db, load);
	case LOAD_REJECTIONS:
		return load_rejections(db, load);
	case LOAD_TENANT_STATS:
		return load_stats(db, load);
	}
	return -EINVAL;
}

void load_fail(struct pending_load *load, int error)
{
	switch (load->kind) {
	case LOAD_ENTRY:
	case LOAD_LIST:
	case LOAD_NODE:
	case LOAD_FILE:
		load->done.entry(load->context, error, NULL, 0, false);
		break;
	case LOAD_ATTRIBUTES:
		load->done.attributes(load->context, error, NULL, 0);
		break;
	case LOAD_EXTRACTION:
		load->done.extraction(load->context, error, NULL);
		break;
	case LOAD_TENANT:
	case LOAD_TENANT_BY_ID:
	case LOAD_TENANTS:
		load->done.tenants(load->context, error, NULL, 0);
		break;
	case LOAD_REJECTIONS:
	case LOAD_TENANT_STATS:
		load->done.text(load->context, error, NULL, 0);
		break;
	}
}
