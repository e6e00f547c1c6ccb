#include "httpshim/routes/file_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "httpshim/file_view.h"
#include "httpshim/request.h"
#include "httpshim/request_db.h"
#include "httpshim/tenant_cache.h"
#include "shared/base/text.h"
#include "shared/meta/files.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

#define SORT_WORDS                                                                                                         \
	"uploaded_at|time_created|created_at|file_name|original_filename|name|file_size|file_size_bytes|size|mime_type|media_type"

const struct field file_list_query[] = {
	{.name = "skip", .type = FIELD_INTEGER, .minimum = 0, .maximum = INT32_MAX},
	{.name = "limit", .type = FIELD_INTEGER, .minimum = 1, .maximum = LIMIT_MAX},
	{.name = "sort", .type = FIELD_STRING, .words = SORT_WORDS},
	{.name = "order", .type = FIELD_STRING, .words = "asc|desc"},
	{.name = "month", .type = FIELD_STRING, .minimum = 7, .maximum = 7, .about = "2026-11: the month folder it lies in"},
	{.name = "cursor", .type = FIELD_STRING, .maximum = 100, .about = "next_cursor of the page before"},
	{0},
};
static const struct field page_fields[] = {
	{.name = "files", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &file_schema},
	{.name = "total", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .about = "Of all pages"},
	{.name = "next_cursor", .type = FIELD_STRING, .flags = FIELD_REQUIRED | FIELD_NULLABLE},
	{0},
};
const struct schema file_page_schema = {.name = "FilePage", .type = FIELD_OBJECT, .fields = page_fields};

static const struct schema any_object = {.type = FIELD_OBJECT};
static const struct field filter_fields[] = {
	{.name = "file_name", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 1024, .about = "A part of the name, or a glob"},
	{.name = "mime_type", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 128, .about = "Or image/ for a family"},
	{.name = "tag", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 1024},
	{.name = "metadata", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &any_object, .about = "What it must contain"},
	{.name = "size_min", .type = FIELD_INTEGER, .flags = FIELD_NULLABLE, .minimum = 0, .maximum = INT64_MAX},
	{.name = "size_max", .type = FIELD_INTEGER, .flags = FIELD_NULLABLE, .minimum = 0, .maximum = INT64_MAX},
	{.name = "uploaded_after", .type = FIELD_TIME, .flags = FIELD_NULLABLE},
	{.name = "uploaded_before", .type = FIELD_TIME, .flags = FIELD_NULLABLE},
	{.name = "status", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .words = "uploading|uploaded|processing|completed|error"},
	{.name = "text", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 1024, .about = "Words of the extracted text"},
	{0},
};
static const struct schema filter_schema = {.name = "FileFilters", .type = FIELD_OBJECT, .fields = filter_fields, .flags = FIELD_OPEN};
static const struct field sort_fields[] = {
	{.name = "field", .type = FIELD_STRING, .words = SORT_WORDS},
	{.name = "order", .type = FIELD_STRING, .words = "asc|desc"},
	{0},
};
static const struct schema sort_schema = {.name = "FileSort", .type = FIELD_OBJECT, .fields = sort_fields, .flags = FIELD_OPEN};
static const struct field pagination_fields[] = {
	{.name = "page", .type = FIELD_INTEGER, .minimum = 1, .maximum = INT32_MAX},
	{.name = "limit", .type = FIELD_INTEGER, .minimum = 1, .maximum = LIMIT_MAX},
	{0},
};
static const struct schema pagination_schema = {.name = "Pagination", .type = FIELD_OBJECT, .fields = pagination_fields,
						.flags = FIELD_OPEN};
static const struct field search_fields[] = {
	{.name = "tenant_code", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .maximum = 63},
	{.name = "filters", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &filter_schema},
	{.name = "sort", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &sort_schema},
	{.name = "pagination", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &pagination_schema},
	{0},
};
const struct schema file_search_schema = {.name = "FileSearch", .type = FIELD_OBJECT, .fields = search_fields, .flags = FIELD_OPEN};
static const struct field page_info_fields[] = {
	{.name = "page", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "limit", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "total_pages", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{.name = "total_files", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED},
	{0},
};
static const struct schema page_info_schema = {.name = "PageInfo", .type = FIELD_OBJECT, .fields = page_info_fields};
static const struct field search_answer_fields[] = {
	{.name = "files", .type = FIELD_ARRAY, .flags = FIELD_REQUIRED, .of = &file_schema},
	{.name = "pagination", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED, .of = &page_info_schema},
	{0},
};
const struct schema file_search_answer_schema = {.name = "FileSearchAnswer", .type = FIELD_OBJECT, .fields = search_answer_fields};

static enum file_sort sort_of(const char *word)
{
	if (!word || strstr(word, "_at") || strcmp(word, "time_created") == 0)
		return FILE_BY_UPLOADED;
	if (strstr(word, "size"))
		return FILE_BY_SIZE;
	return strstr(word, "type") ? FILE_BY_MEDIA_TYPE : FILE_BY_NAME;
}

static void put_files(struct request *request, struct buf *buf, const struct file_list *list)
{
	char base[300];

	url_base(request, base, sizeof(base));
	buf_puts(buf, "{\"files\":[");
	for (int i = 0; i < list->count; i++) {
		buf_puts(buf, i ? "," : "");
		file_view_put(buf, request->server, request->tenant, base, &list->rows[i]);
	}
	buf_putc(buf, ']');
}

/* Where the page before ended, and how many there were in all: "UPLOADED_AT.INODE.TOTAL". */
static bool take_cursor(const char *cursor, struct file_page *page, int64_t *ret_total)
{
	int used = 0;

	return sscanf(cursor, "%" SCNd64 ".%" SCNd64 ".%" SCNd64 "%n", &page->after_uploaded_at_ns, &page->after_inode, ret_total,
		      &used) == 3 &&
	       cursor[used] == '\0' && page->after_inode > 0 && *ret_total >= 0;
}

int file_list_answer(struct request *request)
{
	const char *cursor = request_query(request, "cursor"), *order = request_query(request, "order");
	struct file_filter filter = FILE_FILTER_ALL;
	struct file_page page = {
		.sort = sort_of(request_query(request, "sort")),
		.is_descending = !order || strcmp(order, "desc") == 0,
		.skip = request_query_int(request, "skip", 0),
		.limit = (int)request_query_int(request, "limit", LIMIT_DEFAULT),
		.want_total = !cursor,
	};
	struct leased_db leased autodb = {0};
	struct file_list list autofiles = {0};
	int64_t total = 0;
	struct buf *buf;
	int r;

	if (cursor && (page.sort != FILE_BY_UPLOADED || !take_cursor(cursor, &page, &total)))
		return answer_invalid(request, "query", "cursor", "Input should be the next_cursor of a page sorted by uploaded_at");
	filter.month = request_query(request, "month");
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = file_search(leased.db, request->tenant->id, &filter, &page, &list);
	if (r < 0)
		return r;
	total = cursor ? total : list.total;
	buf = answer_begin(request, 200, "application/json");
	put_files(request, buf, &list);
	buf_printf(buf, ",\"total\":%" PRId64 ",\"next_cursor\":", total);
	if (list.count == page.limit && page.sort == FILE_BY_UPLOADED)
		buf_printf(buf, "\"%" PRId64 ".%" PRId64 ".%" PRId64 "\"}", list.rows[list.count - 1].uploaded_at_ns,
			   list.rows[list.count - 1].inode, total);
	else
		buf_puts(buf, "null}");
	return answer_end(request);
}

/* --- search --- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : NULL;
}

static int64_t number_of(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static int64_t time_of(const json_t *object, const char *name)
{
	const char *text = text_of(object, name);
	int64_t time_ns = 0;

	return text && schema_time_parse(text, &time_ns) == 0 ? time_ns : 0;
}

/* metadata is text that the caller frees when the search is done. */
static void take_filters(const json_t *filters, struct file_filter *filter, char **ret_metadata)
{
	const json_t *metadata = json_object_get(filters, "metadata");
	const char *name = text_of(filters, "file_name");

	if (name)
		filter->name = (struct bytes){name, strlen(name)};
	filter->media_type = text_of(filters, "mime_type");
	filter->tag = text_of(filters, "tag");
	filter->size_min = number_of(filters, "size_min", -1);
	filter->size_max = number_of(filters, "size_max", -1);
	filter->uploaded_after_ns = time_of(filters, "uploaded_after");
	filter->uploaded_before_ns = time_of(filters, "uploaded_before");
	filter->status = text_of(filters, "status");
	filter->text = text_of(filters, "text");
	*ret_metadata = json_is_object(metadata) ? json_dumps(metadata, JSON_COMPACT) : NULL;
	if (*ret_metadata)
		filter->metadata = (struct bytes){*ret_metadata, strlen(*ret_metadata)};
}

int file_search_answer(struct request *request)
{
	const json_t *sort = json_object_get(request->json, "sort"), *pagination = json_object_get(request->json, "pagination");
	int64_t number = number_of(pagination, "page", 1), limit = number_of(pagination, "limit", LIMIT_DEFAULT);
	const char *order = text_of(sort, "order");
	struct file_filter filter = FILE_FILTER_ALL;
	struct file_page page = {
		.sort = sort_of(text_of(sort, "field")),
		.is_descending = !order || strcmp(order, "desc") == 0,
		.skip = (number - 1) * limit,
		.limit = (int)limit,
		.want_total = true,
	};
	struct leased_db leased autodb = {0};
	struct file_list list autofiles = {0};
	char *metadata autofree = NULL;
	struct buf *buf;
	int r;

	take_filters(json_object_get(request->json, "filters"), &filter, &metadata);
	r = request_lease_db(request, &leased);
	if (r == 0)
		r = file_search(leased.db, request->tenant->id, &filter, &page, &list);
	if (r == -EINVAL)
		return answer_invalid(request, "body", "filters", "A filter cannot be understood");
	if (r < 0)
		return r;
	buf = answer_begin(request, 200, "application/json");
	put_files(request, buf, &list);
	buf_printf(buf, ",\"pagination\":{\"page\":%" PRId64 ",\"limit\":%" PRId64 ",\"total_pages\":%" PRId64
			",\"total_files\":%" PRId64 "}}",
		   number, limit, (list.total + limit - 1) / limit, list.total);
	return answer_end(request);
}
