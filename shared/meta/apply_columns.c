/*
 * Every statement takes the tenant and one array a column. Rows go in the order of their keys: sessions that write the
 * same tables then meet in one order, and neighbours in an index are written together.
 */
#include "shared/meta/apply_columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/cleanup.h"
#include "shared/meta/apply_rows.h"

/* --- which rows, in which order --- */

static bool is_node_put(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_NODE_PUT;
}

static bool is_node_delete(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_NODE_DELETE && !item->is_wipe;
}

static bool is_wipe(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->is_wipe;
}

static bool is_entry_put(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_ENTRY_PUT;
}

static bool is_entry_delete(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_ENTRY_DELETE;
}

static bool is_object_put(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_OBJECT_PUT;
}

static bool is_object_delete(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_OBJECT_DELETE;
}

static bool is_attribute_put(const struct collection *collection, const struct collected *item)
{
	return item->change.kind == CHANGE_ATTRIBUTE_PUT && !collected_is_wiped(collection, item);
}

/* What a wipe takes along needs no statement of its own. */
static bool is_attribute_delete(const struct collection *collection, const struct collected *item)
{
	return item->change.kind == CHANGE_ATTRIBUTE_DELETE &&
	       !collected_has_wipe(collection, item->change.attribute.inode);
}

static bool is_spool_put(const struct collection *collection, const struct collected *item)
{
	return item->change.kind == CHANGE_SPOOL && item->change.spool.spool_name.length > 0 &&
	       !collected_is_wiped(collection, item);
}

static bool is_spool_delete(const struct collection *collection, const struct collected *item)
{
	return item->is_wipe || (item->change.kind == CHANGE_SPOOL && !is_spool_put(collection, item));
}

static bool is_extract(const struct collection *collection, const struct collected *item)
{
	(void)collection;
	return item->change.kind == CHANGE_EXTRACT;
}

/* --- order --- */

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_names(struct bytes a, struct bytes b)
{
	size_t length = a.length < b.length ? a.length : b.length;
	int order = length > 0 ? memcmp(a.data, b.data, length) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Both of one statement, so of kinds with the same key. */
static int compare_items(const void *a, const void *b)
{
	const struct change *left = &(*(const struct collected *const *)a)->change;
	const struct change *right = &(*(const struct collected *const *)b)->change;
	int order;

	switch (left->kind) {
	case CHANGE_ENTRY_PUT:
	case CHANGE_ENTRY_DELETE:
		order = compare_numbers(left->entry.parent_inode, right->entry.parent_inode);
		return order ? order : compare_names(left->entry.name, right->entry.name);
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		order = compare_numbers(left->attribute.inode, right->attribute.inode);
		return order ? order : compare_names(left->attribute.name, right->attribute.name);
	case CHANGE_OBJECT_PUT:
	case CHANGE_OBJECT_DELETE:
		return compare_numbers(left->object.object_id, right->object.object_id);
	case CHANGE_NODE_PUT:
	case CHANGE_NODE_DELETE:
	case CHANGE_SPOOL:
		return compare_numbers(left->kind == CHANGE_SPOOL ? left->spool.inode : left->node.inode,
				       right->kind == CHANGE_SPOOL ? right->spool.inode : right->node.inode);
	case CHANGE_EXTRACT:
		return memcmp(left->extract.sha256, right->extract.sha256, DIGEST_SIZE);
	case CHANGE_REJECTION:
	case CHANGE_USAGE:
	case CHANGE_EVENT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return 0;
}

/* --- statements --- */

typedef bool select_fn(const struct collection *collection, const struct collected *item);

struct statement {
	enum query_id query;
	enum row_shape_id shape;
	select_fn *is_selected;
	bool has_version; /* the extractor's, behind the columns */
};

/* Deletes before puts, a table after the other. A key is in one of the two, but a node that came back may be in both.
 */
static const struct statement statements[] = {
	{QUERY_APPLY_NODE_DELETE, ROW_INODE, is_node_delete, false},
	{QUERY_APPLY_ATTRIBUTE_WIPE, ROW_INODE, is_wipe, false},
	{QUERY_APPLY_SPOOL_DELETE, ROW_SPOOL_KEY, is_spool_delete, false},
	{QUERY_APPLY_NODE_PUT, ROW_NODE, is_node_put, false},
	{QUERY_APPLY_ENTRY_DELETE, ROW_ENTRY_KEY, is_entry_delete, false},
	{QUERY_APPLY_ENTRY_PUT, ROW_ENTRY, is_entry_put, false},
	{QUERY_APPLY_OBJECT_DELETE, ROW_OBJECT_KEY, is_object_delete, false},
	{QUERY_APPLY_OBJECT_PUT, ROW_OBJECT, is_object_put, false},
	{QUERY_APPLY_OBJECT_EQUAL, ROW_OBJECT_CONTENT, is_object_put, false},
	{QUERY_APPLY_ATTRIBUTE_DELETE, ROW_ATTRIBUTE_KEY, is_attribute_delete, false},
	{QUERY_APPLY_ATTRIBUTE_PUT, ROW_ATTRIBUTE, is_attribute_put, false},
	{QUERY_APPLY_SPOOL_PUT, ROW_SPOOL, is_spool_put, false},
	{QUERY_APPLY_JOB_ADD, ROW_EXTRACT, is_extract, true},
};
enum { STATEMENT_COUNT = sizeof(statements) / sizeof(statements[0]) };

static void send(struct apply_pipeline *pipeline, enum query_id query, const struct columns *columns,
		 const int *version)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, pipeline->tenant_id);
	for (int i = 0; i < columns->count; i++)
		db_param_array(&params, &columns->arrays[i]);
	if (version)
		db_param_int(&params, *version);
	db_pipeline_add(pipeline->db, query, &params);
	pipeline->count++;
}

/* Part of a batch must never be committed: parameters with an error make the whole pipeline fail. */
static void refuse(struct apply_pipeline *pipeline)
{
	autoparams struct db_params params;

	db_params_init(&params);
	params.error = -ENOMEM;
	db_pipeline_add(pipeline->db, QUERY_APPLY_END, &params);
	pipeline->count++;
}

static void add_statement(struct apply_pipeline *pipeline, const struct statement *statement,
			  const struct collected *const *items, uint32_t count, int version)
{
	struct columns columns;

	columns_init(&columns, statement->shape);
	for (uint32_t i = 0; i < count; i++)
		row_shapes[statement->shape].put(&columns, &items[i]->change);
	if (statement->query == QUERY_APPLY_OBJECT_EQUAL)
		pipeline->equal_index = pipeline->count;
	send(pipeline, statement->query, &columns, statement->has_version ? &version : NULL);
	columns_release(&columns);
}

static void add_keyed(struct apply_pipeline *pipeline, const struct collection *collection, int version)
{
	autofree const struct collected **items = calloc(collection->count + 1, sizeof(*items));

	if (!items) {
		refuse(pipeline);
		return;
	}
	for (int s = 0; s < STATEMENT_COUNT; s++) {
		uint32_t count = 0;

		for (uint32_t i = 0; i < collection->count; i++) {
			if (statements[s].is_selected(collection, &collection->items[i]))
				items[count++] = &collection->items[i];
		}
		if (count == 0)
			continue;
		qsort(items, count, sizeof(*items), compare_items);
		add_statement(pipeline, &statements[s], items, count, version);
	}
}

/* Rejections or events: all of them, in their order. */
static void add_events(struct apply_pipeline *pipeline, const struct collection *collection, enum change_kind kind,
		       enum query_id query, enum row_shape_id shape)
{
	struct columns columns;

	columns_init(&columns, shape);
	for (uint32_t i = 0; i < collection->event_count; i++) {
		if (collection->events[i].kind == kind)
			row_shapes[shape].put(&columns, &collection->events[i]);
	}
	if (columns.arrays[0].count > 0 || columns.arrays[0].error < 0)
		send(pipeline, query, &columns, NULL);
	columns_release(&columns);
}

static void add_usage(struct apply_pipeline *pipeline, const struct collection *collection)
{
	autoparams struct db_params params;

	db_params_init(&params);
	if (!collection->has_usage && collection->next_sequence == 1 && collection->next_object_id == 1)
		return;
	db_param_int(&params, pipeline->tenant_id);
	db_param_int_or_null(&params, collection->used_bytes, !collection->has_usage);
	db_param_int_or_null(&params, collection->file_count, !collection->has_usage);
	db_param_int(&params, collection->next_sequence);
	db_param_int(&params, collection->next_object_id);
	db_pipeline_add(pipeline->db, QUERY_APPLY_USAGE, &params);
	pipeline->count++;
}

void apply_pipeline_add(struct apply_pipeline *pipeline, const struct collection *collection, int extractor_version)
{
	add_keyed(pipeline, collection, extractor_version);
	add_events(pipeline, collection, CHANGE_REJECTION, QUERY_APPLY_REJECTION_ADD, ROW_REJECTION);
	add_usage(pipeline, collection);
	add_events(pipeline, collection, CHANGE_EVENT, QUERY_APPLY_EVENT_ADD, ROW_EVENT);
}
